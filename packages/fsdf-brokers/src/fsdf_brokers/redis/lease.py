"""A consumer's lease on what it claimed, and the end of other consumers' leases.

A consumer is dead when its heartbeat is stale and its named connection is gone: the kernel closes that when
the process dies, and nothing that user code does can stall it. A consumer that is stalled but alive keeps its
messages until the lease limit. Where the server's permissions hide connections, a heartbeat of 30 s of age
decides.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import redis

from fsdf_brokers.redis.scripts import BEAT
from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from fsdf_brokers.redis.keys import Keys
    from fsdf_brokers.redis.scripts import Script
    from fsdf_brokers.redis.server import RedisAt

NAME = "fsdf:"
"""What the names of consumers' connections start with."""

CONNECTED = "c"
UNSEEN = "-"

_GONE = 1.5
"""Seconds without heartbeat and connection that make a consumer dead; at most the heartbeat timeout."""

_BLIND_LIMIT = 30.0
"""Seconds without heartbeat that make a consumer dead if its connection cannot be seen."""

_FORGET = 60_000
"""Milliseconds that a dead consumer is remembered."""


class Lease:
    """Owns the thread `fsdf-redis-lease-<queue>`, which beats and, elected by the server, sweeps.

    Args:
        server: where.
        keys: the queue's keys.
        reclaim: the layout's script that gives back what a dead consumer held.
        consumer: its id, without spaces.
        heartbeat_timeout: seconds until a heartbeat is stale.
        lease_limit: seconds without heartbeat after which a living consumer loses its messages.
    """

    def __init__(
        self,
        server: RedisAt,
        keys: Keys,
        reclaim: Script,
        consumer: str,
        heartbeat_timeout: float,
        lease_limit: float,
    ) -> None:
        self._server = server
        self._keys = keys
        self._reclaim_script = reclaim
        self._consumer = consumer
        self._gone = min(_GONE, heartbeat_timeout)
        self._settle_time = heartbeat_timeout
        self._limit = lease_limit
        self._logger = logging.getLogger(f"fsdf.{keys.ready}")
        self._line, named = server.line(NAME + consumer)
        self.evidence = CONNECTED if named else UNSEEN
        self._trusted_from = 0.0
        self._suspects: dict[str, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-redis-lease-{keys.ready}", daemon=True)
        self.start = self._thread.start

    def stop(self) -> None:
        """End the thread and its connection. Idempotent."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        self._line.close()

    def _run(self) -> None:
        cut_off = False
        while True:
            try:
                with self._server.translated():
                    self._beat()
                if cut_off:
                    # The server may be back from a restart: give the other consumers time to connect too.
                    cut_off = False
                    self._trusted_from = time.monotonic() + self._settle_time
            except FsdfError as error:
                if not cut_off:
                    self._logger.debug("no heartbeat: %s", error)
                cut_off = True
                self._suspects.clear()
                self._trusted_from = float("inf")
            except Exception:
                self._logger.exception("the lease of %s failed, trying on", self._consumer)
            if self._stopped.wait(self._gone / 3):
                return

    def _beat(self) -> None:
        keys = self._keys
        found = BEAT(
            self._line,
            (keys.beats, keys.sweeper, keys.consumers),
            (self._consumer, _ms(self._gone), _ms(self._gone), _FORGET, keys.prefix),
        )
        now = time.monotonic()
        if not found or now < self._trusted_from:
            self._suspects.clear()
            return
        names = [name.decode() for name in found[::3]]
        self._suspects = {name: self._suspects.get(name, now) for name in names}
        connected = self._connected()
        for name, silent, evidence in zip(names, found[1::3], found[2::3], strict=True):
            limit = self._silence(name, evidence.decode(), connected, now)
            if silent >= _ms(limit):
                self._reclaim(name, limit)

    def _silence(self, name: str, evidence: str, connected: set[str] | None, now: float) -> float:
        """Return the seconds without heartbeat that are too long for this consumer."""
        if evidence == "":
            return 0.0
        if connected is None or evidence == UNSEEN:
            return min(_BLIND_LIMIT, self._limit)
        if name in connected:
            self._suspects[name] = now
            return self._limit
        # Seen without a connection twice: once may be the moment in which it reconnects.
        return self._gone if now - self._suspects[name] >= self._gone / 4 else self._limit

    def _connected(self) -> set[str] | None:
        """Return the consumers whose connections the server sees; None if it must not tell."""
        try:
            clients = self._line.client_list()
        except redis.exceptions.NoPermissionError:
            return None
        names = [client.get("name", "") for client in clients]
        return {name.removeprefix(NAME) for name in names if name.startswith(NAME)}

    def _reclaim(self, name: str, limit: float) -> None:
        keys = self._keys
        own = (keys.beats, keys.inbox(name), keys.unacked(name))
        count = self._reclaim_script(self._line, (*keys.common, *own), (name, _ms(limit)))
        self._suspects.pop(name, None)
        if count:
            self._logger.warning("consumer %s is dead: %d message(s) of its are delivered again", name, count)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
