"""Log lines for each message, for those who ask for them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

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
    """Turns the traceback of a record into one line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            record.msg = f"{record.getMessage()}: {type(error).__name__}: {error}"
            record.args = ()
            record.exc_info = record.exc_text = None
        return True
