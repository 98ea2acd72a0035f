"""Put a message back when its task asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_control.delay import COUNTDOWN, ETA, MISFIRE
from fsdf_core.control import Control
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.verdict import Requeue as PutBack

if TYPE_CHECKING:
    from fsdf_core.message import Message
    from fsdf_core.verdict import Recovery

_TIMES = (COUNTDOWN, ETA, MISFIRE)


class Requeue(Control):
    """Puts the message of a task that raises `ExceptionForRequeue` back on its queue; no limit, no attempt counted.

    Args:
        delay: seconds before it is delivered again; default 0.1, so that a queue with nothing else does not spin.

    Example:
        >>> from fsdf_core.message import Message
        >>> Requeue(delay=5).on_error(Message({}, {}), ExceptionForRequeue(), attempt=1)
        Requeue(delay=5, extra=None)
    """

    def __init__(self, delay: float = 0.1) -> None:
        self.delay = delay

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:  # noqa: ARG002
        """Answer to `ExceptionForRequeue` only."""
        if not isinstance(error, ExceptionForRequeue):
            return None
        if any(message.extra.get(key) is not None for key in _TIMES):
            # It began in time: that it comes back late is no misfire.
            return PutBack(self.delay, dict.fromkeys(_TIMES))
        return PutBack(self.delay)
