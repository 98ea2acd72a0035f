"""The errors of a database in fsdf's words."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fsdf_brokers.states.sql.url import shown
from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError, FsdfError, StorageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from fsdf_brokers.states.sql.dialect import Dialect

_FULL = {1021, 1114, 28}
"""What MySQL says of a full disk or table."""
_READ_ONLY = {1290, 1836}
"""What MySQL says after a failover, until the client connects to the new primary."""
_UNKNOWN_SYNTAX = 1064
_FILE_TROUBLE = ("full", "readonly", "read-only", "disk I/O", "unable to open")


class Trouble:
    """Tells errors apart.

    Args:
        url: the database's; its password is taken out of every text.
        dialect: knows the driver's errors.
    """

    def __init__(self, url: URL, dialect: Dialect) -> None:
        self.shown = shown(url)
        self._password = str(url.password) if url.password else None
        self._dialect = dialect

    def is_lost(self, error: Exception) -> bool:
        """Whether the connection broke or the database cannot answer now."""
        if isinstance(error, PoolTimeout):
            return True
        cause = _cause(error)
        return (
            (isinstance(error, DBAPIError) and error.connection_invalidated)
            or self._dialect.lost(cause)
            or cause.args[:1] in {(number,) for number in _READ_ONLY}
        )

    def is_undone(self, error: Exception) -> bool:
        """Whether the database undid the transaction to end a deadlock, so that it can be run again."""
        return self._dialect.repeatable(_cause(error))

    def is_undefined(self, error: Exception) -> bool:
        """Whether a table is gone: the database was made anew while we were connected."""
        return self._dialect.undefined(_cause(error))

    def translated(self, error: Exception) -> FsdfError:
        """Return fsdf's error."""
        cause = _cause(error)
        text = " ".join(str(cause).split()).rstrip(".")
        if self._password:
            text = text.replace(self._password, "***")
        kind: type[FsdfError] = BrokerError
        message = f"{self.shown}: {text}"
        if self._dialect.refused(cause):
            kind = ConfigurationError
            message = f"{self.shown} refuses: {text}. Check user, password and database: FSDF_SQLALCHEMY_URL"
        elif isinstance(cause, TypeError):
            kind, message = ConfigurationError, f"{self.shown}: its options are not valid: {text}"
        elif self.is_lost(error) or self.is_undone(error):
            kind = BrokerUnavailable
            message = f"{self.shown} is not available: {text}. Does it run, is FSDF_SQLALCHEMY_URL right?"
        elif _is_full(cause):
            kind, message = StorageError, f"{self.shown} cannot be written: {text}"
        elif cause.args[:1] == (_UNKNOWN_SYNTAX,):
            kind = ConfigurationError
            message = f"{self.shown} is too old: MySQL 8.0 or MariaDB 10.6 is needed. {text}"
        return kind(message)


def _cause(error: Exception) -> BaseException:
    """Return the driver's error within SQLAlchemy's."""
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _is_full(cause: BaseException) -> bool:
    if isinstance(cause, sqlite3.Error):
        return any(text in str(cause) for text in _FILE_TROUBLE)
    return (getattr(cause, "sqlstate", None) or "")[:2] == "53" or bool(cause.args and cause.args[0] in _FULL)
