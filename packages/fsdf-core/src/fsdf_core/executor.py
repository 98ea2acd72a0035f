"""Runs messages in the pool's workers."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

from fsdf_core.attempts import Attempts
from fsdf_core.broker import GONE, Delivery
from fsdf_core.chains import chains
from fsdf_core.context import current_message
from fsdf_core.control import overriding
from fsdf_core.coroutines import is_async
from fsdf_core.digests import digester
from fsdf_core.noting import noting, noting_async
from fsdf_core.ready import opened

if TYPE_CHECKING:
    import logging
    from asyncio import AbstractEventLoop
    from collections import deque
    from collections.abc import Callable, Sequence

    from fsdf_core.control import AsyncCall, Call, Control
    from fsdf_core.inbox import Inbox
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool
    from fsdf_core.ready import Ready

_IN_A_ROW = 8
"""Messages that a worker runs before it looks at the time."""

_TURN = 0.0005
"""Seconds after which it lets others of a shared pool have their turn."""


class Executor(Attempts):
    """Takes one message from `ready`, runs the function, hands the message to the settler.

    Args:
        function: the task.
        controls: wrap the call, decide after errors, observe outcomes.
        ready: messages to run; may have become empty, because messages can be taken back.
        finished: the settler's inbox.
        pool: where it all happens; gets another worker for each one that is stuck.
        stopping: set when the consumer stops; ends waits between attempts.
        logger: where failures are logged.
        loop: where an `async def` function runs; default: each worker has a loop of its own.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        controls: Sequence[Control],
        ready: deque[Ready],
        finished: Inbox,
        pool: Pool,
        stopping: threading.Event,
        logger: logging.Logger,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(controls, finished.put, pool, stopping, logger)
        self._ready = ready
        self._finished = finished
        self._declined = False
        self.feeder: threading.Thread | None = None
        """The thread that makes messages ready; a pool without threads runs them in it."""
        storing = [effect.__self__ for effect in overriding(controls, "on_settle")]
        self._observed = self._observed or any(control.wants_outcomes for control in storing)
        self._unseen = all(control.settle_options_only for control in storing)
        self._digest = digester(controls)
        self._function = function
        self._loop = loop
        self._direct: Callable[..., Any] | None = None
        self._call, self._plain, self._digested = self._compose(controls)
        self.run_next = self._build()
        """What the pool calls: runs messages as long as any are ready."""

    def begin(self, count: int) -> None:
        """Let the pool run `count` messages that were made ready: every worker that is free, not one call each."""
        self._pool.execute_many(self.run_next, min(count, self._pool.max_workers))
        while self._declined:
            self._declined = False
            self._pool.execute_many(self.run_next, 1)

    def _go_on(self) -> None:
        """Let one more worker run what is ready; in a pool without threads `begin` does, or calls would nest."""
        if not self._ready:
            return
        # Not by `current_thread`, which is slow in greenlets.
        if self.feeder is not None and threading.get_ident() == self.feeder.ident:
            self._declined = True
        else:
            self._pool.execute_many(self.run_next, 1)

    def _compose(self, controls: Sequence[Control]) -> tuple[Call, Call, Call]:
        """Return what runs a message, one without options, and such a one that is digested."""
        waits = is_async(self._function)
        innermost = self._innermost_async() if waits else self._innermost()
        if noted := any(control.wants_runs for control in controls):
            innermost = self._noting(innermost, waits=waits)
        whole, plain, digested, bare = chains(innermost, controls, "around_async" if waits else "around")
        if bare and not noted:
            self._direct = self._function
        if waits and (waited := self._waiting(whole)) is not whole:
            return waited, waited, waited
        return whole, plain, digested

    def _noting(self, call: Any, *, waits: bool) -> Any:
        return (noting_async if waits else noting)(call, self._running)

    def _innermost(self) -> Call:
        function = self._function
        return lambda message: function(**message.arguments)

    def _innermost_async(self) -> AsyncCall:
        return self._innermost()

    def _waiting(self, call: AsyncCall) -> Call:
        """Return what runs a coroutine to its end in a worker's thread."""
        from fsdf_core.thread_loops import ThreadLoops  # noqa: PLC0415 - asyncio is slow to import

        loops = ThreadLoops(self._loop, self._stopping)
        self._direct = None

        async def run(message: Message) -> Any:
            current_message.task.set(message)
            return await call(message)

        return lambda message: loops.run(run(message))

    def _build(self) -> Callable[[], None]:  # noqa: C901, PLR0915 - as run_next
        call, plain, digested, direct = self._call, self._plain, self._digested, self._direct
        finished = self._finished
        settle = finished.messages.append
        settle_unseen = finished.successes.append
        digest = self._digest
        unseen = direct is not None and self._unseen
        take = self._ready.popleft
        recover = self._recover
        go_on = self._go_on
        here, message_of = current_message.thread, current_message.message_of

        def run_next() -> None:  # noqa: C901, PLR0912 - calls would cost more than what they hide
            ends = monotonic() + _TURN
            while True:
                for _ in range(_IN_A_ROW):
                    try:
                        taken = take()
                    except IndexError:
                        return None
                    if type(taken) is Delivery and not unseen:
                        taken = opened(taken)
                    here.message = taken.body if type(taken) is Delivery else taken
                    told = None
                    try:
                        if type(taken) is Delivery:
                            result = direct(**taken.body[0])  # type: ignore[index, misc, arg-type] # `Stamped`
                        elif digest is not None and not self._observed:
                            result = digested(taken) if taken.plain else call(taken)
                            told = digest(taken)
                        elif not taken.plain:
                            result = call(taken)
                        elif direct is None:
                            result = plain(taken)
                        else:
                            result = direct(**taken.arguments)
                    except BaseException as raised:  # noqa: BLE001 - a task may raise anything, its worker goes on
                        error = raised
                    else:
                        if told is not None:
                            settle_unseen(told)
                        elif self._observed:
                            message = message_of(taken, here.message)
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
                        continue
                    # Outside the handler: what the next attempt raises has nothing to do with this error.
                    here.message = message = message_of(taken, here.message)
                    recover(message, error)
                    del error
                if monotonic() >= ends:
                    return go_on()

        return run_next
