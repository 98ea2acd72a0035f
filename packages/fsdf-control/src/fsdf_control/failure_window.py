"""When failures are too many: so many in a row, or such a share of a period's calls."""

from __future__ import annotations

from collections import deque
from typing import Protocol

_SLICES = 20
"""Parts of a period that are counted together."""


class FailureWindow(Protocol):
    """Counts calls; used under its owner's lock, but for `success`, which any thread may call."""

    def success(self, now: float) -> None:
        """Count a call that returned."""

    def collect(self) -> None:
        """Add up what was counted without the lock; called often."""

    def failure(self, now: float) -> bool:
        """Count a call that raised; True if there are too many."""

    def clear(self) -> None:
        """Forget all."""


class ConsecutiveFailures:
    """Too many when `threshold` calls in a row have failed.

    Example:
        >>> window = ConsecutiveFailures(2)
        >>> window.failure(0.0), window.success(0.0), window.failure(0.0), window.failure(0.0)
        (False, None, False, True)
    """

    def __init__(self, threshold: int) -> None:
        self._threshold = threshold
        self._failures = 0

    def success(self, now: float) -> None:  # noqa: ARG002 - protocol
        """End the row."""
        if self._failures:
            self._failures = 0

    def collect(self) -> None:
        """Nothing to add up."""

    def failure(self, now: float) -> bool:  # noqa: ARG002 - protocol
        """Lengthen the row."""
        self._failures += 1
        return self._failures >= self._threshold

    def clear(self) -> None:
        """End the row."""
        self._failures = 0


class FailureRate:
    """Too many when, of at least `min_calls` calls within the last `period` seconds, the share `rate` has failed.

    Calls are counted in twentieths of the period, so the memory is constant.

    Example:
        >>> window = FailureRate(rate=0.5, period=60, min_calls=2)
        >>> window.failure(0.0), window.success(1.0), window.failure(2.0), window.failure(70.0)
        (False, None, True, False)
    """

    def __init__(self, rate: float, period: float, min_calls: int) -> None:
        self._rate = rate
        self._period = period
        self._min_calls = min_calls
        self._slices: deque[list[float]] = deque()  # [begin, calls, failures]
        self._calls = self._failures = 0
        self._successes: deque[float] = deque()

    def success(self, now: float) -> None:
        """Count a call that returned."""
        self._successes.append(now)

    def collect(self) -> None:
        """Add up the successes."""
        for _ in range(len(self._successes)):
            self._slice(self._successes.popleft())[1] += 1
            self._calls += 1

    def failure(self, now: float) -> bool:
        """Count a call that raised."""
        self.collect()
        current = self._slice(now)
        current[1] += 1
        current[2] += 1
        self._calls += 1
        self._failures += 1
        return self._calls >= self._min_calls and self._failures >= self._rate * self._calls

    def clear(self) -> None:
        """Forget all."""
        self._successes.clear()
        self._slices.clear()
        self._calls = self._failures = 0

    def _slice(self, now: float) -> list[float]:
        slices = self._slices
        if slices and now - slices[-1][0] < self._period / _SLICES:
            return slices[-1]
        while slices and now - slices[0][0] >= self._period:
            _, calls, failures = slices.popleft()
            self._calls -= int(calls)
            self._failures -= int(failures)
        slices.append([now, 0, 0])
        return slices[-1]
