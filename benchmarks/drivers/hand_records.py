"""By hand, records alone: rows or documents of tasks that ran, 1000 at a time, and nothing else.

No queue, no answers, one thread. In SQLite with an id and what a list by time and by queue needs to be quick; in
MongoDB with an id only.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BATCH = 1000
NAMES = (
    "id", "queue", "function", "status", "moment", "published", "started", "finished", "seconds", "attempts",
    "arguments", "result", "worker", "host", "process", "thread", "script", "expires",
)  # fmt: skip
TABLES = (
    f"CREATE TABLE record (id TEXT PRIMARY KEY, {', '.join(NAMES[1:])})",
    "CREATE INDEX newest ON record (moment)",
    "CREATE INDEX newest_of_queue ON record (queue, moment)",
    "CREATE INDEX expiry ON record (expires)",
)
ROW = f"({', '.join('?' * len(NAMES))})"
# One statement, not executemany: sqlite3 lets go of the interpreter lock for each of its rows.
INSERT = "INSERT INTO record VALUES " + ", ".join([ROW] * BATCH)

Row = tuple[Any, ...]


class HandRecords(Driver):
    """Note what a task is called with, write it down, count it."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._calls: list[tuple[str, float, int]] = []
        self._write = _to_sqlite(setting.records) if setting.records.startswith("sqlite") else _to_mongodb(setting)

    def publish(self, numbers: Iterable[int]) -> None:
        # In order, as UUIDs of version 7 are: each goes to the end of the index.
        first = len(self._calls)
        self._calls += [(f"{first + place:036}", time.time(), number) for place, number in enumerate(numbers)]

    def publish_bulk(self, count: int) -> None:
        self.publish(range(count))

    def start(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        task, calls = self.setting.task, self._calls
        for first in range(0, len(calls), BATCH):
            some = calls[first : first + BATCH]
            self._write([_row(*call) for call in some])
            for _, _, number in some:
                task(number, 2)


def _row(task_id: str, published: float, number: int) -> Row:
    now = time.time()
    return (
        task_id, "bench", "task", "success", now, published, now, now, 0.0, 1,
        f'{{"x":{number},"y":2}}', "null", "worker", "host", 1, 1, "script", now + 86_400,
    )  # fmt: skip


def _to_sqlite(url: str) -> Callable[[list[Row]], None]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    for statement in TABLES:
        connection.execute(statement)

    def write(rows: list[Row]) -> None:
        insert = INSERT if len(rows) == BATCH else "INSERT INTO record VALUES " + ", ".join([ROW] * len(rows))
        connection.execute(insert, list(chain.from_iterable(rows)))

    return write


def _to_mongodb(setting: Setting) -> Callable[[list[Row]], None]:
    from pymongo import MongoClient  # noqa: PLC0415 - few runs need it

    client: MongoClient[dict[str, Any]] = MongoClient(setting.records)
    collection = client.get_default_database("bench")["hand_record"]

    def write(rows: list[Row]) -> None:
        collection.insert_many([dict(zip(("_id", *NAMES[1:]), row, strict=True)) for row in rows], ordered=False)

    return write


build = HandRecords
