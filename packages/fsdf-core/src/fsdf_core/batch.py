"""Micro-batches: the function receives a list of calls; everything else still happens per message."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.executor import Executor
from fsdf_core.host import Abandoned
from fsdf_core.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.control import Call


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


class _Members(Message):
    """Stands for a batch where controls wrap the call."""

    __slots__ = ("members",)

    def __init__(self, members: Sequence[Message]) -> None:
        first = members[0]
        super().__init__({}, first.extra, first.delivery)
        self.attempt = first.attempt
        self.members = members


class BatchExecutor(Executor):
    """Calls `function([arguments, …])`.

    One worker at a time gathers a batch; when it has gathered, it runs it and another one gathers. The function
    may return a list with one result for each call, exceptions among them; any other result counts for all. If
    it raises, each call of the batch has failed, and is tried again alone, so that one bad call fails alone.
    """

    def __init__(self, batch: Batch, *arguments: Any) -> None:
        self._batch = batch
        self._lock = threading.Lock()
        self._gathering = False
        self._more = threading.Event()
        self.feeder: threading.Thread | None = None
        """The thread that makes messages ready: if it gathers itself, waiting for more is in vain."""
        super().__init__(*arguments)

    def abandon(self, message: Message, error: BaseException) -> None:
        """Settle the calls of a batch that does not end."""
        self._pool.resize(self._pool.max_workers + 1)
        for member in message.members if isinstance(message, _Members) else (message,):
            self._decide_without_worker(member, error)

    def _innermost(self, function: Callable[..., Any]) -> Call:
        def call(message: Message) -> Any:
            if isinstance(message, _Members):
                return function([member.arguments for member in message.members])
            result = function([message.arguments])
            if isinstance(result, list) and len(result) == 1:
                result = result[0]
                if isinstance(result, BaseException):
                    raise result
            return result

        return call

    def _build(self) -> Callable[[], None]:
        def run_next() -> None:
            with self._lock:
                if self._gathering:
                    self._more.set()
                    return
                self._gathering = True
            try:
                members = self._gather()
            finally:
                with self._lock:
                    self._gathering = False
            if self._ready:
                # Their own calls came while this one gathered, and have returned.
                self._pool.execute_many(run_next, 1)
            if members:
                self._run(members)

        return run_next

    def _gather(self) -> list[Message]:
        members: list[Message] = []
        patience = 0.0 if threading.current_thread() is self.feeder else self._batch.wait
        deadline = time.monotonic() + patience
        while len(members) < self._batch.size:
            self._more.clear()
            try:
                members.append(self._ready.popleft())
            except IndexError:
                left = deadline - time.monotonic()
                if not members or left <= 0 or self._stopping.is_set():
                    break
                self._more.wait(min(left, 0.1))
        return members

    def _run(self, members: list[Message]) -> None:
        whole = _Members(members)
        current_message.set(whole)
        try:
            results = self._call(whole)
        except Abandoned as error:
            self._recover(whole, error)
            return
        except BaseException as error:  # noqa: BLE001 - a task may raise anything, its worker goes on
            results = [error] * len(members)
        if not isinstance(results, list) or len(results) != len(members):
            results = [results] * len(members)
        for member, result in zip(members, results, strict=True):
            current_message.set(member)
            if isinstance(result, BaseException):
                self._recover(member, result)
            else:
                self._succeeded(member, result)
                self._settle(member)
