"""What a message's end looks like as a record, ready to be written."""

from __future__ import annotations

import functools
import os
import socket
import sys
import traceback
from typing import TYPE_CHECKING

import orjson

from fsdf_control.masking import Mask, cut, shown
from fsdf_core.message import Message
from fsdf_core.record_row import NO_DETAIL, json_text, name, row
from fsdf_core.records import DEAD_LETTER, DROPPED, FAILURE, REQUEUED, RUNNING, SUCCESS, Attempt, TaskRecord
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_control.run_times import Run
    from fsdf_core.record_row import Row
    from fsdf_core.verdict import Settlement

USER_CONTEXT = "user_context"
"""Key of `extra`: what the user's task added."""
_STAMPS = 3
"""Keys that `extra` has without options."""
_SHORT = 128
"""Characters of a task's id that certainly fit as they are."""
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

    def ended(self, message: Message, runs: Sequence[Run], now: float) -> Row:
        """Return the record of a message that was settled at a time."""
        outcome, settlement = message.outcome, message.settlement
        succeeded = settlement is None and (outcome is None or outcome.success)
        if succeeded and len(runs) == 1 and len(message.extra) <= _STAMPS and self._mask.needless(message.arguments):
            return self._simple(message, runs[0], now)
        record = self._record(message, SUCCESS if succeeded else _status(settlement), now)
        record.finished = now
        if runs:
            record.started, record.finished, _, record.thread = runs[-1]
            record.attempts = message.attempt if outcome is None else outcome.attempts
            if len(runs) > 1:
                record.timeline = tuple(Attempt(run.began, run.ended, _brief(run.error)) for run in runs)
        if outcome is not None and self._results:
            record.result = shown(outcome.result)
        if not succeeded:
            self._explain(record, message)
        return row(record)

    def _simple(self, message: Message, run: Run, now: float) -> Row:
        """Return what `row` would of a task's only run, a success without options: four times as fast."""
        began, ended, _, thread = run
        extra, outcome = message.extra, message.outcome
        task_id = message.task_id
        if len(task_id) > _SHORT or not task_id.isascii():
            task_id = name(_fitting(task_id))
        published = extra.get("publish_time")
        arguments = orjson.dumps(message.arguments).decode()
        result = outcome.result if outcome is not None and self._results else None
        return (
            task_id,
            self._queue_name,
            self._function,
            SUCCESS,
            ended,
            float(published) if isinstance(published, (int, float)) else None,
            began,
            ended,
            ended - began,
            message.attempt if outcome is None else outcome.attempts,
            arguments if "\\u0000" not in arguments else json_text(message.arguments),
            "",
            "",
            self._worker,
            self._host,
            self._process,
            thread,
            self._script,
            None if self._keep is None else now + self._keep,
            NO_DETAIL if result is None else json_text({"result": shown(result)}),
        )

    def _explain(self, record: TaskRecord, message: Message) -> None:
        error = message.outcome.error if message.outcome is not None else None
        match message.settlement:
            case Drop(reason):
                record.error = reason
            case DeadLetter(reason, _, trace):
                record.error, record.traceback = reason, trace
        if error is not None:
            record.error_type = type(error).__name__
            text = _text(error)
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
            expires=None if self._keep is None else now + self._keep,
        )
        if self._mask.needless(arguments):
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
    return cut(f"{type(error).__name__}: {_text(error)}", _LONGEST_ERROR)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the user's class may do anything
        return f"<{type(error).__name__}>"


_host_name = functools.cache(socket.gethostname)
