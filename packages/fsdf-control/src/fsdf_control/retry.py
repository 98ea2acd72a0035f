"""Run a failed task again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fsdf_control.dead_letter import dead_letter_for
from fsdf_control.number_option import NumberOption
from fsdf_core.control import Control
from fsdf_core.errors import ExceptionForPushToDlxqueue, ExceptionForRequeue, ExceptionForRetry, TaskKilled
from fsdf_core.message import ATTEMPTS
from fsdf_core.verdict import Fail, Requeue
from fsdf_core.verdict import Retry as RunAgain

if TYPE_CHECKING:
    from fsdf_control.backoff import Backoff
    from fsdf_core.host import Host
    from fsdf_core.message import Message
    from fsdf_core.verdict import Recovery

OVERRIDE = "max_retry_times"
"""Key of a message's `extra` that overrides the number of retries; 0 is respected."""

ErrorTypes = tuple[type[BaseException], ...]


class Retry(Control):
    """Runs a task that raised again, up to `max_retries` times after the first run.

    `ExceptionForRetry` is retried whatever the types say. `ExceptionForRequeue` and `ExceptionForPushToDlxqueue`
    are left to the controls that know them. A killed task (`TaskKilled`) has failed. `SystemExit`,
    `KeyboardInterrupt` and other exceptions that are no `Exception` do not end the worker: the task has failed,
    and is retried only if `retry_on` names them.

    Args:
        max_retries: runs after the first one; default 3, 0 for none. A message's `extra["max_retry_times"]`
            goes first.
        backoff: seconds to wait after each attempt; default None: none. See `Exponential` and `Constant`.
        wait: "worker" (default): the task keeps its worker while it waits, until the consumer stops;
            "queue": its message goes back to the queue, with the number of attempts, and waits there.
        retry_on: exception types that are retried; default (or None): `Exception`, that is all errors.
        never_on: exception types that are not, even if `retry_on` has them; default none.
        dead_letter: send a message whose task failed for good to `<queue>_dlx`, with the reason, the error and its
            traceback; default False: acknowledge it.

    Raises:
        ValueError: `max_retries` is negative, or `wait` is neither of the two.

    Example:
        >>> from fsdf_core.message import Message
        >>> retry = Retry(max_retries=1, never_on=(KeyError,))
        >>> retry.on_error(Message({}, {}), OSError("gone"), attempt=1)
        Retry(after=0.0)
        >>> retry.on_error(Message({}, {}), OSError("gone"), attempt=2)
        Fail()
        >>> retry.on_error(Message({}, {}), KeyError("x"), attempt=1)
        Fail()
    """

    def __init__(
        self,
        max_retries: int = 3,
        *,
        backoff: Backoff | None = None,
        wait: Literal["worker", "queue"] = "worker",
        retry_on: ErrorTypes | None = None,
        never_on: ErrorTypes = (),
        dead_letter: bool = False,
    ) -> None:
        if max_retries < 0:
            raise ValueError(f"max_retries must not be negative, it is {max_retries}")
        if wait not in {"worker", "queue"}:
            raise ValueError(f"wait must be 'worker' or 'queue', not {wait!r}")
        self.max_retries = max_retries
        self._backoff = backoff
        self._in_queue = wait == "queue"
        self._retry_on = (Exception,) if retry_on is None else tuple(retry_on)
        self._never_on = tuple(never_on)
        self._dead_letter = dead_letter
        self._override = NumberOption(OVERRIDE, whole=True)

    def start(self, host: Host) -> None:
        """Log where the consumer logs."""
        self._override.logger = host.logger

    def on_error(self, message: Message, error: BaseException, attempt: int) -> Recovery | None:
        """Run again while attempts are left."""
        if isinstance(error, ExceptionForRequeue | ExceptionForPushToDlxqueue):
            return None
        if isinstance(error, TaskKilled):
            return Fail()
        if not self._may_retry(error):
            return self._give_up(error, f"{type(error).__name__} is not retried")
        if attempt > self._override.of(message, self.max_retries):
            return self._give_up(error, f"failed {attempt} time(s), no retry is left")
        after = self._backoff(attempt) if self._backoff else 0.0
        return Requeue(after, {ATTEMPTS: attempt}) if self._in_queue else RunAgain(after)

    def _may_retry(self, error: BaseException) -> bool:
        if isinstance(error, ExceptionForRetry):
            return True
        return isinstance(error, self._retry_on) and not isinstance(error, self._never_on)

    def _give_up(self, error: BaseException, reason: str) -> Recovery:
        return dead_letter_for(error, reason) if self._dead_letter else Fail()
