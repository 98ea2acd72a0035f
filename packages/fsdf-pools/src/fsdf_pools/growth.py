"""When a pool grows: a policy without threads or clock."""

from __future__ import annotations

from typing import NamedTuple

# Calls quicker than this (seconds) gain nothing from more threads: handing over costs as much.
_QUICK = 0.0001
# A tick that comes later than this (seconds) shows that the interpreter or the machine is busy. Then
# "nothing was taken" may mean that the workers were not let in, so more evidence is gathered.
_LATE = 0.002
_EVIDENCE = 0.05
# Growth that does not raise the throughput by this factor did not help.
_GAIN = 1.2
# After growth that did not help: seconds until the next, smaller trial, doubled each time.
_FIRST_HOLD = 0.1
_LAST_HOLD = 10.0
# Takes from which a measured throughput can be compared with another; a busy tick's is a longer one.
_TRUSTED = 40
_TRUSTED_BUSY = 8


class Tick(NamedTuple):
    """What happened since the last tick."""

    workers: int
    """Workers at its end."""
    taken: int
    """Items taken by them, without the first of those started since the last tick."""
    elapsed: float
    """Its length in seconds."""
    late: float
    """By how many seconds it lasted longer than planned."""
    backlog: int
    """Items that wait at its end."""


class GrowthPolicy:
    """Doubles the workers while calls are slow and doubling helps.

    Quick calls never make it grow, calls that hold the interpreter hardly, blocked workers at once.
    """

    def __init__(self) -> None:
        self._taken = 0
        self._elapsed = 0.0
        self._busy = False
        self._rate_before = 0.0
        self._patience = _FIRST_HOLD
        self._hold = 0.0

    def more(self, tick: Tick) -> int:
        """Tell how many workers to add.

        Args:
            tick: What happened since the last call, while work waited and no worker was free.

        Returns:
            The number, 0 for none.
        """
        self._taken += tick.taken
        self._elapsed += tick.elapsed
        self._busy = self._busy or tick.late > _LATE
        if self._busy and self._elapsed < _EVIDENCE:
            return 0
        taken, elapsed, busy = self._taken, self._elapsed, self._busy
        self.forget()
        if tick.workers * elapsed < taken * _QUICK:
            self._rate_before = 0.0
            return 0
        if taken < (_TRUSTED_BUSY if busy else _TRUSTED):
            self._rate_before = self._hold = 0.0
            return min(max(1, tick.workers), tick.backlog)
        return min(self._trial(tick.workers, taken / elapsed, elapsed), tick.backlog)

    def forget(self) -> None:
        """Start a new measurement."""
        self._taken, self._elapsed, self._busy = 0, 0.0, False

    def _trial(self, workers: int, rate: float, elapsed: float) -> int:
        if self._rate_before:
            if rate < self._rate_before * _GAIN:
                self._hold = self._patience
                self._patience = min(self._patience * 2, _LAST_HOLD)
            else:
                self._patience = _FIRST_HOLD
            self._rate_before = 0.0
        if self._hold > 0:
            self._hold -= elapsed
            return 0
        self._rate_before = rate
        return workers if self._patience == _FIRST_HOLD else max(1, workers // 4)
