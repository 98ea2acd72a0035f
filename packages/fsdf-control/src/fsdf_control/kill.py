"""End one task, waiting or running, from any process."""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
from typing import TYPE_CHECKING, Any

from fsdf_control.delay import shown
from fsdf_control.interruption import Interruption, Terms
from fsdf_control.watchdog import Watchdog
from fsdf_core.batch import BatchMessage, members_of
from fsdf_core.control import Control
from fsdf_core.errors import TaskKilled
from fsdf_core.verdict import Drop, Fail, Retry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.state import StateStore
    from fsdf_core.verdict import Admission, Recovery

DAY = 86400.0

_LONGEST_ID = 128
"""Bytes of a task id that stand in a key as they are; longer ones, of foreign producers, are digested."""


def kill(store: StateStore, queue_name: str, task_id: str, ttl: float = DAY) -> None:
    """End a task of the queue, in whichever consumer with the `RemoteKill` control has it.

    A running one is stopped and fails with `TaskKilled`; one that waits is dropped when it is delivered, within
    `ttl`. So is a new one with the same id. A task that has ended already is not changed.

    Args:
        store: the one that the consumers' controls have.
        queue_name: where the task was published.
        task_id: whose.
        ttl: seconds that the mark is kept; default one day.

    Raises:
        ValueError: `ttl` is not above 0.
        StateError: the store cannot be reached.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> kill(MemoryStateStore(), "sums", "0198b2c4-5d2e")
    """
    if not 0 < ttl < math.inf:
        raise ValueError(f"ttl must be above 0 and finite, not {ttl}")
    store.set({_mark(queue_name, task_id): b"1"}, ttl)
    # Last, and kept for ever: consumers look for marks when it has changed.
    store.set({_latest(queue_name): secrets.token_bytes(8)})


