"""Runs messages as coroutines of a pool's event loop."""

from __future__ import annotations

import asyncio
import time
from inspect import CO_COROUTINE
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.executor import Executor
from fsdf_core.started import Started

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.message import Message

_LOOK_EVERY = 0.1
"""Seconds between two looks of a coroutine that waits for its next attempt at whether the consumer stops."""


class AsyncExecutor(Executor):
    """Each message as a coroutine of its own, with a context of its own.

    A coroutine that ends without having waited costs its pool no task: `run_next` runs it up to where it waits, and
    returns what is left.

    On the loop run the function and what controls put around it, nothing else: broker and state store are asked
    by the dispatcher's, settler's and ticker's threads.
    """

    def begin(self, count: int) -> None:
        """Let the pool run `count` messages that were made ready."""
        self._pool.execute_many(self.run_next, count)

    def _waiting(self, call: AsyncCall) -> Call:
        return call

    def _build(self) -> Callable[[], Any]:  # noqa: C901 - as in `Executor`
        call = self._call
        plain = self._plain
        direct = self._direct
        finished = self._finished
        settle = finished.messages.append
        settle_unseen = finished.successes.append
        unseen = direct is not None and self._unseen
        take = self._ready.popleft
        here = current_message.task
        native = direct is not None and bool(getattr(getattr(direct, "__code__", None), "co_flags", 0) & CO_COROUTINE)

        def run_next() -> Awaitable[None] | None:  # noqa: C901, PLR0912 - as there
            try:
                message = take()
            except IndexError:
                return None
            token = here.set(message)
            try:
                if not message.plain:
                    running = call(message)
                elif direct is None:
                    running = plain(message)
                else:
                    running = direct(**message.arguments)
                if not native and type(running) is not CoroutineType:
                    return self._wait_for(message, running)
                if self._observed:
                    result, rest = self._first_step(running)
                    if rest is not None:
                        return self._wait_for(message, rest)
                    self._succeeded(message, result)
                else:
                    # Cheaper than `send`: the end of what returns None is no exception, and no one wants a result.
                    for awaited in running.__await__():
                        return self._wait_for(message, Started(running, awaited))
            except BaseException as error:  # noqa: BLE001 - a task may raise anything, the loop goes on
                return self._recover_async(message, error)
            if unseen and message.plain and not self._observed:
                settle_unseen(message.delivery)
            else:
                settle(message)
            if finished.asleep:
                finished.wake()
            here.reset(token)
            return None

        return run_next

    def _first_step(self, running: Coroutine[Any, Any, Any]) -> tuple[Any, Started | None]:
        """Return its result if it ends without waiting, or what is left of it."""
        try:
            awaited = running.send(None)
        except StopIteration as end:
            return end.value, None
        return None, Started(running, awaited)

    async def _wait_for(self, message: Message, running: Awaitable[Any]) -> None:
        """Await what has to wait."""
        try:
            result = await running
        except BaseException as raised:  # noqa: BLE001 - as above
            error = raised
        else:
            if self._observed:
                self._succeeded(message, result)
            self._settle(message)
            return
        # Outside the handler: what the next attempt raises has nothing to do with this error.
        await self._recover_async(message, error)
        del error

    async def _recover_async(self, message: Message, error: BaseException) -> None:
        while True:
            if isinstance(error, asyncio.CancelledError) and self._stopping.is_set():
                # The pool is closing: the task did not fail, it was not let finish.
                self._give_back(message)
                return
            wait = self._next_attempt(message, error)
            if wait is None:
                return
            if wait > 0 and await self._stops_within(wait):
                self._give_back(message)
                return
            message.attempt += 1
            try:
                result = await self._call(message)
            except BaseException as again:  # noqa: BLE001 - as above
                error = again
            else:
                self._succeeded(message, result)
                self._settle(message)
                return

    async def _stops_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self._stopping.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(left, _LOOK_EVERY))
        return True
