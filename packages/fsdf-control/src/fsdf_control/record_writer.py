"""Writes records in batches, in a thread of its own, whatever the store does."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from fsdf_core.backoff import Backoff
from fsdf_core.errors import StateUnavailable
from fsdf_core.success_rows import OWN, SuccessRows

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_core.record_row import Row
    from fsdf_core.records import Count, RecordStore

T = TypeVar("T")

EVERY = 0.5
"""Seconds between two batches that are not full."""
BATCH = 1000
_SUCCESSES = 4000
"""Successes that are written at a time, if so many wait; some more, as they come in lists."""
ROOM = 20_000
"""Records that wait to be written, at most."""
PATIENCE = 2.0
"""Seconds that consumption waits for room while the store works; after them records are lost instead."""
_PRUNE_EVERY = 60.0
_PRUNED_AT_ONCE = 1000
_COMPLAIN_EVERY = 30.0


class RecordWriter:
    """Owns the thread `fsdf-records-<queue>`.

    Args:
        name: the queue's name.
        store: where they go.
        running: returns records of what runs now, those that were not told yet.
        counts: takes the counts.
        shared: returns what all successes share that are written at a time; see `SuccessRows`.
        logger: is told when the store is lost, and when it is back.
    """

    def __init__(
        self,
        name: str,
        store: RecordStore,
        running: Callable[[], list[Row]],
        counts: Callable[[], list[Count]],
        shared: Callable[[float], tuple[Any, ...]],
        logger: logging.Logger,
    ) -> None:
        self._name = name
        self._store = store
        self._running = running
        self._counts = counts
        self._shared = shared
        self._logger = logger
        self._waiting: deque[Row] = deque()
        self._successes: deque[Sequence[Any]] = deque()
        self._come = 0
        """Successes that were put; written by the settler's thread only."""
        self._gone = 0
        """Successes that were taken; written by the writer's thread only."""
        self._change = threading.Condition()
        self._closing = False
        self._abandoned = threading.Event()
        self._stuck = False
        self._refusal = ""
        self._lost = 0
        self._complain_at = 0.0
        self._prune_at = time.monotonic() + random.uniform(1.0, _PRUNE_EVERY)  # noqa: S311 - no secret
        self._thread = threading.Thread(target=self._run, name=f"fsdf-records-{name}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, ended: Sequence[Row]) -> None:
        """Take over records of messages that ended. Waits a little if the store is slower than the tasks."""
        for some in _pieces(ended):
            room = self._room_for(len(some))
            self._waiting.extend(some[:room])
            self._lose(len(some) - room)
            self._wake()

    def put_successes(self, values: list[Any]) -> None:
        """As `put`, for `SuccessRows.values`."""
        for some in _pieces(values, len(OWN)):
            room = self._room_for(len(some) // len(OWN)) * len(OWN)
            taken = some if room >= len(some) else some[:room]
            self._successes.append(taken)
            self._come += len(taken) // len(OWN)
            self._lose((len(some) - len(taken)) // len(OWN))
            self._wake()

    def _held(self) -> int:
        return len(self._waiting) + self._come - self._gone

    def _wake(self) -> None:
        if self._held() >= BATCH:
            with self._change:
                self._change.notify_all()

    def close(self, timeout: float) -> None:
        """Write what is left, for at most `timeout` seconds."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._abandoned.set()
            self._thread.join(1.0)
        if lost := self._lost + self._held():
            self._logger.warning("%s: %d record(s) are lost", self._name, lost)

    def _room_for(self, wanted: int) -> int:
        """Wait until so many find room, or it makes no sense; return how many do, or more."""
        if (room := ROOM - self._held()) >= wanted:
            return room
        with self._change:
            self._change.notify_all()
            if not self._stuck and not self._closing:
                self._change.wait_for(lambda: ROOM - self._held() >= wanted or self._stuck, PATIENCE)
            room = max(0, ROOM - self._held())
            if room < wanted:
                self._stuck = True
            return room

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._change:
                self._change.wait_for(lambda: self._closing or self._held() >= BATCH, EVERY)
                closing = self._closing
            self._write_all()
            if not closing:
                self._prune()

    def _write_all(self) -> None:
        """Write what has come so far."""
        records = self._running()  # before the ends: an end replaces it, not the other way round
        counts = self._counts()
        while not self._abandoned.is_set():
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            records += batch
            successes = self._take_successes()
            if not records and not counts and not successes:
                return
            if not self._save(records, counts, successes):
                self._lose(len(batch) + (successes.number if successes else 0))
            records, counts = [], []
            with self._change:
                self._change.notify_all()

    def _take_successes(self) -> SuccessRows | None:
        values: list[Any] = []
        while self._successes and len(values) < _SUCCESSES * len(OWN):
            values += self._successes.popleft()
        self._gone += len(values) // len(OWN)
        return SuccessRows(self._shared(time.time()), values) if values else None

    def _save(self, records: list[Row], counts: list[Count], successes: SuccessRows | None) -> bool:
        backoff = Backoff(0.5, 10.0)
        said = False
        while not self._abandoned.is_set():
            try:
                self._store.write(records, counts, successes)
            except StateUnavailable as error:
                self._stuck = True
                if not said:
                    said = True
                    self._logger.warning("%s: records cannot be written now, tasks go on: %s", self._name, error)
                if self._abandoned.wait(backoff.next()):
                    return False
            except Exception as error:  # noqa: BLE001 - whatever a store raises, tasks and later records go on
                if (text := str(error)) != self._refusal:
                    self._refusal = text
                    self._logger.warning("%s: records cannot be written, tasks go on: %s", self._name, text)
                return False
            else:
                self._recover(said=said)
                return True
        return False

    def _recover(self, *, said: bool) -> None:
        back = said or bool(self._refusal)
        self._stuck, self._refusal = False, ""
        now = time.monotonic()
        with self._change:
            lost = self._lost
            if not back and (not lost or now < self._complain_at):
                return
            self._lost = 0
        if back:
            self._logger.warning("%s: records are written again; %d were lost", self._name, lost)
        else:
            self._complain_at = now + _COMPLAIN_EVERY
            self._logger.warning(
                "%s: %d record(s) are lost: the record store is slower than the tasks", self._name, lost
            )

    def _lose(self, number: int) -> None:
        if number > 0:
            with self._change:
                self._lost += number

    def _prune(self) -> None:
        """Delete a few records; more at the next turn if there are more."""
        now = time.monotonic()
        if now < self._prune_at:
            return
        more = False
        try:
            more = self._store.prune(time.time(), _PRUNED_AT_ONCE) >= _PRUNED_AT_ONCE
        except Exception as error:  # noqa: BLE001 - as above
            self._logger.warning("%s: old records cannot be deleted now: %s", self._name, error)
        if not more:
            self._prune_at = now + _PRUNE_EVERY


def _pieces(values: Sequence[T], width: int = 1) -> Iterator[Sequence[T]]:
    """Cut what would not find room at once into pieces that soon do.

    Args:
        values: of one row after the other.
        width: values in a row.
    """
    most = max(1, ROOM // 4) * width
    return (values[first : first + most] for first in range(0, len(values), most))
