"""Quotas counted inside one consumer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_control.quota_period import Period
    from fsdf_core.clock import Clock

_REMEMBERED = 3
"""Periods whose counts are kept, for a wall clock that is set back a little."""

_RESOLUTION = 1000
"""A sliding window remembers its starts in at most about this many groups."""


class FixedQuota:
    """At most `limit` starts in each period of the wall clock."""

    def __init__(self, limit: int, period: Period, clock: Clock) -> None:
        self._limit = limit
        self._period = period
        self.clock = clock
        self._counts: dict[int, int] = {}

    def left(self, now: float) -> int:  # noqa: ARG002 - the wall clock decides
        """How many tasks may start."""
        return max(0, self._limit - self._counts.get(self._period.index(self.clock.time()), 0))

    def wait(self, now: float) -> float:  # noqa: ARG002
        """Seconds until the next period."""
        return self._period.until_next(self.clock.time())

    def spend(self, count: int, now: float) -> None:  # noqa: ARG002
        """Count starts."""
        index = self._period.index(self.clock.time())
        self._counts[index] = self._counts.get(index, 0) + count
        if len(self._counts) > _REMEMBERED:
            del self._counts[next(iter(self._counts))]


class SlidingQuota:
    """At most `limit` starts in any `seconds`, by the monotonic clock."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._groups: deque[tuple[float, float, int]] = deque()
        self._used = 0

    def left(self, now: float) -> int:
        """How many tasks may start."""
        while self._groups and now - self._groups[0][1] >= self._seconds:
            self._used -= self._groups.popleft()[2]
        return max(0, self._limit - self._used)

    def wait(self, now: float) -> float:
        """Seconds until the oldest starts leave the window."""
        return max(0.0, self._groups[0][1] + self._seconds - now) if self._groups else 0.0

    def spend(self, count: int, now: float) -> None:
        """Remember starts; a group counts as begun when its last start did."""
        self._used += count
        if self._groups and now - self._groups[-1][0] < self._seconds / _RESOLUTION:
            first, _, before = self._groups.pop()
            self._groups.append((first, now, before + count))
        else:
            self._groups.append((now, now, count))
