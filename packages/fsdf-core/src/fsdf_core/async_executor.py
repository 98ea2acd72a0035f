"""Runs messages as coroutines of a pool's event loop."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from inspect import CO_COROUTINE
from time import monotonic
from types import CoroutineType, coroutine
from typing import TYPE_CHECKING, Any, cast

from fsdf_core.broker import GONE, Delivery
from fsdf_core.context import current_message
from fsdf_core.executor import Executor
from fsdf_core.ready import opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from fsdf_core.control import AsyncCall, Call
    from fsdf_core.message import Message
    from fsdf_core.pool import CoroutinePool

_LOOK_EVERY = 0.1
"""Seconds between two looks of a coroutine that waits for its next attempt at whether the consumer stops."""

_IN_A_ROW = 16
"""Most messages that a task runs before it looks at the time."""

_TURN = 0.001
"""Seconds after which it lets others of the loop have their turn."""


class AsyncExecutor(Executor):
    """Each message as a coroutine of its own, with a context of its own.

    A task costs an event loop ten times what a short coroutine does, so one task awaits the coroutines of one message
    after the other, as long as each finds it like new.

    On the loop run the function and what controls put around it, nothing else: broker and state store are asked
    by the dispatcher's, settler's and ticker's threads.
    """

    _handed = 0
    """Calls handed to the pool by the dispatcher; written by its thread only."""
    _begun = 0
    """Those of them that have begun, less those handed over anew; written by the loop's thread only."""

    def begin(self, count: int) -> None:  # noqa: ARG002 - all that are ready count
        """Let the pool run what is ready: as many calls as there are messages, those included that have not begun yet.

        More would pile up while there is always more to do.
        """
        more = min(len(self._ready), self._pool.max_workers) - (self._handed - self._begun)
        if more > 0:
            self._pool.execute_many(self.run_next, more)
            self._handed += more

    def _again(self) -> None:
        """Let another call go on when this one ends."""
        if self._ready and not self._stopping.is_set():
            # If the pool or its loop is closed, what is ready goes back to the queue when the consumer stops.
            with suppress(RuntimeError):
                self._pool.execute_many(self.run_next, 1)
                self._begun -= 1

    def _waiting(self, call: AsyncCall) -> Call:
        return call

    def _build(self) -> Callable[[], Any]:  # noqa: C901, PLR0915 - as in `Executor`
        call, plain, digested, direct = self._call, self._plain, self._digested, self._direct
        finished = self._finished
        settle = finished.messages.append
        settle_unseen = finished.successes.append
        digest = self._digest
        unseen = direct is not None and self._unseen
        take = self._ready.popleft
        recover = self._recover_async
        again = self._again
        pool = cast("CoroutinePool", self._pool)
        here, message_of = current_message.task, current_message.message_of
        native = direct is not None and bool(getattr(getattr(direct, "__code__", None), "co_flags", 0) & CO_COROUTINE)

        @coroutine
        def run_next() -> Generator[Any, Any, None]:  # noqa: C901, PLR0912, PLR0915 - as there
            self._begun += 1
            as_new = pool.as_new
            ends = monotonic() + _TURN
            row = 1
            while True:
                for _ in range(row):
                    try:
                        taken = take()
                    except IndexError:
                        return None
                    if type(taken) is Delivery and not unseen:
                        taken = opened(taken)
                    token = here.set(taken.body if type(taken) is Delivery else taken)  # type: ignore[arg-type] # as there
                    try:
                        if type(taken) is Delivery:
                            running = direct(**taken.body[0])  # type: ignore[index, misc, arg-type] # as there
                        elif digest is not None and taken.plain and not self._observed:
                            running = digested(taken)
                        elif not taken.plain:
                            running = call(taken)
                        elif direct is None:
                            running = plain(taken)
                        else:
                            running = direct(**taken.arguments)
                        if not native and type(running) is not CoroutineType:
                            running = _awaited(running)
                        result = yield from running
                        told = None if digest is None or self._observed else digest(taken)  # type: ignore[arg-type] # no delivery then
                    except BaseException as raised:  # noqa: BLE001 - a task may raise anything, the loop goes on
                        error: BaseException | None = raised
                    else:
                        error = None
                        if told is not None:
                            settle_unseen(told)
                        elif self._observed:
                            message = message_of(taken, here.get())
                            self._succeeded(message, result)
                            settle(message)
                        elif type(taken) is Delivery:
                            taken.body = GONE
                            settle_unseen(taken)
                        elif unseen and taken.plain:
                            taken.delivery.body = GONE  # type: ignore[union-attr] # it was delivered
                            settle_unseen(taken.delivery)
                        else:
                            settle(taken)
                        if finished.asleep:
                            finished.wake()
                        del result
                    if error is not None:
                        # Outside the handler: what the next attempt raises has nothing to do with this error.
                        seen = here.get()
                        message = message_of(taken, seen)
                        if seen is not None:  # else this is the context of whoever closed the coroutine
                            here.set(message)
                        yield from recover(message, error)
                        del error
                    here.reset(token)
                    if not as_new():
                        return again()
                if monotonic() >= ends:
                    return again()
                row = min(2 * row, _IN_A_ROW)

        return run_next

    async def _recover_async(self, message: Message, error: BaseException) -> None:
        """Follow the controls' decisions until the message has an outcome."""
        if isinstance(error, GeneratorExit) and not _inside_loop():
            # Closed with its loop.
            self._give_back(message)
            raise error
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


async def _awaited(running: Awaitable[Any]) -> Any:
    """Await what is no coroutine; the error of what cannot be awaited is the task's."""
    return await running


def _inside_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
