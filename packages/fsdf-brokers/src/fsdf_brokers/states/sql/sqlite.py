"""The state tables in a SQLite file. Time is the host's: only its processes share the file."""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

from fsdf_brokers.states.sql.dialect import CHANNELS_KEPT, LEASES_KEPT, Dialect, chunks, marks
from fsdf_core.backoff import Backoff
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.states.sql.dialect import Rows

_TABLES = (
    """CREATE TABLE IF NOT EXISTS fsdf_state_value(name BLOB PRIMARY KEY, value BLOB NOT NULL, expiry REAL NOT NULL)
    WITHOUT ROWID""",
    # Partial: what lives for ever costs no second index.
    "CREATE INDEX IF NOT EXISTS fsdf_state_value_expiry ON fsdf_state_value(expiry) WHERE expiry < 1e11",
    """CREATE TABLE IF NOT EXISTS fsdf_state_hash(name BLOB, field BLOB, value BLOB NOT NULL, PRIMARY KEY(name, field))
    WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS fsdf_state_lease(name BLOB PRIMARY KEY, owner BLOB NOT NULL, expiry REAL NOT NULL,
    token INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS fsdf_state_channel(name BLOB PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID""",
)
_BUSY_TIMEOUT = 10.0
_NAMES_A_QUERY = 500
_CHECKPOINT_PAGES = 4000
"""Pages of the log (16 MB) after which a commit copies them into the file; SQLite's own default is 1000. Most pages are
written again and again, and so are copied less often."""
_CACHE = 8000
"""KiB of pages that a connection keeps at most; SQLite's own default is 2000."""

_SET = """INSERT INTO fsdf_state_value VALUES(?, ?, ?)
ON CONFLICT(name) DO UPDATE SET value = excluded.value, expiry = excluded.expiry"""
_ADD = _SET + " WHERE fsdf_state_value.expiry <= ?"
_GET = "SELECT name, value FROM fsdf_state_value WHERE name IN ({}) AND expiry > ?"
_REPLACE = "UPDATE fsdf_state_value SET value = ?, expiry = ? WHERE name = ? AND value = ? AND expiry > ?"
_TOUCH = "UPDATE fsdf_state_value SET expiry = ? WHERE name = ? AND value = ? AND expiry > ?"
# `1e11` must be spelt as in the index, or SQLite does not see that the index has all the rows.
_SWEEP = """DELETE FROM fsdf_state_value WHERE name IN
(SELECT name FROM fsdf_state_value WHERE expiry <= ? AND expiry < 1e11 LIMIT ?)"""


