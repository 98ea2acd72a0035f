"""What a message's end looks like as a record, ready to be written."""

from __future__ import annotations

import functools
import math
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

from fsdf_control.masking import Mask, cut, shown
from fsdf_core.error_text import brief, text_of
from fsdf_core.message import STAMPS
from fsdf_core.noting import runs_of
from fsdf_core.record_row import NO_DETAIL, json_text, name, row
from fsdf_core.records import DEAD_LETTER, DROPPED, FAILURE, REQUEUED, RUNNING, SUCCESS, Attempt, TaskRecord
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf_core.message import Message
    from fsdf_core.record_row import Row
    from fsdf_core.verdict import Settlement

USER_CONTEXT = "user_context"
"""Key of `extra`: what the user's task added."""
_STAMPS = len(STAMPS)
_PLAIN = frozenset({type(None), bool, int, float, str})
"""Types of results that are shown without surprises."""
_SHORT = 128
"""Characters of a task's id that certainly fit as they are."""
_LONGEST_ERROR, _LONGEST_TRACEBACK = 4_000, 20_000


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
        self._queue = queue
        self._queue_name = name(queue)
        self._function = function
        self._worker = worker
        self._host = _host_name()
        self._process = os.getpid()
        self._script = sys.argv[0] if sys.argv else ""

    def running(self, message: Message, began: float) -> Row:
        """Return the record of a message whose run has not ended."""
        record = self._record(message, RUNNING, began)
        record.started, record.attempts = began, message.attempt
        return row(record)

    def success(self, message: Message) -> tuple[Any, ...] | None:
        """Return what `row` would of a success that is soon told: four times as fast.

        Returns:
            Values in the order of `fsdf_core.success_rows.OWN`; None unless the message has no options, and its only
            run returned something plain, as its arguments are.
        """
        if (
            not message.ended
            or message.earlier
            or message.outcome is not None
            or message.settlement is not None
            or len(message.extra) > _STAMPS
        ):
            return None
        return self.simple_success(message)

    def simple_success(self, message: Message) -> tuple[Any, ...] | None:
        """As `success`, of a message without options whose only run returned, and that nobody settled otherwise."""
        result, arguments, extra = message.result, message.arguments, message.extra
        text = self._mask.text_of_plain(arguments)
        if text is None or type(result) not in _PLAIN:
            return None
        task_id = extra["task_id"]
        if type(task_id) is not str or len(task_id) > _SHORT or not task_id.isascii():
            task_id = name(_fitting(message.task_id))
        published = extra.get("publish_time")
        return (
            task_id,
            published if type(published) is float else float(published) if isinstance(published, int) else None,
            message.began,
            message.ended,
            text if "\\u0000" not in text else json_text(arguments),
            message.thread,
            NO_DETAIL if result is None or not self._results else json_text({"result": shown(result)}),
        )

    def shared(self, now: float) -> tuple[Any, ...]:
        """Return what all successes share that are written at a time, in the order of `SHARED`."""
        return (
            self._queue_name, self._function, self._worker, self._host, self._process, self._script, self._expiry(now),
        )  # fmt: skip

    def ended(self, message: Message, now: float) -> Row:
        """Return the record of a message that was settled at a time."""
        outcome, settlement = message.outcome, message.settlement
        succeeded = settlement is None and (outcome is None or outcome.success)
        record = self._record(message, SUCCESS if succeeded else _status(settlement), now)
        record.finished = now
        if runs := runs_of(message, now):
            record.started, record.finished, _, record.thread = runs[-1]
            record.attempts = message.attempt if outcome is None else outcome.attempts
            if len(runs) > 1:
                record.timeline = tuple(Attempt(run.began, run.ended, _brief(run.error)) for run in runs)
        if self._results and succeeded:
            record.result = shown(message.result if outcome is None else outcome.result)
        if not succeeded:
            self._explain(record, message)
        return row(record)

    def _expiry(self, now: float) -> float | None:
        """Return when a record may be deleted: at a full second, since what many rows share is written faster."""
        return None if self._keep is None else float(math.ceil(now + self._keep))

    def _explain(self, record: TaskRecord, message: Message) -> None:
        error = message.outcome.error if message.outcome is not None else None
        match message.settlement:
            case Drop(reason):
                record.error = reason
            case DeadLetter(reason, _, trace):
                record.error, record.traceback = reason, trace
        if error is not None:
            record.error_type = type(error).__name__
            text = text_of(error)
            record.error = f"{record.error}: {text}" if record.error and text not in record.error else text
            record.traceback = "".join(traceback.format_exception(error))
        record.error = cut(record.error, _LONGEST_ERROR)
        record.traceback = cut(record.traceback, _LONGEST_TRACEBACK)

    def _record(self, message: Message, status: str, now: float) -> TaskRecord:
        extra, arguments = message.extra, message.arguments
        published = extra.get("publish_time")
        task_id = message.task_id
        record = TaskRecord(
            task_id if task_id.isascii() else _fitting(task_id),
            self._queue,
            self._function,
            status,
            float(published) if isinstance(published, (int, float)) else None,
            worker=self._worker,
            host=self._host,
            process=self._process,
            script=self._script,
            expires=self._expiry(now),
        )
        if self._mask.text_of_plain(arguments) is not None:
            record.arguments = arguments
        else:
            data = shown(self._mask(arguments))
            record.arguments = data if isinstance(data, dict) else {"…": data}
        if len(extra) > _STAMPS:
            control_data = shown(self._mask(extra))
            if isinstance(control_data, dict):
                context = control_data.pop(USER_CONTEXT, None)
                record.extra, record.context = control_data, context if isinstance(context, dict) else {}
        return record


def _fitting(text: str) -> str:
    return text.encode(errors="replace").decode()


def _status(settlement: Settlement | None) -> str:
    match settlement:
        case None:
            return FAILURE
        case Drop():
            return DROPPED
        case DeadLetter():
            return DEAD_LETTER
        case Requeue() | Delay() | Release():
            return REQUEUED


def _brief(error: BaseException | None) -> str:
    if error is None:
        return ""
    return cut(brief(error), _LONGEST_ERROR)


_host_name = functools.cache(socket.gethostname)
