"""At most so many starts a second, evenly spaced."""

from __future__ import annotations

from fsdf_core.control import UNLIMITED, Control

_LAG = 0.05
"""Seconds of lateness that are made up for; more would be a burst after a pause."""


class RateLimit(Control):
    """Starts tasks `1 / qps` seconds apart, however long they take.

    A start that comes late because the machine was busy is made up for; a pause, because the queue was empty or
    all workers were busy, is not: there is no burst after it.

    Args:
        qps: starts a second in this consumer, above 0; below 1 is fine (0.2 is one every 5 s).

    Raises:
        ValueError: `qps` is not above 0.

    Example:
        >>> limit = RateLimit(5)
        >>> limit.credit(now=100.0)
        1
        >>> limit.spend(1, now=100.0)
        >>> limit.credit(now=100.1), round(limit.next_credit(now=100.1), 3)
        (0, 0.1)
    """

    def __init__(self, qps: float) -> None:
        self._next: float | None = None
        self._offered: float | None = None
        self._qps = 0.0
        self.qps = qps

    @property
    def qps(self) -> float:
        """Starts a second; may be changed while the consumer runs."""
        return self._qps

    @qps.setter
    def qps(self, value: float) -> None:
        if not 0 < value < UNLIMITED:
            raise ValueError(f"qps must be above 0, not {value}: leave the control out for no limit")
        if self._next is not None and self._qps:
            # The next start was planned at the old distance: move it to the new one.
            self._next += 1 / value - 1 / self._qps
        self._qps = value

    def credit(self, now: float) -> float:
        """How many starts are due."""
        if self._next is None:
            self._next = now
        if now < self._next:
            return 0
        most = max(1, int(_LAG * self._qps))
        due = int((now - self._next) * self._qps) + 1
        if due > most:
            due = most
            self._next = now - (most - 1) / self._qps
        self._offered = now
        return due

    def next_credit(self, now: float) -> float:
        """Seconds until the next start is due."""
        return 0.0 if self._next is None else max(0.0, self._next - now)

    def spend(self, count: int, now: float) -> None:
        """Plan the next start `count` distances later, from now on if the queue let the offer wait."""
        planned = now if self._next is None else self._next
        if self._offered is not None and now - self._offered > _LAG:
            planned = max(planned, now)
        self._next = planned + count / self._qps
