"""A record as a row or a document: what lists show in fields of their own, the rest in one JSON text."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.record_row import COLUMNS, Row, name
from fsdf_core.records import Attempt, Count, TaskRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_core.success_rows import SuccessRows

LISTED = tuple(name for name in COLUMNS if name not in {"moment", "seconds", "detail"})
WHOLE = (*LISTED, "detail")
NUMBERS = ("successes", "failures", "dropped", "requeued", "retries", "runs", "seconds_spent", "backlog")
"""Columns of a count after its step, second and queue."""

_TASK, _MOMENT = itemgetter(0), itemgetter(list(COLUMNS).index("moment"))

CountRow = tuple[Any, ...]
"""step, second, queue, then `NUMBERS`, the backlog -1 if unknown."""


def latest(rows: Sequence[Row], successes: SuccessRows | None = None) -> list[Row]:
    """Return the latest row of each task, in one order for all writers: they lock rows."""
    ordered = sorted(rows if successes is None else [*rows, *successes.rows()], key=_MOMENT)
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
