"""What the record store asks of a database beyond connections: its tables, its way to write, its words in searches."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from fsdf_brokers.records.rows import latest
from fsdf_brokers.states.sql.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.records.argument_path import Path
    from fsdf_brokers.records.rows import CountRow
    from fsdf_core.record_row import Row
    from fsdf_core.success_rows import SuccessRows

INDEXES = {
    "fsdf_record_newest": ("moment", "task_id"),
    "fsdf_record_queue": ("queue", "moment", "task_id"),
    "fsdf_record_status": ("status", "moment", "task_id"),
    "fsdf_record_queue_status": ("queue", "status", "moment", "task_id"),
    "fsdf_record_error": ("error_type", "moment", "task_id"),
    "fsdf_record_expires": ("expires",),
}
"""The columns of each index. Most tasks succeed: where a database can, they are not in those by status and error."""

PARTIAL = {
    "fsdf_record_status": "status <> 'success'",
    "fsdf_record_queue_status": "status <> 'success'",
    "fsdf_record_error": "error_type <> ''",
}
"""Conditions of the indexes that need not hold all rows; a query must repeat them as they are."""


class Layout(Dialect):
    """The record tables of one database.

    Attributes:
        mark: the driver's placeholder.
        like: the operator that finds text in text, whatever the case.
    """

    mark: ClassVar[str] = "%s"
    like: ClassVar[str] = "LIKE"

    @abstractmethod
    def hint(self, index: str) -> str:
        """Return what stands after the table's name to use an index; "" where the planner needs no help."""

    @abstractmethod
    def value_at(self, path: Path) -> tuple[str, list[Any]]:
        """Return an expression for the text of a value in the arguments, with its parameters."""

    def taken(self, values: Sequence[Any]) -> Sequence[Any]:
        """Return parameters as the database takes them."""
        return values

    @abstractmethod
    def write(self, cursor: Any, rows: Sequence[Row], counts: Sequence[CountRow]) -> None:
        """Upsert records, which are sorted by id, and add to counts, which are sorted by key."""

    def write_all(
        self, cursor: Any, records: Sequence[Row], successes: SuccessRows | None, counts: Sequence[CountRow]
    ) -> None:
        """Upsert records, which come in any order, several of one task among them, and add to counts."""
        self.write(cursor, latest(records, successes), counts)

    @abstractmethod
    def prune(self, cursor: Any, now: float, limit: int) -> int:
        """Delete up to `limit` expired records; return how many."""
