"""Counts what leaves a consumer, by the second."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fsdf_core.message import ATTEMPTS
from fsdf_core.noting import runs_of
from fsdf_core.records import Count
from fsdf_core.verdict import DeadLetter, Delay, Drop, Requeue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.message import Message


class RecordCounter:
    """Counts of one queue since they were taken last. Thread-safe.

    Args:
        queue: its name.
    """

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._lock = threading.Lock()
        self._seconds: dict[int, list[int]] = {}
        self._spent: dict[int, float] = {}
        self._backlog: dict[int, int] = {}

    def add_successes(self, count: int, spent: float, now: float) -> None:
        """Count messages that have succeeded in their only runs, which took some seconds together."""
        if count:
            self._add((count, 0, 0, 0, 0, count), spent, now)

    def add(self, messages: Sequence[Message], now: float) -> None:
        """Count messages that were settled."""
        successes = failures = dropped = requeued = retries = runs = 0
        spent = 0.0
        for message in messages:
            outcome, settlement = message.outcome, message.settlement
            if settlement is None:
                if outcome is None or outcome.success:
                    successes += 1
                else:
                    failures += 1
            elif isinstance(settlement, DeadLetter):
                failures += 1
            elif isinstance(settlement, Drop):
                dropped += 1
            elif isinstance(settlement, Requeue | Delay):
                requeued += 1
            if outcome is not None and outcome.attempts > 1:
                before = message.extra.get(ATTEMPTS, 0)
                retries += max(0, outcome.attempts - 1 - (before if isinstance(before, int) else 0))
            for run in runs_of(message, now):
                runs += 1
                spent += run.ended - run.began
        self._add((successes, failures, dropped, requeued, retries, runs), spent, now)

    def _add(self, numbers: tuple[int, ...], spent: float, now: float) -> None:
        with self._lock:
            total = self._seconds.setdefault(int(now), [0] * 6)
            total[:] = map(int.__add__, total, numbers)
            self._spent[int(now)] = self._spent.get(int(now), 0.0) + spent

    def see_backlog(self, ready: int, now: float) -> None:
        """Note how many messages wait."""
        with self._lock:
            self._backlog[int(now)] = max(ready, self._backlog.get(int(now), 0))

    def take(self) -> list[Count]:
        """Return and forget the counts."""
        with self._lock:
            seconds, self._seconds = self._seconds, {}
            spent, self._spent = self._spent, {}
            backlog, self._backlog = self._backlog, {}
        counts = []
        for second in sorted({*seconds, *backlog}):
            successes, failures, dropped, requeued, retries, runs = seconds.get(second, (0,) * 6)
            spent_then, ready = spent.get(second, 0.0), backlog.get(second)
            counts.append(
                Count(self._queue, second, successes, failures, dropped, requeued, retries, runs, spent_then, ready)
            )
        return counts
