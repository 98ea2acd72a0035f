"""Log lines for each message, for those who ask for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from fsdf_core.control import Control

if TYPE_CHECKING:
    from fsdf_core.message import Message
    from fsdf_core.verdict import Admission


class ReceivedLog(Control):
    """Logs each message that was received, at INFO."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def admit(self, message: Message) -> Admission | None:
        """Log, and let it run."""
        self._logger.info("received %s %s", message.arguments, message.extra)
        return None


class PublishedLog(Control):
    """Logs each message that is published, at INFO."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def on_publish(self, message: Message) -> None:
        """Log."""
        self._logger.info("publishing %s %s", message.arguments, message.extra)


class BriefErrors(logging.Filter):
    """Turns the traceback of a task's failure into one line, where the message or the function asks for that.

    Args:
        brief: what the function asks for; `is_print_detail_exception` of the message goes first.
    """

    def __init__(self, *, brief: bool) -> None:
        super().__init__()
        self.brief = brief

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if not record.exc_info or record.exc_info[1] is None:
            return True
        options: dict[str, Any] = getattr(record, "task_options", {})
        detailed = options.get("is_print_detail_exception")
        if self.brief if detailed is None else not detailed:
            error = record.exc_info[1]
            record.msg = f"{record.getMessage()}: {type(error).__name__}: {error}"
            record.args = ()
            record.exc_info = record.exc_text = None
        return True
