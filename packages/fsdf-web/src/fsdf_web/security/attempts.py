"""How often somebody may guess a token."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from fsdf_core.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from fsdf_core.clock import Clock

_MOST_ADDRESSES = 10_000


class Attempts:
    """Counts wrong tokens by address.

    Args:
        limit: wrong tokens of one address within the window; default 5.
        window: seconds; default 60.
        clock: the time.

    Example:
        >>> attempts = Attempts(limit=1)
        >>> attempts.failed("10.0.0.7")
        >>> attempts.wait("10.0.0.7") > 0, attempts.wait("10.0.0.8")
        (True, 0.0)
    """

    def __init__(self, limit: int = 5, window: float = 60.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, deque[float]] = {}

    def wait(self, address: str) -> float:
        """Return the seconds until the address may try again; 0.0 if it may now."""
        now = self._clock.monotonic()
        with self._lock:
            failures = self._failures.get(address)
            if failures is None or len(failures) < self._limit:
                return 0.0
            return max(0.0, failures[0] + self._window - now)

    def failed(self, address: str) -> None:
        """Note a wrong token."""
        with self._lock:
            # Whoever has the most addresses pushes out the oldest failure first.
            failures = self._failures.pop(address, None) or deque(maxlen=self._limit)
            self._failures[address] = failures
            failures.append(self._clock.monotonic())
            if len(self._failures) > _MOST_ADDRESSES:
                self._failures.pop(next(iter(self._failures)))
