"""The task that every system runs: it does nothing but count itself.

`next()` on an `itertools.count` is atomic under the interpreter lock, so the count needs no lock that would
slow all systems down to the same pace.
"""

from __future__ import annotations

import itertools
import threading
import time


class Tally:
    """Counts runs of the task and tells when the first and the last wanted one ended."""

    def __init__(self) -> None:
        self.goal = -1
        self.first = 0.0
        self.last = 0.0
        self.reached = threading.Event()
        self._numbers = itertools.count(1)
        self.next = self._numbers.__next__

    def peek(self) -> int:
        """Return how many runs were counted so far, without counting one."""
        return self._numbers.__reduce__()[1][0] - 1

    def expect(self, runs: int) -> None:
        """Set the goal; called before the worker starts."""
        self.goal = runs

    def mark(self, number: int) -> None:
        """Note the time of the first run and of the one that reaches the goal."""
        now = time.perf_counter()
        if number == 1:
            self.first = now
        if number == self.goal:
            self.last = now
            self.reached.set()


TALLY = Tally()


def task(x: int, y: int) -> None:
    """Do nothing, and be counted."""
    del x, y
    number = TALLY.next()
    if number in (1, TALLY.goal):
        TALLY.mark(number)


async def task_async(x: int, y: int) -> None:
    """Do the same as a coroutine."""
    task(x, y)
