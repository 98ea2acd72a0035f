"""The state tables in PostgreSQL: every operation is one statement, and so one round trip and one transaction.

Statements of many rows lock them in the order of their names, so that they do not deadlock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.states.sql.dialect import LEASES_KEPT, Dialect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.states.sql.dialect import Rows

NOTIFY_CHANNEL = "fsdf_state"
"""The one channel of LISTEN and NOTIFY; the payload is the state store's channel in hexadecimal."""

_NO_NUMBER = "22P02"
_NOW = "extract(epoch from statement_timestamp())::float8"
# IF NOT EXISTS alone does not keep two sessions from creating at once; the lock ends with the implicit transaction.
_CREATE = """SELECT pg_advisory_xact_lock(7013402661);
CREATE TABLE IF NOT EXISTS fsdf_state_value(name bytea PRIMARY KEY, value bytea NOT NULL, expiry float8 NOT NULL);
CREATE INDEX IF NOT EXISTS fsdf_state_value_expiry ON fsdf_state_value(expiry) WHERE expiry < 1e11;
CREATE TABLE IF NOT EXISTS fsdf_state_hash(name bytea, field bytea, value bytea NOT NULL, PRIMARY KEY(name, field));
CREATE TABLE IF NOT EXISTS fsdf_state_lease(name bytea PRIMARY KEY, owner bytea NOT NULL, expiry float8 NOT NULL,
token bigint NOT NULL)"""

_SET = f"""INSERT INTO fsdf_state_value AS v SELECT name, value, {_NOW} + %b::float8
FROM unnest(%b::bytea[], %b::bytea[]) AS t(name, value)
ON CONFLICT(name) DO UPDATE SET value = excluded.value, expiry = excluded.expiry"""  # noqa: S608
_ADD = f"{_SET} WHERE v.expiry <= {_NOW} RETURNING v.name"
_GET = f"SELECT name, value FROM fsdf_state_value WHERE name = ANY(%b::bytea[]) AND expiry > {_NOW}"  # noqa: S608
_REPLACE = f"""UPDATE fsdf_state_value SET value = %b, expiry = {_NOW} + %b::float8
WHERE name = %b AND value = %b AND expiry > {_NOW}"""  # noqa: S608
_TOUCH = f"""WITH locked AS MATERIALIZED (SELECT v.name FROM fsdf_state_value v
JOIN unnest(%b::bytea[], %b::bytea[]) AS t(name, value) ON v.name = t.name AND v.value = t.value
WHERE v.expiry > {_NOW} ORDER BY v.name FOR UPDATE OF v)
UPDATE fsdf_state_value v SET expiry = {_NOW} + %b::float8 FROM locked WHERE v.name = locked.name
RETURNING v.name"""  # noqa: S608
_DELETE = f"""WITH lv AS MATERIALIZED (SELECT name FROM fsdf_state_value
WHERE name = ANY(%(names)b::bytea[]) ORDER BY name FOR UPDATE),
v AS (DELETE FROM fsdf_state_value t USING lv WHERE t.name = lv.name RETURNING t.name, t.expiry > {_NOW} AS lives),
lh AS MATERIALIZED (SELECT name, field FROM fsdf_state_hash
WHERE name = ANY(%(names)b::bytea[]) ORDER BY name, field FOR UPDATE),
h AS (DELETE FROM fsdf_state_hash t USING lh WHERE t.name = lh.name AND t.field = lh.field RETURNING t.name)
SELECT count(*) FROM (SELECT name FROM v WHERE lives UNION SELECT name FROM h) AS gone"""  # noqa: S608
_INCREMENT = f"""INSERT INTO fsdf_state_value AS v
VALUES(%(name)b, convert_to(%(by)s::numeric::text, 'UTF8'), {_NOW} + %(lifetime)b::float8)
ON CONFLICT(name) DO UPDATE SET expiry = CASE WHEN v.expiry <= {_NOW} THEN excluded.expiry ELSE v.expiry END,
value = CASE WHEN v.expiry <= {_NOW} THEN excluded.value
ELSE convert_to((convert_from(v.value, 'UTF8')::numeric + %(by)s::numeric)::text, 'UTF8') END
RETURNING value"""
_HASH_SET = """INSERT INTO fsdf_state_hash SELECT %b, field, value
FROM unnest(%b::bytea[], %b::bytea[]) AS t(field, value)
ON CONFLICT(name, field) DO UPDATE SET value = excluded.value"""
_ACQUIRE = f"""INSERT INTO fsdf_state_lease AS l VALUES(%b, %b, {_NOW} + %b::float8, ({_NOW} * 1e6)::bigint)
ON CONFLICT(name) DO UPDATE SET owner = excluded.owner, expiry = excluded.expiry,
token = CASE WHEN l.expiry <= {_NOW} THEN greatest(l.token + 1, excluded.token) ELSE l.token END
WHERE l.expiry <= {_NOW} OR l.owner = excluded.owner RETURNING token"""
_RELEASE = f"UPDATE fsdf_state_lease SET expiry = {_NOW} WHERE name = %b AND owner = %b AND expiry > {_NOW}"  # noqa: S608
_SWEEP = f"""DELETE FROM fsdf_state_value WHERE name IN (SELECT name FROM fsdf_state_value
WHERE expiry <= {_NOW} AND expiry < 1e11 LIMIT %s FOR UPDATE SKIP LOCKED)"""  # noqa: S608


