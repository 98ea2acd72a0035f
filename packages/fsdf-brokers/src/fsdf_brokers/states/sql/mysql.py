"""The state tables in MySQL and MariaDB.

There is no RETURNING in MySQL: a write and the question what it did share a transaction, in which the rows are locked.
Assignments after ON DUPLICATE KEY UPDATE run from left to right, and see what those before them wrote.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from fsdf_brokers.states.sql.dialect import CHANNELS_KEPT, LEASES_KEPT, Dialect, chunks, marks
from fsdf_brokers.states.sql.packets import Packets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.states.sql.dialect import Rows

_NOW = "UNIX_TIMESTAMP(NOW(6))"
_OPTIONS = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
_TABLES = (
    # `writer` marks the rows that one call of `add` wrote.
    f"""CREATE TABLE IF NOT EXISTS fsdf_state_value(name VARBINARY(512) PRIMARY KEY, value LONGBLOB NOT NULL,
    expiry DOUBLE NOT NULL, writer BINARY(16), INDEX(expiry)) {_OPTIONS}""",
    f"""CREATE TABLE IF NOT EXISTS fsdf_state_hash(name VARBINARY(512), field VARBINARY(512), value LONGBLOB NOT NULL,
    PRIMARY KEY(name, field)) {_OPTIONS}""",
    f"""CREATE TABLE IF NOT EXISTS fsdf_state_lease(name VARBINARY(512) PRIMARY KEY, owner VARBINARY(512) NOT NULL,
    expiry DOUBLE NOT NULL, token BIGINT NOT NULL) {_OPTIONS}""",
    f"""CREATE TABLE IF NOT EXISTS fsdf_state_channel(name VARBINARY(512) PRIMARY KEY, version BIGINT NOT NULL)
    {_OPTIONS}""",
)
_ROWS_A_STATEMENT = 1000
_DEADLOCK = 1213
_NO_TABLE = 1146
_AWAY = {1040, 1053, 1205, 1927}
"""Too many connections, shutdown, a lock waited for too long, connection killed."""
_REFUSED = {1044, 1045, 1049, 1698}

_SET = """INSERT INTO fsdf_state_value(name, value, expiry) VALUES {}
ON DUPLICATE KEY UPDATE value = VALUES(value), expiry = VALUES(expiry)"""
_ADD = f"""INSERT INTO fsdf_state_value(name, value, writer, expiry) VALUES {{}} ON DUPLICATE KEY UPDATE
value = IF(expiry <= {_NOW}, VALUES(value), value), writer = IF(expiry <= {_NOW}, VALUES(writer), writer),
expiry = IF(expiry <= {_NOW}, VALUES(expiry), expiry)"""  # noqa: S608
_ADDED = "SELECT name FROM fsdf_state_value WHERE name IN ({}) AND writer = %s"
_LIVE = f"SELECT name, value FROM fsdf_state_value WHERE name IN ({{}}) AND expiry > {_NOW}"  # noqa: S608
_REPLACE = f"""UPDATE fsdf_state_value SET value = %s, expiry = {_NOW} + %s
WHERE name = %s AND value = %s AND expiry > {_NOW}"""  # noqa: S608
_TOUCH = f"UPDATE fsdf_state_value SET expiry = {_NOW} + %s WHERE name IN ({{}})"  # noqa: S608
_ENSURE = """INSERT INTO fsdf_state_value(name, value, expiry) VALUES (%s, '0', 0)
ON DUPLICATE KEY UPDATE expiry = expiry"""
_ACQUIRE = f"""INSERT INTO fsdf_state_lease(name, owner, expiry, token)
VALUES (%s, %s, {_NOW} + %s, FLOOR({_NOW} * 1000000)) ON DUPLICATE KEY UPDATE
token = IF(expiry <= {_NOW}, GREATEST(token + 1, VALUES(token)), token),
owner = IF(expiry <= {_NOW}, VALUES(owner), owner),
expiry = IF(owner = VALUES(owner), VALUES(expiry), expiry)"""  # noqa: S608
_NOTIFY = f"""INSERT INTO fsdf_state_channel VALUES (%s, FLOOR({_NOW} * 1000000))
ON DUPLICATE KEY UPDATE version = GREATEST(version + 1, VALUES(version))"""  # noqa: S608


class MySQL(Dialect):
    """Statements of many rows."""

    begin = "START TRANSACTION"

    def __init__(self) -> None:
        self._packets = Packets(_ROWS_A_STATEMENT)

    def connect_arguments(self, options: frozenset[str]) -> dict[str, Any]:
        """Commit each statement outside a transaction; give up on a silent server after thirty seconds."""
        defaults = {"charset": "utf8mb4", "connect_timeout": 5, "read_timeout": 30, "write_timeout": 30}
        return {"autocommit": True} | {name: value for name, value in defaults.items() if name not in options}

    def prepare(self, connection: Any) -> None:
        """UTC: local times are ambiguous in autumn. READ COMMITTED: no gap locks. Strict: nothing is cut short."""
        with connection.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES'")
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")

    def create(self, cursor: Any) -> None:
        """Create; the server serialises them. A user without the right to create can use what is there."""
        if cursor.execute("SHOW TABLES LIKE 'fsdf\\_state\\_%'") < len(_TABLES):
            for statement in _TABLES:
                cursor.execute(statement)

    def repeatable(self, error: BaseException) -> bool:
        """Deadlock."""
        return error.args[:1] == (_DEADLOCK,)

    def undefined(self, error: BaseException) -> bool:
        """No such table."""
        return error.args[:1] == (_NO_TABLE,)

    def lost(self, error: BaseException) -> bool:
        """The client's own errors are 2000 and up; the server's are those of its end and of full lines."""
        import pymysql  # type: ignore[import-untyped]  # noqa: PLC0415 - the driver is an extra

        number = error.args[0] if error.args else 0
        operational = isinstance(error, (pymysql.err.OperationalError, pymysql.err.InterfaceError))
        return operational and (number == 0 or number in _AWAY or 2000 <= number < 3000)  # noqa: PLR2004

    def refused(self, error: BaseException) -> bool:
        """Wrong user, password or database."""
        return bool(error.args) and error.args[0] in _REFUSED

    def ping(self, connection: Any) -> None:
        """Ask."""
        connection.ping(reconnect=False)

    def get(self, cursor: Any, names: list[bytes]) -> dict[bytes, bytes]:
        """Read."""
        found: dict[bytes, bytes] = {}
        for some in chunks(names, _ROWS_A_STATEMENT):
            cursor.execute(_LIVE.format(marks(len(some))), some)
            found.update(cursor.fetchall())
        return found

    def set(self, cursor: Any, rows: Rows, lifetime: float) -> None:
        """Upsert."""
        for some in self._packets.cut(cursor, rows):
            arguments = [part for name, value in some for part in (name, value, lifetime)]
            cursor.execute(_SET.format(marks(len(some), f"(%s, %s, {_NOW} + %s)")), arguments)

    def add(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Upsert over what is expired, then look which rows have this call's mark."""
        writer = uuid.uuid4().bytes
        added: list[bytes] = []
        for some in self._packets.cut(cursor, rows):
            arguments = [part for name, value in some for part in (name, value, writer, lifetime)]
            cursor.execute(_ADD.format(marks(len(some), f"(%s, %s, %s, {_NOW} + %s)")), arguments)
            cursor.execute(_ADDED.format(marks(len(some))), [*(name for name, _ in some), writer])
            added += [name for (name,) in cursor.fetchall()]
        return added

    def replace(self, cursor: Any, name: bytes, old: bytes, new: bytes, lifetime: float) -> bool:
        """Update; SQLAlchemy has the server count the rows found, changed or not."""
        return bool(cursor.execute(_REPLACE, (new, lifetime, name, old)))

    def touch(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Lock and compare, then update."""
        touched: list[bytes] = []
        for some in chunks(rows, _ROWS_A_STATEMENT):
            expected = dict(some)
            cursor.execute(_LIVE.format(marks(len(some))) + " ORDER BY name FOR UPDATE", list(expected))
            same = [name for name, value in cursor.fetchall() if expected[name] == value]
            if same:
                cursor.execute(_TOUCH.format(marks(len(same))), [lifetime, *same])
            touched += same
        return touched

    def delete(self, cursor: Any, names: list[bytes]) -> int:
        """Lock and count, then delete."""
        count = 0
        for some in chunks(names, _ROWS_A_STATEMENT):
            within = marks(len(some))
            cursor.execute(_LIVE.format(within) + " ORDER BY name FOR UPDATE", some)
            found = {row[0] for row in cursor.fetchall()}
            cursor.execute(f"SELECT DISTINCT name FROM fsdf_state_hash WHERE name IN ({within}) FOR UPDATE", some)  # noqa: S608
            count += len(found.union(name for (name,) in cursor.fetchall()))
            for table in ("value", "hash"):
                cursor.execute(f"DELETE FROM fsdf_state_{table} WHERE name IN ({within})", some)  # noqa: S608
        return count

    def increment(self, cursor: Any, name: bytes, by: int, lifetime: float) -> int:
        """Lock the row, made if need be, then read and write."""
        cursor.execute(_ENSURE, (name,))
        cursor.execute(f"SELECT value, expiry > {_NOW} FROM fsdf_state_value WHERE name = %s", (name,))  # noqa: S608
        value, lives = cursor.fetchone()
        total = (int(value) if lives else 0) + by
        expiry = "expiry + 0 * %s" if lives else f"{_NOW} + %s"
        statement = f"UPDATE fsdf_state_value SET value = %s, expiry = {expiry} WHERE name = %s"  # noqa: S608
        cursor.execute(statement, (b"%d" % total, lifetime, name))
        return total

    def hash_set(self, cursor: Any, name: bytes, fields: Rows) -> None:
        """Upsert."""
        for some in self._packets.cut(cursor, fields):
            arguments = [part for field, value in some for part in (name, field, value)]
            statement = f"REPLACE INTO fsdf_state_hash VALUES {marks(len(some), '(%s, %s, %s)')}"  # noqa: S608
            cursor.execute(statement, arguments)

    def hash_get(self, cursor: Any, name: bytes) -> dict[bytes, bytes]:
        """Read."""
        cursor.execute("SELECT field, value FROM fsdf_state_hash WHERE name = %s", (name,))
        return dict(cursor.fetchall())

    def hash_delete(self, cursor: Any, name: bytes, fields: list[bytes]) -> int:
        """Delete."""
        statement = f"DELETE FROM fsdf_state_hash WHERE name = %s AND field IN ({marks(len(fields))})"  # noqa: S608
        return int(cursor.execute(statement, [name, *fields]))

    def acquire(self, cursor: Any, name: bytes, owner: bytes, ttl: float) -> int | None:
        """Upsert over what is expired or the owner's, then look whose it is."""
        cursor.execute(_ACQUIRE, (name, owner, ttl))
        cursor.execute("SELECT token FROM fsdf_state_lease WHERE name = %s AND owner = %s", (name, owner))
        row = cursor.fetchone()
        return None if row is None else int(row[0])

    def release(self, cursor: Any, name: bytes, owner: bytes) -> bool:
        """Expire it; the token stays."""
        statement = f"UPDATE fsdf_state_lease SET expiry = {_NOW} WHERE name = %s AND owner = %s AND expiry > {_NOW}"  # noqa: S608
        return bool(cursor.execute(statement, (name, owner)))

    def notify(self, cursor: Any, channels: Sequence[bytes]) -> None:
        """Raise the channels' versions."""
        cursor.executemany(_NOTIFY, [(channel,) for channel in sorted(channels)])

    def version(self, cursor: Any, channel: bytes) -> int | None:
        """Read."""
        cursor.execute("SELECT version FROM fsdf_state_channel WHERE name = %s", (channel,))
        row = cursor.fetchone()
        return None if row is None else int(row[0])

    def sweep(self, cursor: Any, limit: int) -> None:
        """Delete what is expired, oldest first."""
        cursor.execute(f"DELETE FROM fsdf_state_value WHERE expiry <= {_NOW} ORDER BY expiry LIMIT %s", (limit,))  # noqa: S608
        cursor.execute(f"DELETE FROM fsdf_state_lease WHERE expiry <= {_NOW} - {LEASES_KEPT}")  # noqa: S608
        cursor.execute(f"DELETE FROM fsdf_state_channel WHERE version <= ({_NOW} - {CHANNELS_KEPT}) * 1000000")  # noqa: S608
