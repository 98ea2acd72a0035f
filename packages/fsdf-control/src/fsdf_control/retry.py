"""Run a failed task again, in the same worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.control import Control
from fsdf_core.errors import ExceptionForPushToDlxqueue, ExceptionForRequeue
from fsdf_core.verdict import Fail
from fsdf_core.verdict import Retry as RunAgain

if TYPE_CHECKING:
    from fsdf_core.message import Message
    from fsdf_core.verdict import Recovery

OVERRIDE = "max_retry_times"
"""Key of a message's `extra` that overrides the number of retries; 0 is respected."""


class Retry(Control):
    """Runs a task that raised again, at once, up to `max_retries` times after the first run.

    Any exception counts, `ExceptionForRetry` among them; signals that ask for another fate are left to the
    controls that know them.

    Args:
        max_retries: runs after the first one; default 3, 0 for none. A message's `extra["max_retry_times"]`
            goes first.

    Raises:
        ValueError: `max_retries` is negative.

    Example:
        >>> from fsdf_core.message import Message
        >>> retry = Retry(max_retries=1)
        >>> retry.on_error(Message({}, {}), OSError("gone"), attempt=1)
        Retry(after=0.0)
        >>> retry.on_error(Message({}, {}), OSError("gone"), attempt=2)
        Fail()
    """

    def __init__(self, max_retries: int = 3) -> None:
        if max_retries < 0:
            raise ValueError(f"max_retries must not be negative, it is {max_retries}")
        self.max_retries = max_retries

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:
        """Run again while attempts are left."""
        if isinstance(error, ExceptionForRequeue | ExceptionForPushToDlxqueue):
            return None
        override = message.extra.get(OVERRIDE)
        most = self.max_retries if override is None else int(override)
        return RunAgain() if attempt <= most else Fail()
