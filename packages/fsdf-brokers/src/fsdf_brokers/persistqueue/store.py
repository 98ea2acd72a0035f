"""persist-queue's ack queue with what it lacks: batches, owners of unacknowledged items, counted claims.

The library's table is used as it is, so its own programs can read and fill it. Owners and counts are kept in
a table beside it, by item id. Every change is one transaction that takes SQLite's write lock first; the
library's own `get` selects and updates without it, so two processes could get the same item.

In the statements, `ack_queue_default` is the library's table. Its status is below 2 for what is ready,
2 for what is unacknowledged.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from persistqueue import SQLiteAckQueue, sqlackqueue, sqlbase
from persistqueue.sqlackqueue import AckStatus

from fsdf_core.errors import BrokerUnavailable, StorageError
from fsdf_core.green.native import threading, use_native_locks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

use_native_locks(sqlackqueue, sqlbase)

_LOCK_TIMEOUT = 30.0
_PAUSE = 0.02
_READY, _UNACKED = int(AckStatus.ready), int(AckStatus.unack)


class AsItIs:
    """The serializer: bodies are bytes already. The library's default, pickle, may run code when it reads."""

    @staticmethod
    def dumps(value: bytes, sort_keys: bool = False) -> bytes:  # noqa: ARG004, FBT001, FBT002 - the library's form
        """Return the value."""
        return value

    @staticmethod
    def loads(value: bytes) -> bytes:
        """Return the value."""
        return value