class RemoteKill(Control):
    """Ends the tasks that `kill` names: waiting ones are dropped, running ones stopped within a second.

    How a running one is stopped, and what becomes of one that will not stop, is told at `Timeout`. A killed task
    has failed, with `TaskKilled`, and is not tried again: the control must stand before `Retry`. A task that waits
    for its next attempt does not get it. Of a micro-batch with a killed task, the others run again, alone.

    While the store is away tasks run unchecked, and a warning says so once; what is killed meanwhile ends when the
    store is back.

    Args:
        store: shared with the processes that kill.
        grace: seconds that a running task has to end; default 1.

    Raises:
        ValueError: `grace` is negative or not finite.

    Example:
        >>> from fsdf_core.message import Message
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> store = MemoryStateStore()
        >>> rule = RemoteKill(store)
        >>> kill(store, "sums", "a")
        >>> messages = [Message({}, {"task_id": task_id}) for task_id in "ab"]
        >>> for message in messages:
        ...     message.queue_name = "sums"
        >>> rule.admit_many(messages)
        [Drop(reason='killed'), None]
    """

    wants_outcomes = False

    def __init__(self, store: StateStore, grace: float = 1.0) -> None:
        if not 0 <= grace < math.inf:
            raise ValueError(f"grace must not be negative, it is {grace}")
        self._store = store
        self._grace = grace
        self._watchdog: Watchdog | None = None
        self._logger = logging.getLogger("fsdf.control")
        self._queue_name = ""
        self._here: set[Message] = set()
        self._killed: set[Message] = set()
        self._seen: bytes | None = None
        self._unchecked = True
        self._away = False

    def start(self, host: Host) -> None:
        """Watch from now on."""
        self._logger = host.logger
        self._queue_name = host.queue.name
        self._here.clear()
        self._killed.clear()
        self._unchecked = True
        self._watchdog = Watchdog(Terms(host, self._grace, _killed_error))

    def stop(self) -> None:
        """End the watchdog; tasks that still run are left alone."""
        if self._watchdog is not None:
            self._watchdog.stop()

    def admit_many(self, messages: Sequence[Message]) -> Sequence[Admission | None]:
        """Drop those that are killed; one read for all."""
        # Before the read: a kill after it is the next tick's, which must know them.
        self._here.update(messages)
        try:
            marks = self._store.get([_mark(message.queue_name, message.task_id) for message in messages])
        except Exception as error:  # noqa: BLE001 - a store that is away must not stop the queue
            self._unchecked = True
            if not self._away:
                self._away = True
                self._logger.warning(
                    "cannot look which tasks are killed, running them: %s: %s", type(error).__name__, error
                )
            return [None] * len(messages)
        if self._away:
            self._away = False
            self._logger.info("killed tasks are known again")
        if not any(marks):
            return [None] * len(messages)
        dropped = [message.task_id for message, mark in zip(messages, marks, strict=True) if mark is not None]
        self._logger.info("dropped %d killed task(s): %s", len(dropped), shown(dropped))
        return [None if mark is None else Drop("killed") for mark in marks]

    def on_settle(self, messages: Sequence[Message]) -> None:
        """Forget what leaves."""
        self._here.difference_update(messages)
        if self._killed:
            self._killed.difference_update(messages)

    def tick(self, now: float) -> None:  # noqa: ARG002 - looks each time
        """Look whether something was killed, and end it if it is here."""
        self._killed.intersection_update(self._here)
        latest = self._store.get([_latest(self._queue_name)])[0]
        if latest == self._seen and not self._unchecked:
            return
        self._unchecked = False
        try:
            if here := list(self._here):
                self._end(here)
        except BaseException:
            self._unchecked = True
            raise
        self._seen = latest

    def around(self, call: Call) -> Call:
        """Make each call one that can be ended."""

        def killable(message: Message) -> Any:
            watchdog = self._watchdog
            if watchdog is None:
                return call(message)
            running = Interruption(message, math.inf, 0, watchdog.terms)
            try:
                watchdog.watch(running)
                self._refuse_killed(message)
                return running.run(call)
            finally:
                watchdog.forget(running)

        return killable

    def around_async(self, call: AsyncCall) -> AsyncCall:
        """Make each call one that can be ended."""
        # Only here, because asyncio is slow to import.
        from fsdf_control.cancellation import Cancellation  # noqa: PLC0415

        async def killable(message: Message) -> Any:
            watchdog = self._watchdog
            if watchdog is None:
                return await call(message)
            running = Cancellation(message, math.inf, 0, watchdog.terms)
            try:
                watchdog.watch(running)
                self._refuse_killed(message)
                return await running.run_async(call)
            finally:
                watchdog.forget(running)

        return killable

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:  # noqa: ARG002
        """No other attempt for what is killed."""
        if not isinstance(error, TaskKilled):
            return None
        if isinstance(error, _BatchKilled) and message not in self._killed:
            return Retry()
        return Fail()

    def _end(self, messages: Sequence[Message]) -> None:
        """Look up the marks of the messages and end the killed ones."""
        marks = self._store.get([_mark(message.queue_name, message.task_id) for message in messages])
        fresh = {message for message, mark in zip(messages, marks, strict=True) if mark is not None} - self._killed
        if not fresh:
            return
        # Before the look at what runs: a call that begins meanwhile looks here.
        self._killed |= fresh
        self._logger.info("killing %d task(s): %s", len(fresh), shown([message.task_id for message in fresh]))
        if self._watchdog is not None:
            for running in self._watchdog.running():
                if not fresh.isdisjoint(members_of(running.message)):
                    self._watchdog.interrupt(running)

    def _refuse_killed(self, message: Message) -> None:
        if self._killed and not self._killed.isdisjoint(members_of(message)):
            raise _error_for(message)


class _BatchKilled(TaskKilled):
    """Ended a call that was made for other tasks, too."""


def _killed_error(call: Interruption) -> TaskKilled:
    return _error_for(call.message)


def _error_for(message: Message) -> TaskKilled:
    if isinstance(message, BatchMessage):
        return _BatchKilled("a task of the batch was killed")
    return TaskKilled("killed")


def _latest(queue_name: str) -> str:
    return f"fsdf:kill:{queue_name}"


def _mark(queue_name: str, task_id: str) -> str:
    encoded = task_id.encode("utf-8", "surrogatepass")
    if len(encoded) > _LONGEST_ID:
        task_id = f"sha256-{hashlib.sha256(encoded).hexdigest()}"
    return f"fsdf:kill:{queue_name}:{task_id}"
