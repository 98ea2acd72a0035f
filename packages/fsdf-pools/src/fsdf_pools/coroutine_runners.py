"""Tasks of an event loop that run the coroutines of a pool, with as few tasks as will do."""

from __future__ import annotations

import sys
from asyncio import CancelledError, current_task
from collections import deque
from contextvars import Context, copy_context
from time import monotonic
from types import coroutine
from typing import TYPE_CHECKING, Any

from fsdf_pools.log import log_failure

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Generator

    Call = Callable[[], Awaitable[object] | None]

_MOST_AT_ONCE = 100
"""Most tasks begun before others on the loop have their turn."""

_IN_A_ROW = 8
"""Calls that a task runs before it looks at the time."""

_TURN = 0.001
"""Seconds after which it lets others on the loop have their turn."""

_references: Callable[[object], int] | None = getattr(sys, "getrefcount", None)


class CoroutineRunners:
    """Runs calls in tasks; everything here happens in the loop's thread, but `ended` may be read anywhere.

    A call returns what is to be awaited, which then has the task for itself; or None, if that has ended already
    without having waited once. After None the task runs the next call, since a task costs a loop ten times what such
    a call does. No call can tell: nothing else ran in between, and one that has left anything behind, in its context
    or with its task, is that task's last.

    Args:
        loop: called for the loop.
        limit: most calls at a time.
        left: called whenever a task ends.

    Attributes:
        ended: how many calls have ended.
        running: the tasks.
    """

    def __init__(self, loop: Callable[[], asyncio.AbstractEventLoop], limit: int, left: Callable[[], None]) -> None:
        self.limit = limit
        self.ended = 0
        self.running: set[asyncio.Task[None]] = set()
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
        begun: list[None] = []
        # Whose context is the current one is chance: that of a call before, or of whoever handed a call over.
        task = Context().run(loop.create_task, self._run(begun))
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
    def _run_calls(self, task: asyncio.Task[None]) -> Generator[Any, Any, None]:  # noqa: C901 - calls would cost too much
        take = self._queued.popleft
        may_go_on = _references is not None and self._loop().get_task_factory() is None
        references = _references or id
        in_a_row = range(_IN_A_ROW if may_go_on else 1)
        name_now = task.get_name
        context, known, name = copy_context(), references(task), name_now()
        ends = monotonic() + _TURN
        while True:
            for _ in in_a_row:
                try:
                    call = take()
                except IndexError:
                    return
                try:
                    if (rest := call()) is not None:
                        yield from rest.__await__()
                        return
                except (CancelledError, GeneratorExit):
                    raise
                except BaseException:  # noqa: BLE001 - not even SystemExit may end the loop
                    log_failure(call)
                    return
                finally:
                    self.ended += 1
                try:
                    if (
                        copy_context() != context
                        or references(task) != known
                        or task._must_cancel  # type: ignore[attr-defined] # noqa: SLF001 - as is the next one: public ones tell less
                        or task._callbacks  # noqa: SLF001
                        or name_now() != name
                    ):
                        return
                except Exception:  # noqa: BLE001 - values of a context may be such as cannot be compared
                    return
            if not may_go_on:
                return
            if monotonic() >= ends:
                self._coming.add(task)
                yield
                self._coming.discard(task)
                ends, known = monotonic() + _TURN, references(task)