class Store(SQLiteAckQueue):  # type: ignore[misc,unused-ignore] # its types are partial
    """The items of one queue, in a file of its own. Thread-safe, process-safe.

    The library's waiting in `get` and its size in memory are not used: they know of one process only.

    Args:
        folder: of the file; created if need be.
        file_name: of the file.

    Raises:
        BrokerUnavailable: another process held the file's lock for 30 s.
        StorageError: the file cannot be opened or written.
    """

    _getter: Any = None  # the library closes what it never opened
    _putter: Any = None

    def __init__(self, folder: Path, file_name: str) -> None:
        self._file = folder / file_name
        self.process = os.getpid()
        deadline = time.monotonic() + _LOCK_TIMEOUT
        with self._translated():
            while not self._opened(folder, file_name, deadline):
                threading.Event().wait(_PAUSE)

    def _opened(self, folder: Path, file_name: str, deadline: float) -> bool:
        try:
            self._open(folder, file_name)
        except sqlite3.OperationalError as error:
            self.close()
            # The switch to WAL does not wait for another process that switches, too.
            if not _locked(error) or time.monotonic() > deadline:
                raise
            return False
        return True

    def _open(self, folder: Path, file_name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)  # the library fails if somebody else makes it meanwhile
        super().__init__(
            str(folder),
            auto_resume=False,  # it would resume what other processes are running
            multithreading=True,
            timeout=_LOCK_TIMEOUT,
            serializer=AsItIs,
            db_file_name=file_name,
        )
        with self._transaction() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS fsdf_claims "
                "(_id INTEGER PRIMARY KEY, owner TEXT, deliveries INTEGER NOT NULL)"
            )

    def _new_db_connection(self, path: str, multithreading: bool, timeout: float) -> sqlite3.Connection:  # noqa: FBT001 - the library's form
        """Connect as the library does, but leave no connection open where the file cannot be used."""
        connection = sqlite3.connect(
            f"{path}/{self.db_file_name}", timeout=timeout, check_same_thread=not multithreading
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def append(self, bodies: Sequence[bytes]) -> None:
        """Add items at the end, durably."""
        now = time.time()
        with self._transaction() as cursor:
            cursor.executemany(self._sql_insert, [(body, now) for body in bodies])

    def claim(self, owner: str, limit: int) -> list[tuple[int, Any, int]]:
        """Make up to `limit` items the owner's; return (id, body, claims so far, this one included)."""
        if not self._any_ready():
            return []
        with self._transaction() as cursor:
            rows = cursor.execute(
                "SELECT t._id, t.data, COALESCE(c.deliveries, 0) + 1 FROM ack_queue_default t "
                "LEFT JOIN fsdf_claims c ON c._id = t._id WHERE t.status < 2 ORDER BY t._id LIMIT ?",
                (limit,),
            ).fetchall()
            self._mark(cursor, [(row[0],) for row in rows], _UNACKED)
            cursor.executemany(
                "INSERT OR REPLACE INTO fsdf_claims (_id, owner, deliveries) VALUES (?, ?, ?)",
                [(row[0], owner, row[2]) for row in rows],
            )
        return rows

    def delete(self, owner: str, ids: Sequence[int]) -> None:
        """Delete those of the items that are the owner's."""
        with self._transaction() as cursor:
            self._drop(cursor, self._owned(cursor, owner, ids))

    def send_back(self, owner: str, ids: Sequence[int]) -> None:
        """Move those of the items that are the owner's to the end, as if they were new."""
        now = time.time()
        with self._transaction() as cursor:
            owned = self._owned(cursor, owner, ids)
            cursor.executemany(
                "INSERT INTO ack_queue_default (data, timestamp, status) "
                "SELECT data, ?, 1 FROM ack_queue_default WHERE _id = ?",
                [(now, key[0]) for key in owned],
            )
            self._drop(cursor, owned)

    def give_back(self, owner: str, ids: Sequence[int] | None = None) -> int:
        """Make the owner's items ready again, at their place; return how many.

        Args:
            owner: of the items.
            ids: items that were not started, so that the claim does not count; None: all, and it counts.
        """
        with self._transaction() as cursor:
            if ids is None:
                owned = cursor.execute("SELECT _id FROM fsdf_claims WHERE owner = ?", (owner,)).fetchall()
            else:
                owned = self._owned(cursor, owner, ids)
            self._mark(cursor, owned, _READY)
            cursor.executemany(
                "UPDATE fsdf_claims SET owner = NULL, deliveries = deliveries - ? WHERE _id = ?",
                [(int(ids is not None), *key) for key in owned],
            )
        return len(owned)

    def clear_ready(self) -> int:
        """Delete the items that nobody owns; return how many."""
        with self._transaction() as cursor:
            count = cursor.execute("DELETE FROM ack_queue_default WHERE status < 2").rowcount
            cursor.execute("DELETE FROM fsdf_claims WHERE owner IS NULL")
        return int(count)

    def owners(self) -> list[str]:
        """Return who owns items."""
        return [row[0] for row in self._read("SELECT DISTINCT owner FROM fsdf_claims WHERE owner NOTNULL")]

    def counts(self) -> tuple[int, int]:
        """Return the numbers of ready and of unacknowledged items."""
        (row,) = self._read("SELECT COALESCE(SUM(status < 2), 0), COALESCE(SUM(status = 2), 0) FROM ack_queue_default")
        return row[0], row[1]

    def version(self) -> int:
        """Return a number that changes whenever anybody changed the file."""
        return int(self._read("PRAGMA data_version")[0][0])

    def _any_ready(self) -> bool:
        return bool(self._read("SELECT 1 FROM ack_queue_default WHERE status < 2 LIMIT 1"))

    def _read(self, statement: str) -> list[Any]:
        with self._translated(), self.action_lock:
            rows: list[Any] = self._getter.execute(statement).fetchall()
            return rows

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        """Hold SQLite's write lock, in all processes; the library's connection and lock are used."""
        with self._translated(), self.tran_lock:
            try:
                self._putter.execute("BEGIN IMMEDIATE")
                yield self._putter.cursor()
                self._putter.commit()
            except BaseException:
                self._putter.rollback()
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.OperationalError) and _locked(error):
                raise BrokerUnavailable(
                    f"{self._file} was locked by another process for {_LOCK_TIMEOUT:g} s: {error}"
                ) from error
            raise StorageError(
                f"{self._file} cannot be used: {error}. Check disk space and permissions, or set FSDF_HOME"
            ) from error

    def _mark(self, cursor: sqlite3.Cursor, keys: list[tuple[int]], status: int) -> None:
        cursor.executemany("UPDATE ack_queue_default SET status = ? WHERE _id = ?", [(status, *key) for key in keys])

    def _drop(self, cursor: sqlite3.Cursor, keys: list[tuple[int]]) -> None:
        cursor.executemany("DELETE FROM ack_queue_default WHERE _id = ?", keys)
        cursor.executemany("DELETE FROM fsdf_claims WHERE _id = ?", keys)

    @staticmethod
    def _owned(cursor: sqlite3.Cursor, owner: str, ids: Sequence[int]) -> list[tuple[int]]:
        query = "SELECT 1 FROM fsdf_claims WHERE _id = ? AND owner = ?"
        return [(key,) for key in ids if cursor.execute(query, (key, owner)).fetchone()]


def _locked(error: sqlite3.OperationalError) -> bool:
    return "locked" in str(error) or "busy" in str(error)
