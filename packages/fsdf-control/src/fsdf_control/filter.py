"""Run equal tasks once."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from fsdf_control.delay import shown
from fsdf_control.equal_tasks import digest
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import Control
from fsdf_core.errors import StateError
from fsdf_core.verdict import Delay, Drop

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_control.equal_tasks import Key
    from fsdf_core.clock import Clock
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore
    from fsdf_core.verdict import Admission

OVERRIDE = "do_task_filtering"
"""Key of `extra`: True or False goes before the control's `enabled`."""

_SHORTEST, _LONGEST = 0.2, 2.0
"""Seconds until an equal task that runs is looked at again: a tenth of the wait so far, within these."""


class Filter(Control):
    """Drops a task if an equal one has succeeded; only successes count.

    Of two equal tasks in flight the second is put back until the first ends; then it is dropped if that succeeded,
    and runs if it failed. A task holds its place by a mark in the store that its consumer renews; after a crash
    the mark falls within `hold` seconds, and the task runs again.

    Equal are tasks with the same `extra["filter_str"]`, else the same key, else the same arguments.

    Args:
        store: shared by all consumers of the queue.
        ttl: seconds that a success counts; None (default) or 0: for ever.
        key: returns the text that stands for a message; default: its arguments.
        enabled: filter messages that say nothing about it; default True. A message's `extra["do_task_filtering"]`
            goes first. Messages that are not filtered cost no access to the store.
        hold: seconds after which the mark of a dead consumer falls; default 10.
        clock: the time; default: the consumer's clock.
        name: tells several filters of one queue and store apart; default "".

    Raises:
        ValueError: `ttl` is negative, or `hold` is not above 0.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> rule = Filter(MemoryStateStore())
        >>> first, second = (Message({"x": 1}, {"task_id": name}) for name in "ab")
        >>> rule.admit_many([first, second])
        [None, Delay(seconds=0.2)]
    """

    wants_outcomes = False  # a failure always has one

    def __init__(
        self,
        store: StateStore,
        ttl: float | None = None,
        *,
        key: Key | None = None,
        enabled: bool = True,
        hold: float = 10.0,
        clock: Clock | None = None,
        name: str = "",
    ) -> None:
        if (ttl is not None and not ttl >= 0) or not hold > 0:
            raise ValueError(f"a filter needs ttl >= 0 (0 is for ever) and hold > 0, not {ttl} and {hold}")
        self.retryable_errors = (*store.retryable_errors, StateError)
        self._store = store
        self._ttl = ttl or None
        self._key = key
        self._enabled = enabled
        self._hold = hold
        self._given_clock = clock
        self._clock = clock or SYSTEM_CLOCK
        self._logger = logging.getLogger("fsdf.control")
        self._name = name
        self._generation = generation_key("", name)
        self._running = b"run"
        self._renewed = 0.0
        self._lock = threading.Lock()
        self._held: dict[Message, tuple[str, bytes]] = {}
        self._blocked: dict[str, tuple[float, float]] = {}

    def start(self, host: Host) -> None:
        """Mark tasks as this consumer's from now on."""
        self._clock = self._given_clock or host.clock
        self._logger = host.logger
        self._generation = generation_key(host.queue.name, self._name)
        self._running = f"run {host.consumer_id}".encode()
        self._renewed = self._clock.monotonic()

    def stop(self) -> None:
        """Leave the marks of tasks that still run alone: they fall by themselves."""
        with self._lock:
            self._held.clear()
            self._blocked.clear()

    def tick(self, now: float) -> None:
        """Renew the marks of what runs; forget whom nobody asks for any more."""
        if now - self._renewed < self._hold / 4:
            return
        with self._lock:
            marks = dict.fromkeys((key for key, _ in self._held.values()), self._running)
            self._blocked = {
                key: times for key, times in self._blocked.items() if times[1] > self._clock.monotonic() - 60
            }
        if marks:
            self._store.touch(marks, self._hold)
        self._renewed = now

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Take a place for each task that has no equal, in one read and one write for all."""
        answers: list[Admission | None] = [None] * len(messages)
        keys = {
            place: f"{self._generation}:{digest(message, self._key)}"
            for place, message in enumerate(messages)
            if self._concerns(message)
        }
        if not keys:
            return answers
        unique = list(dict.fromkeys(keys.values()))
        generation, *found = self._store.get([self._generation, *unique])
        done = b"done %d" % int(generation or b"0")
        values = dict(zip(unique, found, strict=True))
        free = self._take(values, done)
        filtered: list[str] = []
        for place, key in keys.items():
            message = messages[place]
            if key in free:
                free.discard(key)
                with self._lock:
                    self._held[message] = (key, done)
                    self._blocked.pop(key, None)
            elif values[key] == done:
                answers[place] = Drop("filtered")
                filtered.append(message.task_id)
            else:
                answers[place] = Delay(self._patience(key))
        if filtered:
            self._logger.info("filtered %d task(s), their equals have succeeded: %s", len(filtered), shown(filtered))
        return answers

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Write what succeeded, give up what did not."""
        with self._lock:
            left = {message: self._held[message] for message in messages if message in self._held}
        if not left:
            return
        try:
            self._store_outcomes(left)
        except self.retryable_errors:
            raise
        except BaseException:
            self._forget(left)
            raise
        self._forget(left)

    def _concerns(self, message: Message) -> bool:
        wanted = message.extra.get(OVERRIDE)
        return wanted if isinstance(wanted, bool) else self._enabled

    def _take(self, values: dict[str, bytes | None], done: bytes) -> set[str]:
        """Mark the tasks that may run as running; return their keys."""
        absent = {key: self._running for key, value in values.items() if value is None}
        taken: set[str] = set(self._store.add(absent, self._hold)) if absent else set()
        for key, value in values.items():
            # What counted before the filter was cleared.
            if (
                value is not None
                and value.startswith(b"done")
                and value != done
                and self._store.replace(key, value, self._running, self._hold)
            ):
                taken.add(key)
        return taken

    def _patience(self, key: str) -> float:
        now = self._clock.monotonic()
        with self._lock:
            since, _ = self._blocked.get(key, (now, now))
            self._blocked[key] = (since, now)
        return min(_LONGEST, max(_SHORTEST, (now - since) / 10))

    def _store_outcomes(self, left: dict[Message, tuple[str, bytes]]) -> None:
        done: dict[str, bytes] = {}
        open_: dict[str, bytes] = {}
        for message, (key, mark) in left.items():
            if message.settlement is None and (message.outcome is None or message.outcome.success):
                done[key] = mark
            else:
                open_[key] = self._running
        if done:
            self._store.set(done, self._ttl)
        # Renewed first: what is still this consumer's cannot become another's before it is deleted.
        if open_ and (mine := self._store.touch(open_, self._hold)):
            self._store.delete(list(mine))

    def _forget(self, messages: Iterable[Message]) -> None:
        with self._lock:
            for message in messages:
                self._held.pop(message, None)


def generation_key(queue_name: str, name: str = "") -> str:
    """Return the key that counts how often the queue's filter of that name was cleared."""
    return f"fsdf:filter:{queue_name}:{name}" if name else f"fsdf:filter:{queue_name}"


def clear_filter(store: StateStore, queue_name: str, name: str = "") -> None:
    """Forget which tasks of the queue have succeeded, for all consumers, from now on.

    Args:
        store: the filter's.
        queue_name: the queue.
        name: the filter's, if it has one.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> clear_filter(MemoryStateStore(), "sums")
    """
    store.increment(generation_key(queue_name, name))
