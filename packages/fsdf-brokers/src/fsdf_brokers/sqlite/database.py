"""One SQLite file: connections, transactions, clear errors, and waiting for a change."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import weakref
from typing import TYPE_CHECKING, Any

from fsdf_brokers.sqlite.schema import STATEMENTS, VERSION
from fsdf_core.backoff import Backoff
from fsdf_core.errors import BrokerError, BrokerUnavailable, StorageError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.03
"""Seconds between two looks at whether another process changed the file; this one's changes wake at once."""
_CHECKPOINT_PAGES = 4000
"""Pages of the log (16 MB) after which a commit copies them into the file; SQLite's own default is 1000. Fewer
copies: most pages of a queue are rewritten or freed before their turn comes."""


class Database:
    """A file opened at first use.

    All writers of the process share one connection: they never wait for SQLite's lock among themselves, only for
    other processes.

    Args:
        path: the file; its folder is created with mode 0700.
        busy_timeout: seconds to wait for other processes' locks before BrokerUnavailable.
    """

    def __init__(self, path: Path, busy_timeout: float) -> None:
        self.path = path
        self._busy_timeout = busy_timeout
        self._reset()
        _databases.add(self)

    def _reset(self) -> None:
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._changed = threading.Condition()
        self._changes = 0
        self._waiting = 0
        self._writer: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._reader: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the file's write lock; commit at the end, roll back on an error.

        Raises:
            BrokerUnavailable: another process held the lock for longer than the busy timeout.
            StorageError: the file cannot be written.
        """
        with self._write_lock, self._clear_errors():
            connection = self._open_writer()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str, arguments: tuple[Any, ...]) -> None:
        """Run one statement as a transaction of its own.

        Raises:
            BrokerUnavailable: as `transaction`.
            StorageError: as `transaction`.
        """
        with self._write_lock:
            try:
                (self._cursor or self._open_writer().cursor()).execute(statement, arguments)
            except sqlite3.Error as error:
                raise self._clear(error) from error

    def read(self, statement: str, arguments: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query, without waiting for writers."""
        with self._read_lock, self._clear_errors():
            return self._open_reader().execute(statement, arguments).fetchall()

    def announce(self) -> None:
        """Wake this process's waiting receivers."""
        # Counted without the lock: a lost count still differs from what a receiver saw before.
        self._changes += 1
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    def replaced(self) -> bool:
        """Return whether the file that is open was deleted, or another one put in its place."""
        return self._file is not None and _identity(self.path) != self._file

    def version(self) -> tuple[int, int]:
        """Return what differs after any change of the file, by this process or another."""
        return self._changes, self.read("PRAGMA data_version")[0][0]

    def wait(self, version: tuple[int, int], timeout: float) -> None:
        """Wait until the file differs from the version, or for `timeout` seconds."""
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        with self._changed:
            self._waiting += 1
            try:
                while self.version() == version:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return
                    self._changed.wait(min(pause, left))
                    pause = min(pause * 2, _LONGEST_PAUSE)
            finally:
                self._waiting -= 1

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._read_lock, self._write_lock:
            for connection in (self._writer, self._reader):
                if connection is not None:
                    connection.close()
            self._writer = self._reader = self._cursor = None

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect()
            self._file = _identity(self.path)
            self._cursor = self._writer.cursor()
        return self._writer

    def _open_reader(self) -> sqlite3.Connection:
        if self._reader is None:
            with self._write_lock:
                self._open_writer()  # creates the tables
            self._reader = self._connect()
        return self._reader

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"cannot create the folder {self.path.parent}: {error}. Set FSDF_HOME") from error
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        self._switch_to_wal(connection)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in STATEMENTS:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={VERSION}")
            elif found != VERSION:
                raise StorageError(f"{self.path} was made by another version of fsdf: set FSDF_HOME to a new folder")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _switch_to_wal(self, connection: sqlite3.Connection) -> None:
        """Insist: SQLite does not honour the busy timeout while other processes switch too."""
        deadline = time.monotonic() + self._busy_timeout
        backoff = Backoff(0.005, 0.2)
        pause = threading.Event()
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                pause.wait(backoff.next())
            else:
                return

    @contextlib.contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._clear(error) from error

    def _clear(self, error: sqlite3.Error) -> BrokerError:
        text = str(error)
        if "full" in text and self._writer is not None:
            # The log may hold much that a checkpoint frees; whoever tries again finds that room.
            with contextlib.suppress(sqlite3.Error):
                self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if "locked" in text or "busy" in text:
            return BrokerUnavailable(f"{self.path} was locked by another process for {self._busy_timeout:g} s: {text}")
        return StorageError(
            f"{self.path} cannot be used: {text}. Check disk space and permissions, or set FSDF_HOME to another folder"
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[sqlite3.Connection | sqlite3.Cursor | None] = []
"""Connections of a parent process: SQLite forbids to use or to close them in a child."""


def _forget_after_fork() -> None:
    for database in list(_databases):
        _inherited.extend((database._writer, database._cursor, database._reader))  # noqa: SLF001 - this module's own class
        database._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