class SQLite(Dialect):
    """Writes of one row a statement: there is no round trip to save, and the driver keeps the compiled statements."""

    begin = "BEGIN IMMEDIATE"
    pauses = (0.005, 0.05)
    pings = False

    def connect_arguments(self, options: frozenset[str]) -> dict[str, Any]:
        """Let threads share the pool; the store serialises them."""
        timeout = {} if "timeout" in options else {"timeout": _BUSY_TIMEOUT}
        return {"isolation_level": None, "check_same_thread": False, **timeout}

    def prepare(self, connection: Any) -> None:
        """Insist on WAL: SQLite does not honour the busy timeout while other processes switch too."""
        deadline = time.monotonic() + _BUSY_TIMEOUT
        backoff, pause = Backoff(0.005, 0.2), threading.Event()
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                pause.wait(backoff.next())
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA cache_size=-{_CACHE}")

    def create(self, cursor: Any) -> None:
        """Create under the file's write lock."""
        found = cursor.execute("SELECT count(*) FROM sqlite_master WHERE name GLOB 'fsdf_state_*'").fetchone()
        if found[0] == len(_TABLES):
            return
        cursor.execute("BEGIN IMMEDIATE")
        for statement in _TABLES:
            cursor.execute(statement)
        cursor.execute("COMMIT")

    def repeatable(self, error: BaseException) -> bool:  # noqa: ARG002 - a file has one write lock
        """No deadlocks."""
        return False

    def undefined(self, error: BaseException) -> bool:
        """No such table."""
        return isinstance(error, sqlite3.OperationalError) and "no such table" in str(error)

    def lost(self, error: BaseException) -> bool:
        """Another process holds the lock for too long."""
        return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))

    def get(self, cursor: Any, names: list[bytes]) -> dict[bytes, bytes]:
        """Read."""
        now = time.time()
        found: dict[bytes, bytes] = {}
        for some in chunks(names, _NAMES_A_QUERY):
            found.update(cursor.execute(_GET.format(marks(len(some), "?")), (*some, now)).fetchall())
        return found

    def set(self, cursor: Any, rows: Rows, lifetime: float) -> None:
        """Upsert."""
        expiry = time.time() + lifetime
        cursor.executemany(_SET, [(name, value, expiry) for name, value in rows])

    def add(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Upsert over what is expired."""
        now = time.time()
        expiry = now + lifetime
        return [name for name, value in rows if cursor.execute(_ADD, (name, value, expiry, now)).rowcount]

    def replace(self, cursor: Any, name: bytes, old: bytes, new: bytes, lifetime: float) -> bool:
        """Update."""
        now = time.time()
        return bool(cursor.execute(_REPLACE, (new, now + lifetime, name, old, now)).rowcount)

    def touch(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Update."""
        now = time.time()
        expiry = now + lifetime
        return [name for name, value in rows if cursor.execute(_TOUCH, (expiry, name, value, now)).rowcount]

    def delete(self, cursor: Any, names: list[bytes]) -> int:
        """Delete."""
        count = 0
        for name in names:
            lived = name in self.get(cursor, [name])
            cursor.execute("DELETE FROM fsdf_state_value WHERE name = ?", (name,))
            count += bool(cursor.execute("DELETE FROM fsdf_state_hash WHERE name = ?", (name,)).rowcount) or lived
        return count

    def increment(self, cursor: Any, name: bytes, by: int, lifetime: float) -> int:
        """Read and write under the write lock."""
        now = time.time()
        statement = "SELECT value, expiry FROM fsdf_state_value WHERE name = ? AND expiry > ?"
        value, expiry = cursor.execute(statement, (name, now)).fetchone() or (b"0", now + lifetime)
        total = int(value) + by
        cursor.execute(_SET, (name, b"%d" % total, expiry))
        return total

    def hash_set(self, cursor: Any, name: bytes, fields: Rows) -> None:
        """Upsert."""
        statement = "INSERT OR REPLACE INTO fsdf_state_hash VALUES(?, ?, ?)"
        cursor.executemany(statement, [(name, field, value) for field, value in fields])

    def hash_get(self, cursor: Any, name: bytes) -> dict[bytes, bytes]:
        """Read."""
        return dict(cursor.execute("SELECT field, value FROM fsdf_state_hash WHERE name = ?", (name,)).fetchall())

    def hash_delete(self, cursor: Any, name: bytes, fields: list[bytes]) -> int:
        """Delete."""
        statement = "DELETE FROM fsdf_state_hash WHERE name = ? AND field = ?"
        return sum(cursor.execute(statement, (name, field)).rowcount for field in fields)

    def acquire(self, cursor: Any, name: bytes, owner: bytes, ttl: float) -> int | None:
        """Read and write under the write lock."""
        now = time.time()
        statement = "SELECT owner, expiry, token FROM fsdf_state_lease WHERE name = ?"
        holder, expiry, token = cursor.execute(statement, (name,)).fetchone() or (b"", 0.0, 0)
        if expiry <= now:
            token = max(token + 1, int(now * 1e6))
        elif holder != owner:
            return None
        statement = "INSERT OR REPLACE INTO fsdf_state_lease VALUES(?, ?, ?, ?)"
        cursor.execute(statement, (name, owner, now + ttl, token))
        return int(token)

    def release(self, cursor: Any, name: bytes, owner: bytes) -> bool:
        """Expire it; the token stays."""
        now = time.time()
        statement = "UPDATE fsdf_state_lease SET expiry = ? WHERE name = ? AND owner = ? AND expiry > ?"
        return bool(cursor.execute(statement, (now, name, owner, now)).rowcount)

    def notify(self, cursor: Any, channels: Sequence[bytes]) -> None:
        """Raise the channels' versions."""
        statement = """INSERT INTO fsdf_state_channel VALUES(?, ?)
        ON CONFLICT(name) DO UPDATE SET version = max(version + 1, excluded.version)"""
        now = int(time.time() * 1e6)
        cursor.executemany(statement, [(channel, now) for channel in channels])

    def version(self, cursor: Any, channel: bytes) -> int | None:
        """Read."""
        row = cursor.execute("SELECT version FROM fsdf_state_channel WHERE name = ?", (channel,)).fetchone()
        return None if row is None else int(row[0])

    def sweep(self, cursor: Any, limit: int) -> None:
        """Delete what is expired, oldest first."""
        now = time.time()
        cursor.execute(_SWEEP, (now, limit))
        cursor.execute("DELETE FROM fsdf_state_lease WHERE expiry <= ?", (now - LEASES_KEPT,))
        cursor.execute("DELETE FROM fsdf_state_channel WHERE version <= ?", (int((now - CHANNELS_KEPT) * 1e6),))
