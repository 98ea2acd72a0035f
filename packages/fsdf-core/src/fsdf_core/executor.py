"""Runs messages in the pool's workers."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import GONE
from fsdf_core.chains import chains
from fsdf_core.context import current_message
from fsdf_core.control import overriding
from fsdf_core.coroutines import is_async
from fsdf_core.digests import digester
from fsdf_core.error_text import brief
from fsdf_core.host import Abandoned
from fsdf_core.message import ATTEMPTS
from fsdf_core.noting import noting, noting_async
from fsdf_core.outcome import Outcome
from fsdf_core.pool_size import resize_by
from fsdf_core.verdict import DeadLetter, Release, Requeue, Retry

if TYPE_CHECKING:
    import logging
    from asyncio import AbstractEventLoop
    from collections import deque
    from collections.abc import Callable, Sequence

    from fsdf_core.control import AsyncCall, Call, Control
    from fsdf_core.inbox import Inbox
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool

_IN_A_ROW = 8
"""Messages that a worker runs before it looks at the time."""

_TURN = 0.0005
"""Seconds after which it lets others of a shared pool have their turn."""


class Executor:
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
        ready: deque[Message],
        finished: Inbox,
        pool: Pool,
        stopping: threading.Event,
        logger: logging.Logger,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        self._ready = ready
        self._finished = finished
        self._settle = finished.put
        self._pool = pool
        self._stopping = stopping
        self._logger = logger
        self._abandoned: dict[Message, object] = {}
        self._declined = False
        self.feeder: threading.Thread | None = None
        """The thread that makes messages ready; a pool without threads runs them in it."""
        self._recoveries = overriding(controls, "on_error")
        self._observers = overriding(controls, "on_outcome")
        storing = [effect.__self__ for effect in overriding(controls, "on_settle")]
        self._observed = bool(self._observers) or any(control.wants_outcomes for control in storing)
        self._unseen = all(control.settle_options_only for control in storing)
        self._digest = digester(controls)
        self._running: dict[Message, float] = {}
        self._function = function
        self._loop = loop
        self._direct: Callable[..., Any] | None = None
        self._call, self._plain = self._compose(controls)
        self.run_next = self._build()
        """What the pool calls: runs messages as long as any are ready."""

    def begin(self, count: int) -> None:
        """Let the pool run `count` messages that were made ready: every worker that is free, not one call each."""
        self._pool.execute_many(self.run_next, min(count, self._pool.max_workers))
        while self._declined:
            self._declined = False
            self._pool.execute_many(self.run_next, 1)

    def observe(self) -> None:
        """Build outcomes of successes from now on."""
        self._observed = True

    def running_now(self) -> list[tuple[Message, float]]:
        """Return the messages that run, and since when; none unless a control wants runs."""
        return list(self._running.items())

    def abandon(self, message: Message, error: BaseException) -> None:
        """Settle a message whose call does not end, once; a retry becomes another worker's."""
        mine = object()
        if self._abandoned.setdefault(message, mine) is not mine:
            return
        resize_by(self._pool, 1)
        if self._pool.free_slots():
            self._go_on()
        self._decide_without_worker(message, error)

    @property
    def stuck(self) -> int:
        """How many calls run whose messages were settled without them."""
        return len(self._abandoned)

    def _go_on(self) -> None:
        """Let one more worker run what is ready; in a pool without threads `begin` does, or calls would nest."""
        if not self._ready:
            return
        # Not by `current_thread`, which is slow in greenlets.
        if self.feeder is not None and threading.get_ident() == self.feeder.ident:
            self._declined = True
        else:
            self._pool.execute_many(self.run_next, 1)

    def _compose(self, controls: Sequence[Control]) -> tuple[Call, Call]:
        """Return what runs a message, and what runs one without options."""
        waits = is_async(self._function)
        innermost = self._innermost_async() if waits else self._innermost()
        if noted := any(control.wants_runs for control in controls):
            innermost = self._noting(innermost, waits=waits)
        whole, plain, bare = chains(innermost, controls, "around_async" if waits else "around")
        if bare and not noted:
            self._direct = self._function
        if waits and (waited := self._waiting(whole)) is not whole:
            return waited, waited
        return whole, plain

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

    def _build(self) -> Callable[[], None]:  # noqa: C901 - as run_next
        call = self._call
        plain = self._plain
        direct = self._direct
        finished = self._finished
        settle = finished.messages.append
        settle_unseen = finished.successes.append
        digest = self._digest
        unseen = direct is not None and self._unseen
        take = self._ready.popleft
        recover = self._recover
        go_on = self._go_on
        here = current_message.thread

        def run_next() -> None:  # noqa: C901, PLR0912 - calls would cost more than what they hide
            ends = monotonic() + _TURN
            while True:
                for _ in range(_IN_A_ROW):
                    try:
                        message = take()
                    except IndexError:
                        return None
                    here.message = message
                    try:
                        if not message.plain:
                            result = call(message)
                        elif direct is None:
                            result = plain(message)
                        else:
                            result = direct(**message.arguments)
                    except BaseException as raised:  # noqa: BLE001 - a task may raise anything, its worker goes on
                        error = raised
                    else:
                        if self._observed:
                            self._succeeded(message, result)
                            settle(message)
                        elif unseen and message.plain:
                            message.delivery.body = GONE  # type: ignore[union-attr] # it was delivered
                            settle_unseen(message.delivery)
                        elif digest is not None and (told := digest(message)) is not None:
                            settle_unseen(told)
                        else:
                            settle(message)
                        if finished.asleep:
                            finished.wake()
                        continue
                    # Outside the handler: what the next attempt raises has nothing to do with this error.
                    recover(message, error)
                    del error
                if monotonic() >= ends:
                    return go_on()

        return run_next

    def _recover(self, message: Message, error: BaseException) -> None:
        """Follow the controls' decisions until the message has an outcome."""
        while (wait := self._next_attempt(message, error)) is not None:
            if wait > 0 and self._stopping.wait(wait):
                self._give_back(message)
                return
            message.attempt += 1
            try:
                result = self._call(message)
            except BaseException as again:  # noqa: BLE001 - as above
                error = again
            else:
                self._succeeded(message, result)
                self._settle(message)
                return

    def _next_attempt(self, message: Message, error: BaseException) -> float | None:
        """Return the seconds until the message is tried again, or None if it has its outcome now."""
        if isinstance(error, Abandoned):
            if self._abandoned.pop(message, None) is not None:
                resize_by(self._pool, -1)
            return None
        verdict = self._decide(message, error)
        if not isinstance(verdict, Retry):
            self._failed(message, error, verdict)
            self._settle(message)
            return None
        self._logger.warning(
            "task %s: attempt %d failed (%s), the next in %g s",
            message.task_id, message.attempt, brief(error), verdict.after,
        )  # fmt: skip
        return verdict.after

    def _give_back(self, message: Message) -> None:
        message.settlement = Release()
        self._settle(message)

    def _decide_without_worker(self, message: Message, error: BaseException) -> None:
        self._running.pop(message, None)
        verdict = self._decide(message, error)
        if isinstance(verdict, Retry):
            verdict = Requeue(verdict.after, {ATTEMPTS: message.attempt})
        self._failed(message, error, verdict)
        self._settle(message)

    def _decide(self, message: Message, error: BaseException) -> Any:
        try:
            for on_error in self._recoveries:
                verdict = on_error(message, error, message.attempt)
                if verdict is not None:
                    return verdict
        except Exception:
            self._logger.exception("task %s: a control failed after the task had", message.task_id)
        return None

    def _succeeded(self, message: Message, result: Any) -> None:
        message.outcome = Outcome(True, result, None, message.attempt, None)  # noqa: FBT003 - field order
        self._observe(message, message.outcome)

    def _failed(self, message: Message, error: BaseException, verdict: Any) -> None:
        if isinstance(verdict, Requeue | DeadLetter):
            message.settlement = verdict
        if isinstance(verdict, Requeue):
            self._logger.debug("task %s put back: %s", message.task_id, brief(error))
        else:
            fate = "sent to the dead-letter queue" if isinstance(verdict, DeadLetter) else "failed"
            self._logger.error(
                "task %s %s after %d attempt(s)", message.task_id, fate, message.attempt,
                exc_info=error, extra={"task_id": message.task_id, "task_options": message.extra},
            )  # fmt: skip
        message.outcome = Outcome(False, None, error, message.attempt, message.settlement)  # noqa: FBT003
        self._observe(message, message.outcome)

    def _observe(self, message: Message, outcome: Outcome) -> None:
        for observe in self._observers:
            try:
                observe(message, outcome)
            except Exception:
                self._logger.exception("task %s: an outcome hook failed", message.task_id)
