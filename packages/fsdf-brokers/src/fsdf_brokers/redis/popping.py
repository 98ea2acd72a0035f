"""A consumer that takes messages off a Redis list for good."""

from __future__ import annotations

import threading
import time
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

from fsdf_brokers.redis.layout import LIST
from fsdf_brokers.redis.lease import NAME
from fsdf_core.broker import Delivery, Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.redis.keys import Keys
    from fsdf_brokers.redis.server import RedisAt

_MOST = 10_000
"""Most messages taken at once: the server does nothing else meanwhile."""

_MOST_BYTES = 16 * 2**20
"""Most bytes taken at once, if the bodies are as large as those before."""

_LARGE = 2**20
"""Bytes that a body is taken for before one was seen."""

_LOOK = 0.2
"""Seconds between two looks for delayed messages that are due."""


class PoppingSubscription(Subscription):
    """Pops from the list's head, and waits there. Takes no more than it is asked for.

    Args:
        server: where.
        keys: the queue's keys.
        consumer_id: unique; shown in CLIENT LIST.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses the password, or is too old.
    """

    def __init__(self, server: RedisAt, keys: Keys, consumer_id: str) -> None:
        self._server = server = server.at(keys.ready)
        self._keys = keys
        self._interrupted = threading.Event()
        self._tokens = count()
        self._size = float(_LARGE)
        self._next_look = 0.0
        self._line, _ = server.line(NAME + quote(consumer_id, safe=""))
        with server.translated():
            # Ask now for what receive() will need: a list, and a server that is new enough.
            self._line.execute_command("LLEN", keys.ready)
            self._line.execute_command("LMOVE", keys.returned, keys.returned, "LEFT", "LEFT")

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Take messages; if the connection breaks before they arrive, they are lost.

        Raises:
            BrokerUnavailable: the connection broke.
        """
        ready = self._keys.ready
        now = time.monotonic()
        deadline = now + timeout
        with self._server.translated():
            while True:
                if now >= self._next_look:
                    self._look(now)
                room = min(limit, _MOST, max(1, int(_MOST_BYTES / self._size)))
                if bodies := self._line.execute_command("LPOP", ready, room):
                    return self._deliveries(bodies)
                now = time.monotonic()
                if now >= deadline or self._interrupted.is_set():
                    self._interrupted.clear()
                    return []
                if found := self._line.execute_command(
                    "BLPOP", ready, max(0.001, min(deadline, self._next_look) - now)
                ):
                    return self._deliveries(found[1:])
                now = time.monotonic()

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Do nothing: what was delivered is gone."""

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Send the messages again."""
        if deliveries:
            milliseconds = int(delay * 1000)
            words = [word for one in deliveries for word in (milliseconds, "", one.body)]
            with self._server.translated():
                LIST.send(self._server.direct, self._keys.common, words)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the messages back in front, in their old order."""
        if deliveries:
            last_first = sorted(deliveries, key=lambda delivery: -delivery.token)
            with self._server.translated():
                self._server.direct.execute_command("LPUSH", self._keys.ready, *[one.body for one in last_first])

    def interrupt(self) -> None:
        """Make `receive` return within 0.2 s."""
        self._interrupted.set()

    def close(self) -> None:
        """End. What was received and not released is the caller's; a consumer releases what it has not started."""
        self._line.close()

    def _look(self, now: float) -> None:
        wait = LIST.due(self._line, self._keys.common)
        self._next_look = now + (_LOOK if wait < 0 else min(_LOOK, wait / 1000))

    def _deliveries(self, bodies: Sequence[bytes]) -> list[Delivery]:
        self._size = max(1.0, sum(map(len, bodies)) / len(bodies))
        return list(map(Delivery, bodies, self._tokens))
