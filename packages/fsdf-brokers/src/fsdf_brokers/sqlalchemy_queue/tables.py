"""The tables of SQLALCHEMY. A message is one row; its `consumer` is 0 while it is ready, else who claimed it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    literal_column,
)
from sqlalchemy.dialects import mysql

if TYPE_CHECKING:
    from sqlalchemy import CursorResult

FREE = 0
"""Nobody's number."""

metadata = MetaData()

# Bytes, so that all databases compare names exactly.
_NAME = LargeBinary().with_variant(mysql.VARBINARY(512), "mysql", "mariadb")
_BODY = LargeBinary().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")
# Only INTEGER counts by itself in SQLite.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")
# Numbers are never used twice, so that what is late meets nobody else.
_OPTIONS: dict[str, Any] = {"sqlite_autoincrement": True, "mysql_engine": "InnoDB", "mariadb_engine": "InnoDB"}

queues = Table(
    "fsdf_sql_queue",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("name", _NAME, nullable=False, unique=True),
    **_OPTIONS,
)

consumers = Table(
    "fsdf_sql_consumer",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("queue", _NUMBER, nullable=False),
    Column("name", _NAME, nullable=False),
    Column("beat", Double(), nullable=False),
    Column("entry", Integer(), nullable=False),
    **_OPTIONS,
)

messages = Table(
    "fsdf_sql_message",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("queue", _NUMBER, nullable=False),
    Column("consumer", _NUMBER, nullable=False),
    # 0 for the highest priority.
    Column("rank", SmallInteger(), nullable=False),
    Column("deliveries", Integer(), nullable=False),
    Column("body", _BODY, nullable=False),
    **_OPTIONS,
)
Index("fsdf_sql_message_order", messages.c.queue, messages.c.consumer, messages.c.rank, messages.c.id)

delayed = Table(
    "fsdf_sql_delayed",
    metadata,
    Column("id", _NUMBER, primary_key=True),
    Column("queue", _NUMBER, nullable=False),
    Column("due", Double(), nullable=False),
    Column("rank", SmallInteger(), nullable=False),
    Column("body", _BODY, nullable=False),
    **_OPTIONS,
)
Index("fsdf_sql_delayed_due", delayed.c.queue, delayed.c.due)

_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "extract(epoch from clock_timestamp())::float8",
    "mysql": "(UNIX_TIMESTAMP(SYSDATE(6)) + 0e0)",
}
_NOW["mariadb"] = _NOW["mysql"]


def now(database: str) -> Any:
    """Return the expression for seconds since the epoch by the database's clock."""
    return literal_column(_NOW[database], Double())


def inserted(result: CursorResult[Any]) -> int:
    """Return the number that the database gave to an inserted row."""
    key = result.inserted_primary_key
    if key is None:
        raise RuntimeError("the database told no number")
    return int(key[0])
