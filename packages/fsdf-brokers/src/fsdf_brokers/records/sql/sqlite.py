"""The record tables in a SQLite file."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fsdf_brokers.records.rows import NUMBERS, CountRow
from fsdf_brokers.records.sql.layout import INDEXES, PARTIAL, Layout
from fsdf_brokers.states.sql.dialect import marks
from fsdf_brokers.states.sql.sqlite import SQLite
from fsdf_core.record_row import COLUMNS, Row
from fsdf_core.success_rows import CONSTANT, OWN, SHARED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.records.argument_path import Path
    from fsdf_core.success_rows import SuccessRows

_REQUIRED = ("queue", "status", "moment")


def _keys(index: str, columns: Sequence[str]) -> list[str]:
    """Return an index's columns: without the id, most of its bytes, if it holds all rows.

    It is there for the order of the few rows of one moment, which SQLite sorts as well when they are read.
    """
    return [column for column in columns if column != "task_id" or index in PARTIAL]


_TABLES = (
    "CREATE TABLE IF NOT EXISTS fsdf_record(task_id TEXT PRIMARY KEY NOT NULL, "
    + ", ".join(
        f"{name} {kind.upper()}{' NOT NULL' if name in _REQUIRED else ''}"
        for name, kind in COLUMNS.items()
        if name != "task_id"
    )
    + ")",
    *(
        f"CREATE INDEX IF NOT EXISTS {name} ON fsdf_record({', '.join(_keys(name, columns))})"
        + (f" WHERE {PARTIAL[name]}" if name in PARTIAL else "")
        for name, columns in INDEXES.items()
    ),
    "CREATE TABLE IF NOT EXISTS fsdf_record_count(step INTEGER, second INTEGER, queue TEXT, "
    + "".join(f"{name} {'REAL' if name == 'seconds_spent' else 'INTEGER'} NOT NULL, " for name in NUMBERS)
    + "PRIMARY KEY(step, second, queue)) WITHOUT ROWID",
)
_FRESH = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "task_id")
_SIZES, _OLD_SIZES = (5, 50, 500, 2000), (5, 50, 100)
"""Successes that one statement has room for: the interpreter's lock is given up for each statement, and it takes 5 ms
to get it back from busy tasks. SQLite before 3.32 takes 999 values."""
_ADD = (
    f"INSERT INTO fsdf_record_count AS c VALUES({marks(3 + len(NUMBERS), '?')}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = c.{name} + excluded.{name}" for name in NUMBERS if name != "backlog")
    + ", backlog = max(c.backlog, excluded.backlog)"
)
_PRUNE = """DELETE FROM fsdf_record WHERE rowid IN
(SELECT rowid FROM fsdf_record WHERE expires <= ? ORDER BY expires LIMIT ?)"""


def _save(columns: Sequence[str], rows: str) -> str:
    return f"""INSERT INTO fsdf_record({", ".join(columns)}) {rows}
    ON CONFLICT(task_id) DO UPDATE SET {_FRESH} WHERE excluded.moment >= fsdf_record.moment"""


@cache
def _successes(rows: int) -> str:
    """Return a statement for so many, which is given once what they share. Rows of empty text are none.

    Not by numbered placeholders: Python 3.12 looks for the name of each value in a list of all that have one.
    """
    constants = (f"'{value}'" if isinstance(value, str) else str(value) for value in CONSTANT.values())
    shared = f"SELECT {', '.join((marks(len(SHARED), '?'), *constants))}"
    own = ", ".join([f"({marks(len(OWN), '?')})"] * rows)
    columns = (*SHARED, *CONSTANT, *OWN, "moment", "seconds")
    return _save(
        columns,
        f"WITH s AS ({shared}), o({', '.join(OWN)}) AS (VALUES {own}) "  # noqa: S608 - names of ours
        "SELECT s.*, o.*, o.finished, o.finished - o.started FROM s CROSS JOIN o WHERE o.finished <> ''",
    )


_SAVE_ONE = _save(tuple(COLUMNS), f"VALUES ({marks(len(COLUMNS), '?')})")


class SQLiteLayout(Layout, SQLite):
    """Few rows a statement: there is no round trip to save."""

    mark = "?"

    def create(self, cursor: Any) -> None:
        """Create under the file's write lock."""
        found = cursor.execute("SELECT count(*) FROM sqlite_master WHERE name GLOB 'fsdf_record*'").fetchone()
        if found[0] == len(_TABLES):
            return
        cursor.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            cursor.execute(statement)
        cursor.execute("COMMIT")

    def hint(self, index: str) -> str:
        """Insist: without statistics SQLite guesses."""
        return f"INDEXED BY {index}"

    def value_at(self, path: Path) -> tuple[str, list[Any]]:
        """JSON's true, false and null are numbers and nothing in SQL."""
        place = "$" + "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in path)
        kind, text = "json_type(arguments, {})", "CAST(json_extract(arguments, {}) AS TEXT)"
        return f"CASE WHEN {kind} IN ('true', 'false', 'null') THEN {kind} ELSE {text} END", [place] * 3

    def write(self, cursor: Any, rows: Sequence[Row], counts: Sequence[CountRow]) -> None:
        """Upsert."""
        cursor.executemany(_SAVE_ONE, rows)
        cursor.executemany(_ADD, counts)

    def write_all(
        self, cursor: Any, records: Sequence[Row], successes: SuccessRows | None, counts: Sequence[CountRow]
    ) -> None:
        """Upsert successes as they come: of two of one task, the condition of the statement keeps the later."""
        super().write_all(cursor, records, None, counts)
        if successes is not None:
            self._write_successes(cursor, successes)

    def _write_successes(self, cursor: Any, successes: SuccessRows) -> None:
        import sqlite3  # noqa: PLC0415 - other databases do without

        shared, values = successes
        sizes = _SIZES if sqlite3.sqlite_version_info >= (3, 32) else _OLD_SIZES
        for first in range(0, len(values), sizes[-1] * len(OWN)):
            own = values[first : first + sizes[-1] * len(OWN)]
            size = next(size for size in sizes if size * len(OWN) >= len(own))
            cursor.execute(_successes(size), (*shared, *own, *[""] * (size * len(OWN) - len(own))))

    def prune(self, cursor: Any, now: float, limit: int) -> int:
        """Delete."""
        return int(cursor.execute(_PRUNE, (now, limit)).rowcount)
