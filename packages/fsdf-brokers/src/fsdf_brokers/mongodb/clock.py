"""The server's time, without asking for it each time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_ASK_EVERY = 10.0


class ServerClock:
    """Adds the monotonic time since the server was last asked, so a host's wrong clock does no harm.

    Updates that compute with the server's time ("$$NOW") would be exact, but no server but MongoDB has them.

    Args:
        ask: returns the server's time in seconds since 1970.
    """

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._offset = 0.0
        self._asked = float("-inf")
        self._last = 0

    def now(self) -> float:
        """Return seconds since 1970; asks every ten seconds, so a server's clock that was set is followed."""
        now = time.monotonic()
        if now - self._asked >= _ASK_EVERY:
            there = self._ask()
            after = time.monotonic()
            self._offset = there - (now + after) / 2
            now = self._asked = after
        return now + self._offset

    def ticks(self, count: int) -> range:
        """Return numbers that grow: microseconds since 1970, none twice in this process."""
        now = int(self.now() * 1e6)
        with self._lock:
            first = max(now, self._last + 1)
            self._last = first + count - 1
        return range(first, first + count)
