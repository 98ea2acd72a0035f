"""The record tables in MySQL and MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.records.rows import NUMBERS, CountRow
from fsdf_brokers.records.sql.layout import INDEXES, Layout
from fsdf_brokers.states.sql.dialect import marks
from fsdf_brokers.states.sql.mysql import MySQL
from fsdf_core.record_row import COLUMNS, INTEGER, LONGEST_NAME, REAL, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.records.argument_path import Path

_OPTIONS = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
_TYPES = {name: {REAL: "DOUBLE", INTEGER: "BIGINT"}.get(kind, "MEDIUMTEXT") for name, kind in COLUMNS.items()} | {
    # Bytes: text compares equal with other cases, accents and trailing blanks.
    "task_id": f"VARBINARY({LONGEST_NAME}) NOT NULL",
    "queue": f"VARBINARY({LONGEST_NAME}) NOT NULL",
    "error_type": f"VARBINARY({LONGEST_NAME}) NOT NULL",
    "status": "VARBINARY(16) NOT NULL",
}
_TABLES = (
    "CREATE TABLE IF NOT EXISTS fsdf_record("
    + ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
    + ", PRIMARY KEY(task_id), "
    + ", ".join(f"INDEX {name}({', '.join(columns)})" for name, columns in INDEXES.items())
    + f") {_OPTIONS}",
    f"CREATE TABLE IF NOT EXISTS fsdf_record_count(step INT, second BIGINT, queue VARBINARY({LONGEST_NAME}), "
    + "".join(f"{name} {'DOUBLE' if name == 'seconds_spent' else 'BIGINT'} NOT NULL, " for name in NUMBERS)
    + f"PRIMARY KEY(step, second, queue)) {_OPTIONS}",
)
# Assignments run from left to right: what they are compared with is assigned last.
_FRESH = [name for name in COLUMNS if name not in {"task_id", "moment"}] + ["moment"]
_SAVE = (
    f"INSERT INTO fsdf_record({', '.join(COLUMNS)}) VALUES ({marks(len(COLUMNS))}) ON DUPLICATE KEY UPDATE "  # noqa: S608
    + ", ".join(f"{name} = IF(VALUES(moment) >= moment, VALUES({name}), {name})" for name in _FRESH)
)
_ADD = (
    f"INSERT INTO fsdf_record_count VALUES ({marks(3 + len(NUMBERS))}) ON DUPLICATE KEY UPDATE "  # noqa: S608
    + ", ".join(f"{name} = {name} + VALUES({name})" for name in NUMBERS if name != "backlog")
    + ", backlog = GREATEST(backlog, VALUES(backlog))"
)
_PRUNE = "DELETE FROM fsdf_record WHERE expires <= %s ORDER BY expires LIMIT %s"


class MySQLLayout(Layout, MySQL):
    """Statements of many rows: the driver puts them together."""

    def create(self, cursor: Any) -> None:
        """Create; the server serialises them. A user without the right to create can use what is there."""
        if cursor.execute("SHOW TABLES LIKE 'fsdf\\_record%'") < len(_TABLES):
            for statement in _TABLES:
                cursor.execute(statement)

    def hint(self, index: str) -> str:
        """Insist: an index in the right order is passed over for a guess."""
        return f"FORCE INDEX ({index})"

    def value_at(self, path: Path) -> tuple[str, list[Any]]:
        """The text of the value."""
        place = "$" + "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in path)
        return "JSON_UNQUOTE(JSON_EXTRACT(arguments, {}))", [place]

    def write(self, cursor: Any, rows: Sequence[Row], counts: Sequence[CountRow]) -> None:
        """Upsert."""
        if rows:
            cursor.executemany(_SAVE, rows)
        if counts:
            cursor.executemany(_ADD, counts)

    def prune(self, cursor: Any, now: float, limit: int) -> int:
        """Delete."""
        return int(cursor.execute(_PRUNE, (now, limit)))
