"""At most so many starts a second, evenly spaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.control import UNLIMITED, Control

if TYPE_CHECKING:
    from fsdf_core.host import Host

_GRAIN = 0.02
"""Seconds of lateness whose starts may happen together: a broker's round trip, a thread's late wake-up."""

_PATIENCE = 0.05
"""Seconds after which an offer that nobody took means an empty queue or a full pool, not a slow round trip."""

_MOST_DEBT = 0.5
"""Seconds of lost time that are made up for; less than 1 % of a minute."""

_HURRY = 0.2
"""By how much the distances shrink while lost time is made up for."""


class RateLimit(Control):
    """Starts tasks `1 / qps` seconds apart, however long they take.

    The starts have planned times, as in the generic cell rate algorithm (ITU-T I.371). One that comes late
    because the machine was busy is made up for: at once if it is late by no more than 20 ms, else by distances a
    fifth shorter, for half a second of lost time at most. A pause, because the queue was empty or all workers
    were busy, is not made up for: there is no burst after it.

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
        self._qps = self._wanted = checked_qps(qps)
        self._host: Host | None = None
        self._next: float | None = None
        self._offered: float | None = None
        self._debt = 0.0
        self._stale = True

    @property
    def qps(self) -> float:
        """Starts a second; may be changed while the consumer runs, by any thread."""
        return self._wanted

    @qps.setter
    def qps(self, value: float) -> None:
        self._change(checked_qps(value))

    def start(self, host: Host) -> None:
        """Begin anew: the time since the last stop is not made up for."""
        self._host = host
        self._stale = True

    def stop(self) -> None:
        """Wake nobody any more."""
        self._host = None

    def credit(self, now: float) -> int:
        """How many starts are due."""
        late = self._lateness(now)
        if late < 0:
            return 0
        if self._offered is None:
            self._offered = now
        return 1 + int(late * self._qps)

    def next_credit(self, now: float) -> float:
        """Seconds until the next start is due."""
        return max(0.0, -self._lateness(now))

    def spend(self, count: int, now: float) -> None:
        """Plan the next start `count` distances later."""
        late = self._lateness(now)
        distance = count / self._qps
        hurry = min(self._debt, _HURRY * distance)
        self._debt -= hurry
        self._next = now - late + distance - hurry
        self._offered = None

    def _change(self, qps: float) -> None:
        # The plan belongs to the dispatcher's thread, which takes the new rate over at its next look.
        self._wanted = qps
        host = self._host
        if host is not None:
            host.wake()

    def _resume(self, planned: float, now: float) -> float:
        """When the first start after a pause or a change may be, if it was planned for `planned`."""
        return max(planned, now)

    def _lateness(self, now: float) -> float:
        """Bring the plan up to date; return by how many seconds the next start is late, negative if it is early."""
        planned = now if self._next is None else self._next
        if self._stale or self._wanted != self._qps:
            wanted = self._wanted
            if self._next is not None:
                planned += 1 / wanted - 1 / self._qps
            self._qps = wanted
            self._stale = False
            return self._begin(planned, now)
        if self._offered is not None and now - self._offered > _PATIENCE:
            return self._begin(planned, now)
        late = now - planned
        if late > _GRAIN:
            self._debt = min(_MOST_DEBT, self._debt + late - _GRAIN)
            self._next = now - _GRAIN
            return _GRAIN
        self._next = planned
        return late

    def _begin(self, planned: float, now: float) -> float:
        self._debt = 0.0
        self._next = self._resume(planned, now)
        if self._next > now:
            self._offered = None
        return now - self._next


def checked_qps(qps: float) -> float:
    """Return a rate that can be held.

    Raises:
        ValueError: it is not above 0, or not finite.
    """
    if not 0 < qps < UNLIMITED:
        raise ValueError(f"qps must be above 0, not {qps}: leave the control out for no limit")
    return qps
