"""What follows from a run: another attempt, or an outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from fsdf_core.control import overriding
from fsdf_core.error_text import brief
from fsdf_core.host import Abandoned
from fsdf_core.message import ATTEMPTS
from fsdf_core.outcome import Outcome
from fsdf_core.pool_size import resize_by
from fsdf_core.verdict import DeadLetter, Release, Requeue, Retry

if TYPE_CHECKING:
    import logging
    import threading
    from collections.abc import Callable, Sequence

    from fsdf_core.control import Call, Control
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool


class Attempts(ABC):
    """Asks the controls what to do after an error, and does it.

    Args:
        controls: decide after errors, observe outcomes.
        settle: takes a message that has its outcome.
        pool: where messages run; gets another worker for each one that is stuck.
        stopping: set when the consumer stops; ends waits between attempts.
        logger: where failures are logged.
    """

    _call: Call
    """Runs a message through all controls."""

    def __init__(
        self,
        controls: Sequence[Control],
        settle: Callable[[Message], None],
        pool: Pool,
        stopping: threading.Event,
        logger: logging.Logger,
    ) -> None:
        self._settle = settle
        self._pool = pool
        self._stopping = stopping
        self._logger = logger
        self._recoveries = overriding(controls, "on_error")
        self._observers = overriding(controls, "on_outcome")
        self._observed = bool(self._observers)
        self._abandoned: dict[Message, object] = {}
        self._running: dict[Message, float] = {}

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

    @abstractmethod
    def _go_on(self) -> None:
        """Let one more worker run what is ready."""

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
