"""One consumer's hold on a queue of Redis."""

from __future__ import annotations

import logging
import threading
import time
from itertools import count, repeat
from typing import TYPE_CHECKING
from urllib.parse import quote

import redis

from fsdf_brokers.redis.lease import NAME, Lease
from fsdf_brokers.redis.scripts import ADMIT, LEAVE, RELEASE, REQUEUE, TAKE
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_brokers.redis.server import RedisAt

_MOST = 5000
"""Most messages claimed at once: a script stops the whole server while it runs."""

_MOST_BYTES = 16 * 2**20

_LOOK = 0.2
"""Seconds after which a waiting consumer looks for what does not wake it: returned and newly delayed ones."""

_LOST = -2


class RedisSubscription(Subscription):
    """Claims by script; waits in BLMOVE, which moves the message that wakes it into the consumer's own inbox.

    So a message is at every moment in a key of the server, and a consumer that dies anywhere loses none.

    Args:
        server: where.
        keys: the queue's keys.
        consumer_id: unique.
        heartbeat_timeout: seconds until a heartbeat is stale.
        lease_limit: seconds without heartbeat after which a living consumer loses its messages.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses the password, or is too old.
    """

    def __init__(
        self, server: RedisAt, keys: Keys, consumer_id: str, heartbeat_timeout: float, lease_limit: float
    ) -> None:
        self._server = server
        self._keys = keys
        self._id = quote(consumer_id, safe="")  # names of connections have no spaces
        self._inbox = keys.inbox(self._id)
        self._unacked = keys.unacked(self._id)
        self._take_keys = (
            keys.ready, keys.returned, keys.delayed, self._inbox, self._unacked, keys.consumers,
        )  # fmt: skip
        self._interrupted = threading.Event()
        self._closed = False
        self._incarnation = 0
        self._next_token = 1
        self._doubtful = range(0)
        self._line, _ = server.line(NAME + self._id)
        self._lease = Lease(server, keys, self._id, heartbeat_timeout, lease_limit)
        with server.translated():
            self._admit()
            # Ask now for what receive() will need: a list, and a server that knows the command.
            self._line.execute_command("LLEN", keys.ready)
            self._wait(self._inbox, 0.001)
        self._lease.start()

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it.
        """
        deadline = time.monotonic() + timeout
        with self._server.translated():
            while True:
                batch, pause = self._take(min(limit, _MOST))
                left = deadline - time.monotonic()
                if batch or left <= 0 or self._interrupted.is_set():
                    self._interrupted.clear()
                    return batch
                self._wait(self._keys.ready, max(0.001, min(left, pause)))

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        if deliveries:
            with self._server.translated():
                self._server.shared.execute_command("HDEL", self._unacked, *[delivery.token for delivery in deliveries])

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages at the end, or among the delayed ones."""
        if deliveries:
            keys = (self._keys.ready, self._keys.delayed, self._unacked, self._keys.sequence)
            tokens = [delivery.token for delivery in deliveries]
            with self._server.translated():
                REQUEUE(self._server.shared, keys, (int(delay * 1000), *tokens))

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front, uncounted."""
        if deliveries:
            with self._server.translated():
                self._release(self._server.shared, sorted(delivery.token for delivery in deliveries))

    def interrupt(self) -> None:
        """Make `receive` return within 0.2 s."""
        self._interrupted.set()

    def reconnect(self) -> None:
        """Enter anew, so that no call on the old connection claims any more; give back what one claimed."""
        with self._server.translated():
            self._admit()
            if self._doubtful:
                self._release(self._line, self._doubtful)
                self._doubtful = range(0)

    def close(self) -> None:
        """Give back everything; if the server is away, the end of the lease does it."""
        if self._closed:
            return
        self._closed = True
        self._lease.stop()
        keys = self._keys
        try:
            with self._server.translated():
                LEAVE(
                    self._server.shared,
                    (
                        keys.ready, keys.returned, keys.consumers, keys.beats, self._inbox, self._unacked,
                        keys.sweeper,
                    ),
                    (self._id,),
                )  # fmt: skip
        except FsdfError as error:
            logging.getLogger(f"fsdf.{keys.ready}").warning(
                "could not say goodbye; what was not acknowledged comes back when the lease ends: %s", error
            )
        finally:
            self._line.close()

    def _admit(self) -> None:
        self._incarnation += 1
        ADMIT(
            self._line,
            (self._keys.consumers, self._keys.beats),
            (self._id, self._incarnation, self._lease.evidence),
        )

    def _take(self, limit: int) -> tuple[list[Delivery], float]:
        """Return what was claimed, and the seconds to wait if nothing was."""
        first = self._next_token
        # A token is used once, even if the answer to this call is lost.
        self._next_token += limit
        self._doubtful = range(first, first + limit)
        wait, *claimed = TAKE(self._line, self._take_keys, (self._id, self._incarnation, limit, first, _MOST_BYTES))
        self._doubtful = range(0)
        if wait == _LOST:
            if not self._closed:
                self._admit()
            return [], 0.0
        claims, bodies = claimed
        batch = list(map(Delivery, bodies, count(first), repeat(1)))
        for delivery, number in zip(batch, claims, strict=False):
            delivery.delivery_count = number
        return batch, _LOOK if wait < 0 else min(_LOOK, wait / 1000)

    def _wait(self, source: str, timeout: float) -> None:
        try:
            self._line.execute_command("BLMOVE", source, self._inbox, "LEFT", "RIGHT", timeout)
        except redis.OutOfMemoryError:
            # Scripts that only move messages still pass, so look again and again.
            self._interrupted.wait(timeout)

    def _release(self, client: object, tokens: Sequence[int]) -> None:
        RELEASE(client, (self._keys.ready, self._keys.returned, self._unacked), tokens)
