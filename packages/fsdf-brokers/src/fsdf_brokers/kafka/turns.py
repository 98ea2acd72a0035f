"""A lock that goes from hand to hand in the order of asking.

confluent-kafka (seen in 2.16) lets one thread at a time into a Consumer, and a thread that polls again and again
keeps all others out for ever. So whoever wants to use the Consumer asks here first.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fsdf_core.errors import BrokerUnavailable
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0


class Turns:
    """First come, first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    @contextmanager
    def turn(self, timeout: float = PATIENCE) -> Iterator[None]:
        """Hold the lock.

        Raises:
            BrokerUnavailable: it was not to be had for `timeout` seconds: the client library hangs.
        """
        if not self._acquire(timeout):
            raise BrokerUnavailable("Kafka's client library does not answer")
        try:
            yield
        finally:
            self._release()

    def _acquire(self, timeout: float) -> bool:
        with self._lock:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=timeout):
            return True
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over just now

    def _release(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
