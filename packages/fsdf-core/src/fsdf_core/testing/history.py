"""What really happened while workers were killed: logs that survive kill -9, and a checker of the promises.

Each process appends to a file of its own, one `write` an event, so a kill can cut no line but lose none that was
written. Every accepted id must have run; ids may have run twice only if they were in flight at a kill.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

UNSETTLED = 1.0
"""Seconds before a kill within which a finished task may not have been acknowledged yet."""


class HistoryError(AssertionError):
    """A promise was broken."""


class HistoryLog:
    """Appends events of this process.

    Args:
        folder: shared by all processes of the history.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / f"{os.getpid()}.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def started(self, number: int) -> None:
        """Note that a task begins."""
        self._write("start", number)

    def ended(self, number: int) -> None:
        """Note that a task has done its work."""
        self._write("end", number)

    def _write(self, event: str, number: int) -> None:
        os.write(self._file, f"{event} {number} {time.time():.6f}\n".encode())


@dataclass(frozen=True)
class Report:
    """What `check` found. `in_flight` is the most duplicates that the kills allow."""

    accepted: int
    duplicates: int
    in_flight: int


def check(folder: Path, accepted: Iterable[int], kills: dict[int, float]) -> Report:
    """Check a history.

    Args:
        folder: where the logs are.
        accepted: numbers of the tasks whose push returned.
        kills: time (seconds since the epoch) of the kill -9 of each process id.

    Raises:
        HistoryError: a task was lost, ran unasked, or ran twice without having been in flight at a kill.
    """
    wanted = set(accepted)
    starts: Counter[int] = Counter()
    ends: set[int] = set()
    in_flight = 0
    for log in folder.glob("*.log"):
        running, recent = _read(log, starts, ends, kills.get(int(log.stem)))
        if int(log.stem) in kills:
            in_flight += len(running) + recent
    if lost := wanted - ends:
        raise HistoryError(f"{len(lost)} accepted tasks never ended, such as {sorted(lost)[:5]}")
    if unasked := set(starts) - wanted:
        raise HistoryError(f"{len(unasked)} tasks ran that nobody had pushed, such as {sorted(unasked)[:5]}")
    duplicates = sum(count - 1 for count in starts.values())
    if duplicates > in_flight:
        raise HistoryError(f"{duplicates} tasks ran twice, but only {in_flight} were in flight at {len(kills)} kills")
    return Report(len(wanted), duplicates, in_flight)


def _read(log: Path, starts: Counter[int], ends: set[int], killed: float | None) -> tuple[set[int], int]:
    running: set[int] = set()
    recent = 0
    for line in log.read_text().splitlines():
        event, number, when = line.split()
        if event == "start":
            starts[int(number)] += 1
            running.add(int(number))
        else:
            ends.add(int(number))
            running.discard(int(number))
            recent += killed is not None and float(when) >= killed - UNSETTLED
    return running, recent
