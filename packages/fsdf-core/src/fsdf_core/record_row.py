"""A record as a flat row, the form in which it is written: what lists show in columns, the rest in one JSON text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from fsdf_core.records import TaskRecord

TEXT, REAL, INTEGER = "text", "real", "integer"
COLUMNS = {
    "task_id": TEXT,
    "queue": TEXT,
    "callee": TEXT,  # the function: a reserved word
    "status": TEXT,
    "moment": REAL,
    "published": REAL,
    "started": REAL,
    "finished": REAL,
    "seconds": REAL,
    "attempts": INTEGER,
    "arguments": TEXT,
    "error_type": TEXT,
    "error": TEXT,
    "worker": TEXT,
    "host": TEXT,
    "process": INTEGER,
    "thread": INTEGER,
    "script": TEXT,
    "expires": REAL,
    "detail": TEXT,
}
"""Names of the columns, with what is in them."""
LONGEST_NAME = 512
"""Bytes of a task's id, a queue's name and an error's type: what an index of each database holds."""

Row = tuple[Any, ...]
"""Values in the order of `COLUMNS`: text, numbers and None, which take the garbage collector no time."""

NO_DETAIL = "{}"


def name(text: str) -> str:
    """Return what is kept of an indexed name."""
    return text if len(text) <= LONGEST_NAME // 4 else text.encode()[:LONGEST_NAME].decode(errors="ignore")


def row(record: TaskRecord) -> Row:
    """Return a record in the order of `COLUMNS`."""
    return (
        name(record.task_id),
        name(record.queue),
        record.function,
        record.status,
        record.moment,
        record.published,
        record.started,
        record.finished,
        record.seconds,
        record.attempts,
        json_text(record.arguments),
        name(record.error_type),
        record.error.replace("\0", "\ufffd"),
        record.worker,
        record.host,
        record.process,
        record.thread,
        record.script,
        record.expires,
        _detail(record),
    )


def _detail(record: TaskRecord) -> str:
    detail: dict[str, Any] = {}
    if record.result is not None:
        detail["result"] = record.result
    if record.timeline:
        detail["timeline"] = [tuple(run) for run in record.timeline]
    if record.extra:
        detail["extra"] = record.extra
    if record.traceback:
        detail["traceback"] = record.traceback
    if record.context:
        detail["context"] = record.context
    return json_text(detail) if detail else NO_DETAIL


def json_text(value: Any) -> str:
    """Return JSON as every database takes it."""
    # PostgreSQL's text holds no NUL, nor does its JSON.
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode().replace("\\u0000", "\\ufffd")
