"""Tasks of an event loop that run the coroutines of a pool, with as few tasks as will do."""

from __future__ import annotations

from asyncio import CancelledError, current_task
from collections import deque
from contextvars import Context
from time import monotonic
from types import CoroutineType, GeneratorType, coroutine
from typing import TYPE_CHECKING, Any

from fsdf_pools.log import log_failure
from fsdf_pools.runner_task import RunnerTask

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Generator

    Call = Callable[[], Awaitable[object] | None]

_DIRECT = frozenset({CoroutineType, GeneratorType})
"""Types of what can be awaited and has no `__await__`, or need not be asked for it."""

_MOST_AT_ONCE = 100
"""Most tasks begun before others on the loop have their turn."""

_TURN = 0.001
"""Seconds after which a task lets others on the loop have their turn."""


class CoroutineRunners:
    """Runs calls in tasks; everything here happens in the loop's thread, but `ended` may be read anywhere.

    A call returns what is to be awaited, or None if it has ended already. Its task runs the next call then, if that
    cannot tell it from a new one (`RunnerTask`). On a loop with a task factory each call has a task of its own.

    Args:
        loop: called for the loop.
        limit: most calls at a time.
        left: called whenever a task ends.

    Attributes:
        ended: how many calls have ended.
        running: the tasks.
        as_new: whether the running task is as it was when its call began; for that call, which reads this attribute
            when it begins.
    """

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop], limit: int, left: Callable[[], None]) -> None:
        self.limit = limit
        self.ended = 0
        self.running: set[asyncio.Task[None]] = set()
        self.as_new: Callable[[], bool] = _never
        self._loop = loop
        self._left = left
        self._queued: deque[Call] = deque()
        self._coming: set[asyncio.Task[None]] = set()
        """Tasks that will look at the queue without being woken: they have not begun, or let others have a turn."""
        self._hire = 1
        """How many tasks to begin when none is coming; doubled when they were too few, halved when too many."""
        self._looking = False

    def take_in(self, call: Call, count: int) -> None:
        """Run `call()` `count` times."""
        self._queued.extend([call] * count)
        self.fill()

    def fill(self) -> None:
        """Begin as many tasks as seem right, and look again with the loop's next turn if that may not be enough."""
        self._forget_ended()
        queued = self._queued
        room = self.limit - len(self.running)
        if not queued or room < 1:
            return
        loop = self._loop()
        if not self._coming:
            for _ in range(min(self._hire, len(queued), room)):
                self._begin(loop)
        if not self._looking:
            self._looking = True
            loop.call_soon(self._look)

    def cancel_all(self) -> None:
        """Drop what has not begun, cancel what runs."""
        self.ended += len(self._queued)
        self._queued.clear()
        for task in self.running:
            task.cancel()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        # Whose context is the current one is chance: that of a call before, or of whoever handed a call over.
        context, begun = Context(), list[None]()
        task: asyncio.Task[None]
        if loop.get_task_factory() is None:
            task = context.run(RunnerTask, self._run(begun), loop=loop)
        else:
            task = context.run(loop.create_task, self._run(begun))
        if not task.done():
            self.running.add(task)
            if not begun:  # a task factory may begin it at once
                self._coming.add(task)

    def _forget_ended(self) -> None:
        """Forget tasks that somebody has cancelled before they began."""
        for task in [task for task in self._coming if task.done()]:
            self._coming.discard(task)
            self.running.discard(task)

    def _look(self) -> None:
        self._looking = False
        if self._queued and not self._coming:
            self._hire = min(self._hire * 2, _MOST_AT_ONCE)
        self.fill()

    async def _run(self, begun: list[None]) -> None:
        begun.append(None)
        task = current_task()
        assert task is not None  # noqa: S101 - this is one's coroutine
        self._coming.discard(task)
        try:
            if self._queued:
                await self._run_calls(task)
            else:
                self._hire = max(1, self._hire // 2)
        except GeneratorExit:
            self.running.discard(task)  # with its loop, which begins no other
            raise
        except BaseException:
            self._leave(task)
            raise
        self._leave(task)

    def _leave(self, task: asyncio.Task[None]) -> None:
        self.running.discard(task)
        self._coming.discard(task)
        self.fill()
        self._left()

    @coroutine
    def _run_calls(self, task: asyncio.Task[None]) -> Generator[Any, Any, None]:
        take = self._queued.popleft
        as_new = _never
        if isinstance(task, RunnerTask):
            mark, as_new = task.mark, task.as_new
            mark()  # called as the other one is: on Python 3.10 `task.mark()` would count a reference more
        ends = monotonic() + _TURN
        while True:
            try:
                call = take()
            except IndexError:
                return
            self.as_new = as_new
            try:
                rest: Any = call()
                if rest is not None:
                    yield from rest if type(rest) in _DIRECT else rest.__await__()
                    del rest
            except (CancelledError, GeneratorExit):
                raise
            except BaseException:  # noqa: BLE001 - not even SystemExit may end the loop
                log_failure(call)
                return
            finally:
                self.ended += 1
            if not as_new() or len(self.running) > self.limit:
                return
            if monotonic() >= ends:
                self._coming.add(task)
                yield
                self._coming.discard(task)
                ends = monotonic() + _TURN


def _never() -> bool:
    """Say of a task of which nothing is known that it is not as new."""
    return False
