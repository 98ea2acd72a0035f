"""Micro-batches: the function receives a list of calls; everything else still happens per message."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.executor import Executor
from fsdf_core.host import Abandoned
from fsdf_core.message import Message
from fsdf_core.noting import noting_members, noting_members_async
from fsdf_core.ready import opened

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from fsdf_core.control import AsyncCall, Call


_LOOK_EVERY = 0.1
"""Seconds between two looks of a gathering worker at what has come, and at whether the consumer stops."""


@dataclass(frozen=True)
class Batch:
    """How calls are gathered.

    Attributes:
        size: most calls in one list, at least 1; default 100.
        wait: seconds that the first call waits for others; default 5.

    Raises:
        ValueError: a number is out of range.
    """

    size: int = 100
    wait: float = 5.0

    def __post_init__(self) -> None:
        if self.size < 1 or self.wait < 0:
            raise ValueError(f"a batch needs size >= 1 and wait >= 0, not {self.size} and {self.wait}")


class BatchMessage(Message):
    """Stands for a batch where controls wrap the call; has the control data of its first member.

    Attributes:
        members: the messages whose arguments the function gets.
    """

    __slots__ = ("members",)

    def __init__(self, members: Sequence[Message]) -> None:
        first = members[0]
        super().__init__({}, first.extra, first.delivery)
        self.attempt = first.attempt
        self.members = members


def members_of(message: Message) -> Sequence[Message]:
    """Return the messages that a call stands for: those of a batch, or the message itself."""
    return message.members if isinstance(message, BatchMessage) else (message,)


def result_alone(result: Any) -> Any:
    """Return the result of a call that was alone in its list.

    Raises:
        BaseException: the result was one.
    """
    if isinstance(result, list) and len(result) == 1:
        result = result[0]
        if isinstance(result, BaseException):
            raise result
    return result


class BatchExecutor(Executor):
    """Calls `function([arguments, …])`.

    One worker at a time gathers a batch; when it has gathered, it runs it and another one gathers. The function
    may return a list with one result for each call, exceptions among them; any other result counts for all. If
    it raises, each call of the batch has failed; those that are tried again are so alone, in any worker, so that
    one bad call fails alone.
    """

    def __init__(self, batch: Batch, *arguments: Any) -> None:
        self._batch = batch
        self._lock = threading.Lock()
        self._gathered: list[Message] | None = None
        self._called = False
        self._more = threading.Event()
        self._failures: deque[tuple[Message, BaseException]] = deque()
        super().__init__(*arguments)

    def wanted(self) -> int:
        """Return how many messages the worker that gathers can still take, beyond what free workers can."""
        gathered = self._gathered
        return 0 if gathered is None else max(0, self._batch.size - len(gathered))

    def _decide_without_worker(self, message: Message, error: BaseException) -> None:
        for member in members_of(message):
            super()._decide_without_worker(member, error)

    def _innermost(self) -> Call:
        function = self._function

        def call(message: Message) -> Any:
            if isinstance(message, BatchMessage):
                return function([member.arguments.copy() for member in message.members])
            return result_alone(function([message.arguments.copy()]))

        return call

    def _innermost_async(self) -> AsyncCall:
        function = self._function

        async def call(message: Message) -> Any:
            if isinstance(message, BatchMessage):
                return await function([member.arguments.copy() for member in message.members])
            return result_alone(await function([message.arguments.copy()]))

        return call

    def _noting(self, call: Any, *, waits: bool) -> Any:
        return (noting_members_async if waits else noting_members)(call, self._running, members_of)

    def begin(self, count: int) -> None:  # noqa: ARG002 - one gathers for all
        """Let a worker gather, unless one does."""
        self._more.set()
        with self._lock:
            if self._gathered is not None or self._called:
                return
            self._called = True
        self._pool.execute_many(self.run_next, 1)

    def _build(self) -> Callable[[], None]:
        return self._gather_and_run

    def _gather_and_run(self) -> None:
        # If the thread that brings messages gathers itself, waiting for more is in vain.
        feeding = threading.current_thread() is self.feeder
        while True:
            members = self._open()
            for pause in self._gather(members, 0.0 if feeding else self._batch.wait, self._more):
                self._more.wait(pause)
            more = self._close()
            if more and not feeding:
                self._pool.execute_many(self.run_next, 1)
            if members:
                self._run(members)
            if not (more and feeding):
                return

    def _open(self) -> list[Message]:
        """Begin to gather; return the list to fill."""
        members: list[Message] = []
        with self._lock:
            self._called = False
            self._gathered = members
        return members

    def _close(self) -> bool:
        """End the gathering; return whether another worker must gather what is ready now."""
        with self._lock:
            self._gathered = None
            self._called = more = bool(self._ready)
        return more

    def _gather(
        self, members: list[Message], patience: float, more: threading.Event | asyncio.Event
    ) -> Iterator[float]:
        """Take what is ready; as long as more may come, yield the seconds to wait for `more`."""
        deadline = time.monotonic() + patience
        while len(members) < self._batch.size:
            more.clear()
            try:
                members.append(opened(self._ready.popleft()))
            except IndexError:
                left = deadline - time.monotonic()
                if not members or left <= 0 or self._stopping.is_set():
                    return
                yield min(left, _LOOK_EVERY)

    def _run(self, members: list[Message]) -> None:
        whole = BatchMessage(members)
        self._enter(whole)
        try:
            results = self._call(whole)
        except Abandoned as error:
            self._recover(whole, error)
            return
        except BaseException as error:  # noqa: BLE001 - a task may raise anything, its worker goes on
            results = [error] * len(members)
        self._distribute(members, results)

    def _distribute(self, members: Sequence[Message], results: Any) -> None:
        """Give each call of a batch its own outcome."""
        if not isinstance(results, list) or len(results) != len(members):
            results = [results] * len(members)
        failures = 0
        for member, result in zip(members, results, strict=True):
            if isinstance(result, BaseException):
                self._failures.append((member, result))
                failures += 1
            else:
                self._enter(member)
                self._succeeded(member, result)
                self._settle(member)
        if failures:
            # In calls of their own: one that waits for its next attempt, or hangs, holds no other back.
            self._pool.execute_many(self._recover_next, failures)

    def _enter(self, message: Message) -> None:
        """Say what runs here now."""
        current_message.thread.message = message

    def _recover_next(self) -> Any:
        member, error = self._failures.popleft()
        self._enter(member)
        self._recover(member, error)
