"""Successes in a SQLite file: many in one statement, as many as that takes."""

import sqlite3
import warnings

import pytest

from fsdf_brokers.records.sql.sqlite import _OLD_SIZES, _SIZES, SQLiteLayout
from fsdf_core.success_rows import SuccessRows

SHARED = ("q", "f", "w", "host", 1, "script", None)
NUMBERS = sorted({number for size in {*_SIZES, *_OLD_SIZES} for number in (0, 1, size - 1, size, size + 1)})


@pytest.mark.parametrize("number", [*NUMBERS, 4501])
@pytest.mark.parametrize("version", [(3, 24, 0), sqlite3.sqlite_version_info])
def test_all_are_written(monkeypatch, version, number):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        if version < (3, 32) and hasattr(connection, "setlimit"):
            connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        layout, cursor = SQLiteLayout(), connection.cursor()
        layout.create(cursor)
        values = [value for each in range(number) for value in (f"t{each:04}", 1.0, 0.25, each + 0.5, "{}", 7, "{}")]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            layout.write_all(cursor, [], SuccessRows(SHARED, values), [])
        asked = (
            "task_id, published, started, finished, moment, seconds, thread, queue, script, status, attempts, expires"
        )
        kept = cursor.execute(f"SELECT {asked} FROM fsdf_record ORDER BY task_id").fetchall()
        assert kept == [
            (f"t{each:04}", 1.0, 0.25, each + 0.5, each + 0.5, each + 0.25, 7, "q", "script", "success", 1, None)
            for each in range(number)
        ]
    finally:
        connection.close()


@pytest.mark.parametrize("moments", [(1.0, 2.0), (2.0, 1.0)])
def test_of_two_of_one_task_the_later_stays(moments):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        layout, cursor = SQLiteLayout(), connection.cursor()
        layout.create(cursor)
        values = [value for end in moments for value in ("t", 0.5, 0.5, end, "{}", 7, "{}")]
        filling = [value for each in range(498) for value in (f"o{each}", 1.0, 1.0, 1.5, "{}", 7, "{}")]
        layout.write_all(cursor, [], SuccessRows(SHARED, [*values, *filling]), [])
        assert cursor.execute("SELECT finished FROM fsdf_record WHERE task_id = 't'").fetchall() == [(2.0,)]
    finally:
        connection.close()
