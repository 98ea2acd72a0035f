"""The running task, from inside its function and all that it calls."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from fsdf_core.context import current_message
from fsdf_core.errors import ConsumerError, UnknownName
from fsdf_core.message import EXTRA

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from fsdf_core.message import Message
    from fsdf_core.task_status import FunctionResultStatus

    _Adapter = logging.LoggerAdapter[logging.Logger]
else:
    _Adapter = logging.LoggerAdapter  # no subscript before Python 3.11


class Fct:
    """What runs here: `fct.task_id`, `fct.queue_name`, …; as many tasks as run at once see each their own.

    Example:
        >>> from fsdf import boost, fct
        >>> @boost("mails", broker_kind="MEMORY_QUEUE")
        ... def send(address):
        ...     fct.logger.info("sending to %s, attempt %d", address, fct.attempt)
    """

    @property
    def message(self) -> Message:
        """The message being run.

        Raises:
            ConsumerError: no task runs here.
        """
        message = current_message.get()
        if message is None:
            raise ConsumerError(
                "no task runs here: fct works inside a task's function, in its own thread, in coroutines it "
                "awaits and in FctContextThread"
            )
        return message

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self.message.task_id

    @property
    def queue_name(self) -> str:
        """The queue it came from."""
        return self.message.queue_name

    @property
    def attempt(self) -> int:
        """The number of the current run, from 1."""
        return self.message.attempt

    @property
    def function_params(self) -> dict[str, Any]:
        """The arguments by name."""
        return self.message.arguments

    @property
    def full_msg(self) -> dict[str, Any]:
        """Arguments and control data (under `extra`) as they travelled."""
        return {**self.message.arguments, EXTRA: self.message.extra}

    @property
    def user_context(self) -> dict[str, Any]:
        """A dict of the task's own, JSON data; recorded with the task."""
        context: dict[str, Any] = self.message.extra.setdefault("user_context", {})
        return context

    @property
    def function_result_status(self) -> FunctionResultStatus:
        """What is known of the task so far, under the names of its record: `run_times` counts this run."""
        from fsdf_core.outcome import Outcome  # noqa: PLC0415 - seldom needed
        from fsdf_core.task_status import task_status  # noqa: PLC0415 - as above

        message = self.message
        so_far = Outcome(success=False, result=None, error=None, attempts=message.attempt, settlement=None)
        name = _function_of(message.queue_name)
        status = task_status(
            message, so_far, queue_name=message.queue_name, function=name, time_start=None, time_end=time.time()
        )
        status.run_status = "running"
        status.user_context = self.user_context
        return status

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """The task's logger; each line begins with the task's id."""
        message = self.message
        return _TaskLog(_logger_of(message.queue_name), {"task_id": message.task_id})


def _function_of(queue_name: str) -> str:
    from fsdf.boosters_manager import BoostersManager  # noqa: PLC0415 - as below

    try:
        return BoostersManager.get_booster(queue_name).consuming_function.__name__
    except UnknownName:
        return ""


def _logger_of(queue_name: str) -> logging.Logger:
    from fsdf.assembly import task_logger  # noqa: PLC0415 - reading settings takes long
    from fsdf.boosters_manager import BoostersManager  # noqa: PLC0415 - as above

    try:
        return task_logger(BoostersManager.get_boost_params(queue_name))
    except UnknownName:
        return logging.getLogger(f"fsdf.{queue_name}")


class _TaskLog(_Adapter):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        task_id = (self.extra or {})["task_id"]
        kwargs["extra"] = {"task_id": task_id, **kwargs.get("extra", {})}
        return f"[{task_id}] {msg}", kwargs


fct = Fct()
"""The one to import."""


def get_current_taskid() -> str:
    """Return the id of the task that runs here, or "" if none does."""
    message = current_message.get()
    return "" if message is None else message.task_id


class FctContextThread(threading.Thread):
    """A `threading.Thread` in which `fct` means the task that created it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._fct_context = contextvars.copy_context()
        self._fct_context.run(current_message.task.set, current_message.get())

    def run(self) -> None:
        """Run the target in the context of the creator."""
        self._fct_context.run(super().run)
