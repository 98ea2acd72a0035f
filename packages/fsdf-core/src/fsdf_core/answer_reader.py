"""Waiting for the answers of tasks: one thread a state store, however many wait."""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import os
import threading
import time
import weakref
from typing import TYPE_CHECKING

from fsdf_core.answer import answer_key, decode_answer
from fsdf_core.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from fsdf_core.answer import Answer
    from fsdf_core.state import StateStore
    from fsdf_core.watch import Watch

    Told = Callable[[str, Answer | None], None]
    """Takes a task's id and its answer, None if there was none in time."""

_AT_ONCE = 1000
"""Keys in one read."""
_LINGER = 5.0
"""Seconds that the thread stays when nobody waits."""
_POLL = 0.002, 0.1
"""Seconds between two looks into a store that wakes nobody: a tenth of the wait so far, within these."""
_SAFETY = 1.0, 5.0
"""The same for a store that wakes, in case it cannot."""
_AWAY = 0.5
"""Seconds between two looks into a store that is away."""

_logger = logging.getLogger("fsdf.results")


class Expectation:
    """Some tasks whose answers are waited for.

    Attributes:
        waiting: those that have none yet.
    """

    def __init__(self, task_ids: Iterable[str], told: Told) -> None:
        self.waiting = set(task_ids)
        self.told = told


