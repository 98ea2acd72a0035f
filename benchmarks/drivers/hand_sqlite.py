"""By hand, SQLite, the limit: batched claims and batched deletes, safe against `kill -9`.

One thread owns the connection: it claims a batch in one transaction, hands it to the workers, and deletes
what they have done in one transaction. With a connection for each thread they wait for each other's lock.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from typing import TYPE_CHECKING

import orjson

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 1000
CHUNK = 100
IDLE_WAIT = 0.05
TABLE = (
    "CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL)"
)
READY = "CREATE INDEX IF NOT EXISTS ready ON message (id) WHERE state = 0"
INSERT = "INSERT INTO message (body) VALUES (?)"
CLAIM = (
    "UPDATE message SET state = 1 WHERE id IN"
    " (SELECT id FROM message WHERE state = 0 ORDER BY id LIMIT ?) RETURNING id, body"
)
# One statement, not executemany: sqlite3 lets go of the interpreter lock for each of its rows.
DELETE = "DELETE FROM message WHERE id IN (SELECT value FROM json_each(?))"

Rows = list[tuple[int, bytes]]


class HandSqlite(Driver):
    """Claim N, decode, call, delete N."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._path = setting.folder / "hand.sqlite"
        self._producer = self._connect()
        self._todo: queue.SimpleQueue[Rows] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Rows] = queue.SimpleQueue()

    def publish(self, numbers: Iterable[int]) -> None:
        execute, dumps = self._producer.execute, orjson.dumps
        for number in numbers:
            execute(INSERT, (dumps({"x": number, "y": 2}),))

    def publish_bulk(self, count: int) -> None:
        dumps = orjson.dumps
        self._producer.execute("BEGIN IMMEDIATE")
        self._producer.executemany(INSERT, [(dumps({"x": number, "y": 2}),) for number in range(count)])
        self._producer.execute("COMMIT")

    def start(self) -> None:
        for _ in range(self.setting.workers):
            threading.Thread(target=self._work, daemon=True).start()
        threading.Thread(target=self._dispatch, daemon=True).start()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(TABLE)
        connection.execute(READY)
        return connection

    def _work(self) -> None:
        take, give = self._todo.get, self._done.put
        loads, task = orjson.loads, self.setting.task
        while True:
            rows = take()
            for _, body in rows:
                task(**loads(body))
            give(rows)

    def _dispatch(self) -> None:
        connection = self._connect()
        held = 0
        while True:
            # Two batches are out at once, so that the workers have one while the other is written.
            if held < 2 * BATCH:
                rows = connection.execute(CLAIM, (BATCH,)).fetchall()
                for begin in range(0, len(rows), CHUNK):
                    self._todo.put(rows[begin : begin + CHUNK])
                held += len(rows)
            held -= self._acknowledge(connection)

    def _acknowledge(self, connection: sqlite3.Connection) -> int:
        try:
            done = self._done.get(timeout=IDLE_WAIT)
        except queue.Empty:
            return 0
        while not self._done.empty():
            done = done + self._done.get()
        connection.execute(DELETE, (str([number for number, _ in done]),))
        return len(done)


build = HandSqlite
