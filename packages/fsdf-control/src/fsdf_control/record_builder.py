"""What a message's end looks like as a record."""

from __future__ import annotations

import functools
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

from fsdf_control.masking import Mask, cut, shown
from fsdf_core.message import Message
from fsdf_core.records import DEAD_LETTER, DROPPED, FAILURE, REQUEUED, RUNNING, SUCCESS, Attempt, TaskRecord
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_control.run_times import Run

USER_CONTEXT = "user_context"
"""Key of `extra`: what the user's task added."""
_LONGEST_ERROR, _LONGEST_TRACEBACK = 4_000, 20_000

Ended = tuple[Message, "Sequence[Run]", float]
"""A message that was settled, its runs, and when."""


class RecordBuilder:
    """Makes records of one consumer's messages.

    Args:
        queue: its queue.
        function: the function's name.
        worker: the consumer's id.
        keep: seconds until a record may be deleted; None: never.
        results: whether results are kept.
        masked: names of arguments that are masked, besides the usual ones.
    """

    def __init__(
        self, queue: str, function: str, worker: str, keep: float | None, *, results: bool, masked: Iterable[str]
    ) -> None:
        self._mask = Mask(masked)
        self._keep = keep
        self._results = results
        self._same: dict[str, Any] = {
            "queue": queue,
            "function": function,
            "worker": worker,
            "host": _host_name(),
            "process": os.getpid(),
            "script": sys.argv[0] if sys.argv else "",
        }

    def running(self, message: Message, began: float) -> TaskRecord:
        """Return the record of a message whose run has not ended."""
        return TaskRecord(
            status=RUNNING, started=began, attempts=message.attempt, **self._of(message, began), **self._same
        )

    def ended(self, message: Message, runs: Sequence[Run], now: float) -> TaskRecord:
        """Return the record of a message that was settled at a time."""
        outcome, settlement = message.outcome, message.settlement
        error = outcome.error if outcome is not None else None
        status, reason = _status(message)
        kind = type(error).__name__ if error is not None else ""
        trace = cut("".join(traceback.format_exception(error)), _LONGEST_TRACEBACK) if error is not None else ""
        if isinstance(settlement, DeadLetter):
            trace = trace or cut(settlement.traceback, _LONGEST_TRACEBACK)
        text = reason if error is None or status == DEAD_LETTER else _text(error)
        return TaskRecord(
            status=status,
            started=runs[-1].began if runs else None,
            finished=runs[-1].ended if runs else now,
            attempts=(outcome.attempts if outcome is not None else message.attempt) if runs else 0,
            timeline=tuple(Attempt(run.began, run.ended, _brief(run.error)) for run in runs),
            result=shown(outcome.result) if self._results and outcome is not None else None,
            error_type=kind,
            error=cut(text, _LONGEST_ERROR),
            traceback=trace,
            thread=runs[-1].thread if runs else 0,
            **self._of(message, now),
            **self._same,
        )

    def _of(self, message: Message, now: float) -> dict[str, Any]:
        extra = message.extra
        published = extra.get("publish_time")
        arguments = shown(self._mask(message.arguments))
        context = shown(extra.get(USER_CONTEXT))
        return {
            "task_id": message.task_id.encode(errors="replace").decode(),
            "published": float(published) if isinstance(published, (int, float)) else None,
            "arguments": arguments if isinstance(arguments, dict) else {"…": arguments},
            "extra": shown(extra),
            "context": context if isinstance(context, dict) else {},
            "expires": None if self._keep is None else now + self._keep,
        }


def _status(message: Message) -> tuple[str, str]:
    match message.settlement:
        case None:
            return (SUCCESS if message.outcome is None or message.outcome.success else FAILURE), ""
        case Drop(reason):
            return DROPPED, reason
        case DeadLetter(reason):
            return DEAD_LETTER, reason
        case Requeue() | Delay() | Release():
            return REQUEUED, ""


def _brief(error: BaseException | None) -> str:
    if error is None:
        return ""
    return cut(f"{type(error).__name__}: {_text(error)}", _LONGEST_ERROR)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's class may do anything
        return f"<{type(error).__name__}>"


_host_name = functools.cache(socket.gethostname)