class AnswerReader:
    """Reads and waits for answers in one state store. Thread-safe.

    Args:
        store: where workers put the answers.

    Attributes:
        trouble: why the store could not be asked the last time; None if it could.
        retryable_errors: of the store.
    """

    def __init__(self, store: StateStore) -> None:
        self.trouble: Exception | None = None
        self.retryable_errors = store.retryable_errors
        self._store = store
        self._lock = threading.Lock()
        self._expected: dict[str, set[Expectation]] = {}
        self._ids: dict[str, str] = {}
        self._deadlines: list[tuple[float, int, Expectation]] = []
        self._numbers = itertools.count()
        self._watch: Watch | None = None
        self._since = 0.0

    def read(self, task_ids: Sequence[str]) -> dict[str, Answer]:
        """Return the answers that are there, in one look.

        Raises:
            StateError: the store cannot be asked.
            ConfigurationError: nor will it ever.
        """
        found: dict[str, Answer] = {}
        for start in range(0, len(task_ids), _AT_ONCE):
            some = task_ids[start : start + _AT_ONCE]
            for task_id, value in zip(some, self._store.get([answer_key(each) for each in some]), strict=True):
                if value is not None:
                    found[task_id] = decode_answer(value)
        return found

    def expect(self, task_ids: Iterable[str], told: Told, timeout: float = math.inf) -> Expectation:
        """Call `told` once for each task, in the reader's thread, so quickly.

        Args:
            task_ids: the tasks.
            told: gets the answers; after `timeout` None for each task without one.
            timeout: seconds.
        """
        expectation = Expectation(task_ids, told)
        keys = {answer_key(each): each for each in expectation.waiting}
        with self._lock:
            self._ids.update(keys)
            for task_id in expectation.waiting:
                self._expected.setdefault(task_id, set()).add(expectation)
            if timeout < math.inf:
                self._note_deadline(time.monotonic() + timeout, expectation)
            self._since = time.monotonic()
            if self._watch is None:
                watch = self._open_watch()
                threading.Thread(target=self._run, args=(watch,), name="fsdf-results", daemon=True).start()
                self._watch = watch
            self._watch.add(*keys)
            self._watch.hear(keys)  # look at them: they may be there already
        return expectation

    def forget(self, expectation: Expectation) -> None:
        """Wait for these no longer."""
        with self._lock:
            self._forget(expectation, list(expectation.waiting))

    def _note_deadline(self, deadline: float, expectation: Expectation) -> None:
        if len(self._deadlines) > 2 * len(self._expected) + _AT_ONCE:
            self._deadlines = [each for each in self._deadlines if each[2].waiting]
            heapq.heapify(self._deadlines)
        heapq.heappush(self._deadlines, (deadline, next(self._numbers), expectation))

    def _forget(self, expectation: Expectation, task_ids: Iterable[str]) -> None:
        gone = []
        for task_id in task_ids:
            expectation.waiting.discard(task_id)
            others = self._expected.get(task_id)
            if others is not None:
                others.discard(expectation)
                if not others:
                    del self._expected[task_id]
                    gone.append(answer_key(task_id))
                    del self._ids[gone[-1]]
        if gone and self._watch is not None:
            self._watch.remove(*gone)

    def _open_watch(self) -> Watch:
        # Who polls looks at the answers themselves, and workers need not notify.
        return self._store.watch() if self._store.wakes else Watches().open(())

    def _run(self, watch: Watch) -> None:
        idle_since: float | None = None
        while True:
            with self._lock:
                now = time.monotonic()
                idle_since = None if self._expected else idle_since or now
                if idle_since is not None and now - idle_since >= _LINGER:
                    self._watch = None
                    watch.close()
                    return
                if watch.ended:  # the store was closed, and may be used again
                    watch = self._watch = self._open_watch()
                    watch.add(*self._ids)
            heard = watch.wait(self._pause())
            self._look(heard)
            self._expire()

    def _pause(self) -> float:
        now = time.monotonic()
        with self._lock:
            if not self._expected:
                return _LINGER
            if self.trouble is not None:
                pause = _AWAY
            else:
                shortest, longest = _SAFETY if self._store.wakes else _POLL
                pause = min(max(shortest, (now - self._since) / 10), longest)
            first = self._deadlines[0][0] if self._deadlines else math.inf
            return max(0.0, min(pause, first - now))

    def _look(self, heard: set[str]) -> None:
        """Look at what was heard of; at all if nothing was."""
        with self._lock:
            wanted = [self._ids[key] for key in heard if key in self._ids] if heard else list(self._expected)
        if not wanted:
            return
        try:
            found = self.read(wanted)
        except Exception as error:  # noqa: BLE001 - whoever waits is told when the wait is over
            self.trouble = error
            return
        self.trouble = None
        told: list[tuple[Told, str, Answer]] = []
        with self._lock:
            for task_id, answer in found.items():
                for expectation in tuple(self._expected.get(task_id, ())):
                    self._forget(expectation, (task_id,))
                    told.append((expectation.told, task_id, answer))
        for tell, task_id, answer in told:
            _call(tell, task_id, answer)

    def _expire(self) -> None:
        now = time.monotonic()
        late: list[tuple[Expectation, str]] = []
        with self._lock:
            while self._deadlines and (self._deadlines[0][0] <= now or not self._deadlines[0][2].waiting):
                expectation = heapq.heappop(self._deadlines)[2]
                late += [(expectation, task_id) for task_id in expectation.waiting]
                self._forget(expectation, list(expectation.waiting))
        for expectation, task_id in late:
            _call(expectation.told, task_id, None)


def _call(told: Told, task_id: str, answer: Answer | None) -> None:
    try:
        told(task_id, answer)
    except Exception:
        _logger.exception("task %s: who waited for its result could not be told", task_id)


def reader_of(store: StateStore) -> AnswerReader:
    """Return the process's one reader of a store."""
    with _lock:
        reader = _readers.get(store)
        if reader is None:
            reader = _readers[store] = AnswerReader(store)
        return reader


_lock = threading.Lock()
_readers: weakref.WeakKeyDictionary[StateStore, AnswerReader] = weakref.WeakKeyDictionary()


def _forget_after_fork() -> None:
    """The parent's threads are not the child's."""
    global _lock, _readers  # noqa: PLW0603 - the lock may have been held
    _lock = threading.Lock()
    _readers = weakref.WeakKeyDictionary()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
