"""Runs messages in the pool's workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.control import overriding
from fsdf_core.outcome import Outcome
from fsdf_core.verdict import DeadLetter, Release, Requeue, Retry

if TYPE_CHECKING:
    import logging
    import threading
    from collections import deque
    from collections.abc import Callable, Sequence

    from fsdf_core.control import Control
    from fsdf_core.message import Message


class Executor:
    """Takes one message from `ready`, runs the function, hands the message to the settler.

    `run_next` is what the pool calls, once for each message that was made ready.

    Args:
        function: the task.
        controls: wrap the call, decide after errors, observe outcomes.
        ready: messages to run; may have become empty, because messages can be taken back.
        settle: called with each finished message.
        stopping: set when the consumer stops; ends waits between attempts.
        logger: where failures are logged.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        controls: Sequence[Control],
        ready: deque[Message],
        settle: Callable[[Message], None],
        stopping: threading.Event,
        logger: logging.Logger,
    ) -> None:
        self.failures = 0
        self._settle = settle
        self._stopping = stopping
        self._logger = logger
        self._recoveries = overriding(controls, "on_error")
        self._observers = overriding(controls, "on_outcome")
        self._call = self._compose(function, controls)
        self.run_next = self._build(ready)

    @staticmethod
    def _compose(function: Callable[..., Any], controls: Sequence[Control]) -> Callable[[Message], Any]:
        def call(message: Message) -> Any:
            return function(**message.arguments)

        for around in reversed(overriding(controls, "around")):
            call = around(call)
        return call

    def _build(self, ready: deque[Message]) -> Callable[[], None]:
        call = self._call
        settle = self._settle
        take = ready.popleft
        recover = self._recover
        succeeded = self._succeeded if self._observers else None

        def run_next() -> None:
            try:
                message = take()
            except IndexError:
                return
            try:
                result = call(message)
            except BaseException as error:  # noqa: BLE001 - a task may raise anything, its worker goes on
                recover(message, error)
            else:
                if succeeded is not None:
                    succeeded(message, result)
                settle(message)

        return run_next

    def _recover(self, message: Message, error: BaseException) -> None:
        """Follow the controls' decisions until the message has an outcome."""
        try:
            while True:
                verdict = self._decide(message, error)
                if not isinstance(verdict, Retry):
                    break
                self._logger.warning(
                    "task %s: attempt %d failed (%s), the next in %g s",
                    message.task_id, message.attempt, _brief(error), verdict.after,
                )  # fmt: skip
                if verdict.after > 0 and self._stopping.wait(verdict.after):
                    message.settlement = Release()
                    return
                message.attempt += 1
                try:
                    result = self._call(message)
                except BaseException as again:  # noqa: BLE001 - as above
                    error = again
                else:
                    self._succeeded(message, result)
                    return
            if isinstance(verdict, Requeue | DeadLetter):
                message.settlement = verdict
            self._failed(message, error)
        finally:
            self._settle(message)

    def _decide(self, message: Message, error: BaseException) -> Any:
        for on_error in self._recoveries:
            verdict = on_error(message, error, message.attempt)
            if verdict is not None:
                return verdict
        return None

    def _succeeded(self, message: Message, result: Any) -> None:
        self._observe(message, Outcome(True, result, None, message.attempt, None))  # noqa: FBT003 - field order

    def _failed(self, message: Message, error: BaseException) -> None:
        settlement = message.settlement
        if isinstance(settlement, Requeue):
            self._logger.debug("task %s put back: %s", message.task_id, error)
        else:
            fate = "sent to the dead-letter queue" if isinstance(settlement, DeadLetter) else "failed"
            self._logger.error("task %s %s after %d attempt(s)", message.task_id, fate, message.attempt, exc_info=error)
        self._observe(message, Outcome(False, None, error, message.attempt, settlement))  # noqa: FBT003

    def _observe(self, message: Message, outcome: Outcome) -> None:
        for observe in self._observers:
            try:
                observe(message, outcome)
            except Exception:
                self._logger.exception("task %s: an outcome hook failed", message.task_id)


def _brief(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
