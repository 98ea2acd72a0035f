"""Records of tasks that one consumer ran with success: what they share is there once, which is most of a row."""

from __future__ import annotations

from operator import sub
from typing import TYPE_CHECKING, Any, NamedTuple

from fsdf_core.record_row import COLUMNS
from fsdf_core.records import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_core.record_row import Row

SHARED = ("queue", "callee", "worker", "host", "process", "script", "expires")
"""Columns that are the same in all rows."""
OWN = ("task_id", "published", "started", "finished", "arguments", "thread", "detail")
"""Columns of which each row has its own value. What follows from these is in none: `moment` is `finished`, and
`seconds` what lies between that and `started`."""
_STARTED, _FINISHED = OWN.index("started"), OWN.index("finished")
CONSTANT = {"status": SUCCESS, "attempts": 1, "error_type": "", "error": ""}
"""Columns that are the same for each success without options."""


class SuccessRows(NamedTuple):
    """Rows in the form in which they are written fastest.

    Attributes:
        shared: values in the order of `SHARED`.
        values: those of `OWN`, of one row after the other, in a flat list, which takes the garbage collector no time.
    """

    shared: tuple[Any, ...]
    values: list[Any]

    @property
    def number(self) -> int:
        """How many rows."""
        return len(self.values) // len(OWN)

    def rows(self) -> Iterator[Row]:
        """Return them in the order of `COLUMNS`."""
        same = CONSTANT | dict(zip(SHARED, self.shared, strict=True))
        each = [iter(self.values)] * len(OWN)
        for own in zip(*each, strict=True):
            row: dict[str, Any] = same | dict(zip(OWN, own, strict=True))
            row["moment"], row["seconds"] = row["finished"], row["finished"] - row["started"]
            yield tuple(row[column] for column in COLUMNS)


def seconds_of(values: list[Any]) -> float:
    """Return how long the runs of `SuccessRows.values` took together."""
    spent: float = sum(map(sub, values[_FINISHED :: len(OWN)], values[_STARTED :: len(OWN)]))
    return spent
