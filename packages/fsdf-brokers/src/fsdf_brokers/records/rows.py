"""A record as a row or a document: what lists show in fields of their own, the rest in one JSON text."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.records import Attempt, Count, TaskRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
LISTED = tuple(name for name in COLUMNS if name not in {"moment", "seconds", "detail"})
WHOLE = (*LISTED, "detail")
LONGEST_NAME = 512
"""Bytes of a task's id, a queue's name and an error's type: what an index of each database holds."""

NUMBERS = ("successes", "failures", "dropped", "requeued", "retries", "runs", "seconds_spent", "backlog")
"""Columns of a count after its step, second and queue."""

_TASK, _MOMENT = itemgetter(0), itemgetter(list(COLUMNS).index("moment"))

Row = tuple[Any, ...]
CountRow = tuple[Any, ...]
"""step, second, queue, then `NUMBERS`, the backlog -1 if unknown."""


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
        _json(record.arguments),
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


def latest(records: Sequence[TaskRecord]) -> list[Row]:
    """Return the rows of the latest record of each task, in one order for all writers: they lock rows."""
    ordered = sorted(map(row, records), key=_MOMENT)
    return sorted({each[0]: each for each in ordered}.values(), key=_TASK)


def record(columns: Sequence[str], values: Row) -> TaskRecord:
    """Return the record of a row with these columns."""
    fields: dict[str, Any] = {
        name: value.decode() if isinstance(value, bytes) else value for name, value in zip(columns, values, strict=True)
    }
    fields["function"] = fields.pop("callee")
    fields["arguments"] = orjson.loads(fields["arguments"])
    detail = orjson.loads(fields.pop("detail", "{}"))
    detail["timeline"] = tuple(Attempt(*run) for run in detail.get("timeline", ()))
    return TaskRecord(**fields, **detail)


def count(values: Row, step: int) -> Count:
    """Return a row of summed counts, its start rounded down to the step."""
    queue, second, successes, failures, dropped, requeued, retries, runs, spent, backlog = values
    return Count(
        queue=queue.decode() if isinstance(queue, bytes) else queue,
        second=int(second) // step * step,
        successes=int(successes),
        failures=int(failures),
        dropped=int(dropped),
        requeued=int(requeued),
        retries=int(retries),
        runs=int(runs),
        seconds_spent=float(spent),
        backlog=None if backlog < 0 else int(backlog),
    )


def summed(found: Iterable[Row], step: int) -> list[Count]:
    """Return rows of queue, second and numbers summed by queue and step."""
    sums: dict[tuple[str, int], list[Any]] = {}
    for queue, second, *numbers, backlog in found:
        total = sums.setdefault((queue, int(second) // step * step), [0] * 7 + [-1])
        total[:7] = [a + b for a, b in zip(total, numbers, strict=False)]
        total[7] = max(total[7], backlog)
    return [count((*key, *total), step) for key, total in sorted(sums.items())]


def count_rows(counts: Sequence[Count], steps: Sequence[int]) -> list[CountRow]:
    """Return the counts summed in each step, in one order for all writers: they lock rows, one after the other."""
    sums: dict[tuple[int, int, str], list[Any]] = {}
    for each in counts:
        numbers = [each.successes, each.failures, each.dropped, each.requeued, each.retries, each.runs]
        for step in steps:
            key = (step, each.second // step * step, name(each.queue))
            total = sums.setdefault(key, [0, 0, 0, 0, 0, 0, 0.0, -1])
            total[:6] = map(int.__add__, total[:6], numbers)
            total[6] += each.seconds_spent
            total[7] = max(total[7], -1 if each.backlog is None else each.backlog)
    return [(*key, *total) for key, total in sorted(sums.items())]


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
    return _json(detail) if detail else "{}"


def _json(value: Any) -> str:
    # PostgreSQL's text holds no NUL, nor does its JSON.
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode().replace("\\u0000", "\\ufffd")
