"""Send a message to the dead-letter queue when its task asks for it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from fsdf_core.control import Control
from fsdf_core.error_text import brief, text_of
from fsdf_core.errors import ExceptionForPushToDlxqueue
from fsdf_core.verdict import DeadLetter

if TYPE_CHECKING:
    from fsdf_core.message import Message
    from fsdf_core.verdict import Recovery


class DeadLetterOnRequest(Control):
    """Sends the message of a task that raises `ExceptionForPushToDlxqueue` to `<queue>_dlx`, without another attempt.

    The reason is the exception's text; where it went wrong is kept beside it.

    Example:
        >>> from fsdf_core.message import Message
        >>> verdict = DeadLetterOnRequest().on_error(Message({}, {}), ExceptionForPushToDlxqueue("bad row"), attempt=1)
        >>> verdict.reason
        'bad row'
    """

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:  # noqa: ARG002
        """Answer to `ExceptionForPushToDlxqueue` only."""
        if not isinstance(error, ExceptionForPushToDlxqueue):
            return None
        return dead_letter_for(error, text_of(error) or "the task asked for it")


def dead_letter_for(error: BaseException, reason: str) -> DeadLetter:
    """Return the verdict that keeps the reason, the error as "Type: text", and its whole traceback."""
    return DeadLetter(reason, brief(error), "".join(traceback.format_exception(error)))
