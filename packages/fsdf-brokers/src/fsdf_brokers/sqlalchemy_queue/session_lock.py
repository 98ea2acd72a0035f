"""Locks that a server's session holds until it ends, as SQL expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Integer, cast, func, literal_column, type_coerce

if TYPE_CHECKING:
    from collections.abc import Callable

_CLASS = 1718838375
"""First key of the advisory locks; the second one is the consumer's number."""

Expression = Any


@dataclass(frozen=True)
class SessionLock:
    """The expressions of one kind of server; each takes a consumer's number.

    Attributes:
        hold: takes the lock for the session; true if it has it.
        is_held: whether any session has it.
        prove: takes the lock for a transaction, which proves that its owner is gone.
        unprove: gives that back; None where the transaction's end does.
    """

    hold: Callable[[Expression], Expression]
    is_held: Callable[[Expression], Expression]
    prove: Callable[[Expression], Expression]
    unprove: Callable[[Expression], Expression] | None


def _is_held_in_postgresql(number: Expression) -> Expression:
    held: Expression = literal_column(
        "ARRAY(SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"  # noqa: S608
        f" AND classid = {_CLASS}"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    return type_coerce(cast(number, BigInteger) == func.any(held), Boolean)


def _name_in_mysql(number: Expression) -> Expression:
    # Names of locks are the server's, not the database's.
    return func.concat("fsdf:", func.left(func.sha1(func.database()), 16), ":", number)


_POSTGRESQL = SessionLock(
    hold=lambda number: func.pg_try_advisory_lock(_CLASS, cast(number, Integer)),
    is_held=_is_held_in_postgresql,
    prove=lambda number: func.pg_try_advisory_xact_lock(_CLASS, cast(number, Integer)),
    unprove=None,
)
_MYSQL = SessionLock(
    hold=lambda number: func.get_lock(_name_in_mysql(number), 0),
    is_held=lambda number: func.is_used_lock(_name_in_mysql(number)).is_not(None),
    prove=lambda number: func.get_lock(_name_in_mysql(number), 0),
    unprove=lambda number: func.release_lock(_name_in_mysql(number)),
)


def lock_of(kind: str) -> SessionLock:
    """Return the lock of PostgreSQL, or of MySQL and MariaDB."""
    return _POSTGRESQL if kind == "postgresql" else _MYSQL