class PostgreSQL(Dialect):
    """Statements with whole arrays as arguments."""

    begin = None

    def connect_arguments(self, options: frozenset[str]) -> dict[str, Any]:
        """Commit each statement; give up on a silent host after five seconds."""
        defaults = {"connect_timeout": 5, "application_name": "fsdf-state"}
        return {"autocommit": True} | {name: value for name, value in defaults.items() if name not in options}

    def create(self, cursor: Any) -> None:
        """Create under an advisory lock; a user without the right to create can use what is there."""
        found = cursor.execute(
            "SELECT to_regclass('fsdf_state_value'), to_regclass('fsdf_state_hash'), to_regclass('fsdf_state_lease')"
        )
        if None in found.fetchone():
            cursor.execute(_CREATE)

    def repeatable(self, error: BaseException) -> bool:
        """Deadlock or serialisation failure."""
        return getattr(error, "sqlstate", None) in {"40P01", "40001"}

    def undefined(self, error: BaseException) -> bool:
        """Undefined table."""
        return getattr(error, "sqlstate", None) == "42P01"

    def lost(self, error: BaseException) -> bool:
        """Connection errors have no SQLSTATE, or class 08 or 57 (operator intervention)."""
        import psycopg  # noqa: PLC0415 - the driver is an extra

        lost = isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
        return lost and (getattr(error, "sqlstate", None) or "08")[:2] in {"08", "57"}

    def refused(self, error: BaseException) -> bool:
        """A failed connection has no SQLSTATE, only the server's text."""
        return any(text in str(error) for text in ("authentication failed", "does not exist", "permission denied"))

    def ping(self, connection: Any) -> None:
        """Ask."""
        connection.execute("SELECT 1")

    def get(self, cursor: Any, names: list[bytes]) -> dict[bytes, bytes]:
        """Read."""
        return dict(cursor.execute(_GET, (names,)).fetchall())

    def set(self, cursor: Any, rows: Rows, lifetime: float) -> None:
        """Upsert."""
        cursor.execute(_SET, (lifetime, *_columns(rows)))

    def add(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Upsert over what is expired."""
        return [name for (name,) in cursor.execute(_ADD, (lifetime, *_columns(rows))).fetchall()]

    def replace(self, cursor: Any, name: bytes, old: bytes, new: bytes, lifetime: float) -> bool:
        """Update."""
        return bool(cursor.execute(_REPLACE, (new, lifetime, name, old)).rowcount)

    def touch(self, cursor: Any, rows: Rows, lifetime: float) -> list[bytes]:
        """Lock in order, then update."""
        return [name for (name,) in cursor.execute(_TOUCH, (*_columns(rows), lifetime)).fetchall()]

    def delete(self, cursor: Any, names: list[bytes]) -> int:
        """Delete."""
        return int(cursor.execute(_DELETE, {"names": names}).fetchone()[0])

    def increment(self, cursor: Any, name: bytes, by: int, lifetime: float) -> int:
        """Upsert a decimal text."""
        arguments = {"name": name, "by": str(by), "lifetime": lifetime}
        try:
            return int(cursor.execute(_INCREMENT, arguments).fetchone()[0])
        except Exception as error:
            if getattr(error, "sqlstate", None) == _NO_NUMBER:
                raise ValueError("the key holds no number") from None
            raise

    def hash_set(self, cursor: Any, name: bytes, fields: Rows) -> None:
        """Upsert."""
        cursor.execute(_HASH_SET, (name, *_columns(fields)))

    def hash_get(self, cursor: Any, name: bytes) -> dict[bytes, bytes]:
        """Read."""
        return dict(cursor.execute("SELECT field, value FROM fsdf_state_hash WHERE name = %b", (name,)).fetchall())

    def hash_delete(self, cursor: Any, name: bytes, fields: list[bytes]) -> int:
        """Delete."""
        statement = "DELETE FROM fsdf_state_hash WHERE name = %b AND field = ANY(%b::bytea[])"
        return int(cursor.execute(statement, (name, fields)).rowcount)

    def acquire(self, cursor: Any, name: bytes, owner: bytes, ttl: float) -> int | None:
        """Upsert over what is expired or the owner's."""
        row = cursor.execute(_ACQUIRE, (name, owner, ttl)).fetchone()
        return None if row is None else int(row[0])

    def release(self, cursor: Any, name: bytes, owner: bytes) -> bool:
        """Expire it; the token stays."""
        return bool(cursor.execute(_RELEASE, (name, owner)).rowcount)

    def notify(self, cursor: Any, channels: Sequence[bytes]) -> None:
        """NOTIFY all who LISTEN."""
        names = [channel.hex() for channel in channels]
        cursor.execute("SELECT pg_notify(%s, name) FROM unnest(%s::text[]) AS name", (NOTIFY_CHANNEL, names))

    def version(self, cursor: Any, channel: bytes) -> int | None:
        """Not needed: the server notifies."""
        raise NotImplementedError

    def sweep(self, cursor: Any, limit: int) -> None:
        """Delete what is expired and not locked."""
        cursor.execute(_SWEEP, (limit,))
        cursor.execute(f"DELETE FROM fsdf_state_lease WHERE expiry <= {_NOW} - {LEASES_KEPT}")  # noqa: S608


def _columns(rows: Rows) -> tuple[list[bytes], list[bytes]]:
    return [name for name, _ in rows], [value for _, value in rows]
