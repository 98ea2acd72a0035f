"""The record tables in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.records.rows import NUMBERS, CountRow
from fsdf_brokers.records.sql.layout import INDEXES, PARTIAL, Layout
from fsdf_brokers.states.sql.postgresql import PostgreSQL
from fsdf_core.record_row import COLUMNS, INTEGER, REAL, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.records.argument_path import Path

_TYPES = {name: {REAL: "float8", INTEGER: "bigint"}.get(kind, "text") for name, kind in COLUMNS.items()}
# Names compare byte by byte, as they do in the other databases.
_NAMES = ("task_id", "queue", "status", "error_type")
_COUNTS = {"step": "int", "second": "bigint", "queue": "text"} | {
    name: "float8" if name == "seconds_spent" else "bigint" for name in NUMBERS
}
_EXACTLY = ' COLLATE "C" NOT NULL'
_CREATE = ";\n".join(
    (
        "SELECT pg_advisory_xact_lock(7013402662)",
        "CREATE TABLE IF NOT EXISTS fsdf_record("
        + ", ".join(f"{name} {kind}{_EXACTLY if name in _NAMES else ''}" for name, kind in _TYPES.items())
        + ", PRIMARY KEY(task_id))",
        *(
            f"CREATE INDEX IF NOT EXISTS {name} ON fsdf_record({', '.join(columns)})"
            + (f" WHERE {PARTIAL[name]}" if name in PARTIAL else "")
            for name, columns in INDEXES.items()
        ),
        "CREATE TABLE IF NOT EXISTS fsdf_record_count("
        + ", ".join(f"{name} {kind}{_EXACTLY if kind == 'text' else ' NOT NULL'}" for name, kind in _COUNTS.items())
        + ", PRIMARY KEY(step, second, queue))",
    )
)
_SAVE = (
    f"INSERT INTO fsdf_record({', '.join(COLUMNS)}) SELECT * FROM unnest("  # noqa: S608
    + ", ".join(f"%b::{kind}[]" for kind in _TYPES.values())
    + ") ON CONFLICT(task_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "task_id")
    + " WHERE excluded.moment >= fsdf_record.moment"
)
_ADD = (
    "INSERT INTO fsdf_record_count AS c SELECT * FROM unnest("  # noqa: S608
    + ", ".join(f"%b::{kind}[]" for kind in _COUNTS.values())
    + ") ON CONFLICT(step, second, queue) DO UPDATE SET "
    + ", ".join(f"{name} = c.{name} + excluded.{name}" for name in NUMBERS if name != "backlog")
    + ", backlog = greatest(c.backlog, excluded.backlog)"
)
_PRUNE = """DELETE FROM fsdf_record WHERE task_id IN
(SELECT task_id FROM fsdf_record WHERE expires <= %s ORDER BY expires LIMIT %s FOR UPDATE SKIP LOCKED)"""


class PostgreSQLLayout(Layout, PostgreSQL):
    """Statements with whole columns as arguments."""

    begin = "BEGIN"  # type: ignore[assignment] # the state's operations are one statement each
    like = "ILIKE"

    def create(self, cursor: Any) -> None:
        """Create under an advisory lock; a user without the right to create can use what is there."""
        found = cursor.execute("SELECT to_regclass('fsdf_record'), to_regclass('fsdf_record_count')")
        if None in found.fetchone():
            cursor.execute(_CREATE)

    def hint(self, index: str) -> str:  # noqa: ARG002 - PostgreSQL has no hints
        """None: the planner knows the data."""
        return ""

    def value_at(self, path: Path) -> tuple[str, list[Any]]:
        """An array of names and indexes; JSON's null is text, too."""
        names = [str(part) for part in path]
        null = "CASE WHEN arguments::jsonb #> {}::text[] = 'null' THEN 'null' END"
        return f"coalesce(arguments::jsonb #>> {{}}::text[], {null})", [names, names]

    def taken(self, values: Sequence[Any]) -> list[Any]:
        """Its text holds no NUL."""
        return [
            value.replace("\0", "\ufffd") if isinstance(value, str)
            else self.taken(value) if isinstance(value, list)
            else value
            for value in values
        ]  # fmt: skip

    def write(self, cursor: Any, rows: Sequence[Row], counts: Sequence[CountRow]) -> None:
        """Upsert."""
        if rows:
            cursor.execute(_SAVE, list(map(self._column, _TYPES, zip(*rows, strict=True))))
        if counts:
            cursor.execute(_ADD, list(map(self._column, _COUNTS, zip(*counts, strict=True))))

    def prune(self, cursor: Any, now: float, limit: int) -> int:
        """Delete what nobody else deletes."""
        return int(cursor.execute(_PRUNE, (now, limit)).rowcount)

    def _column(self, name: str, values: Sequence[Any]) -> list[Any]:
        return self.taken(values) if name in _NAMES else list(values)
