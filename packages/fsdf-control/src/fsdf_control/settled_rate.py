"""How many messages a second were settled lately."""

from __future__ import annotations

from collections import deque

_SLICE = 0.5
_KEPT = 60.0


class SettledRate:
    """Counts in slices of half a second, for a minute.

    Args:
        now: monotonic seconds; counting begins.

    Example:
        >>> rate = SettledRate(now=0.0)
        >>> rate.add(50, now=1.0)
        >>> rate.per_second(10.0, now=5.0), rate.per_second(10.0, now=20.0)
        (10.0, 0.0)
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._slices: deque[list[float]] = deque()  # [end, count]

    def add(self, count: int, now: float) -> None:
        """Count messages."""
        slices = self._slices
        if slices and now < slices[-1][0]:
            slices[-1][1] += count
            return
        slices.append([now + _SLICE, count])
        while slices[0][0] <= now - _KEPT:
            slices.popleft()

    def per_second(self, seconds: float, now: float) -> float:
        """Return the rate of the last `seconds` (at most 60), or since counting began if that is less."""
        span = min(seconds, now - self._began)
        if span <= 0:
            return 0.0
        return sum(count for end, count in self._slices if end > now - seconds) / span
