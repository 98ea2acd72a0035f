"""A PostgreSQL database as the adapter sees it: its connections, and its errors in fsdf's words."""

from __future__ import annotations

import os
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from fsdf_brokers.postgres.statements import SET_UP
from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError, StorageError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterator

RETRYABLE = (psycopg.OperationalError, psycopg.InterfaceError)
Connection = psycopg.Connection[Any]

_IDLE = 0.5
"""Seconds after which a connection is tested before it is used."""
_MOST_IDLE = 10
_MOST = 20
_DEFAULTS = {
    "connect_timeout": 5,
    # A host that is gone without a word is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_REFUSALS = ("authentication failed", "does not exist", "permission denied", "no pg_hba.conf entry", "no password")
_AWAY = {"08", "57", "40"}
"""SQLSTATE classes: connection, operator intervention, and what a transaction loses by another one."""
_AWAY_STATES = {"53300", "25006", "55P03"}
"""Too many connections, a server that has become read-only, a lock not available."""


class Server:
    """Connects when first used. Thread-safe.

    Args:
        url: postgresql://user:password@host:port/database; the password is never printed.

    Raises:
        ConfigurationError: it is no URL of PostgreSQL.
    """

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        if not separator or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
            raise ConfigurationError("the URL of POSTGRES is none: use postgresql://user:password@host:5432/database")
        try:
            self._options = conninfo_to_dict(f"postgresql://{rest}")
        except psycopg.ProgrammingError:
            raise ConfigurationError(
                "the URL of POSTGRES cannot be read: use postgresql://user:password@host:5432/database"
            ) from None
        self.shown = _shown(self._options)
        self._reset()
        _servers.add(self)

    def _reset(self) -> None:
        self._idle: list[tuple[float, Connection]] = []
        self._in_use = threading.BoundedSemaphore(_MOST)
        self._lost = 0.0

    def connect(self, name: str) -> Connection:
        """Open a connection; the caller closes it.

        Args:
            name: shown in pg_stat_activity.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it does not let us in.
        """
        with self.translated():
            connection = psycopg.connect(autocommit=True, **{"application_name": name, **_DEFAULTS, **self._options})  # type: ignore[arg-type]
            connection.add_notify_handler(_ignore)
            connection.execute(SET_UP)
        _connections.add(connection)
        return connection

    @contextmanager
    def use(self) -> Iterator[Connection]:
        """Lend a connection to the thread.

        Raises:
            BrokerError: as `translated`.
        """
        with self._in_use:
            connection = self._take()
            try:
                with self.translated():
                    yield connection
            except BaseException:
                # Whatever happened, nothing of it is left on the next user's connection; errors are rare.
                if connection.broken:
                    self._lost = time.monotonic()
                connection.close()
                raise
            if len(self._idle) < _MOST_IDLE:
                self._idle.append((time.monotonic(), connection))
            else:
                connection.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop()[1].close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise fsdf's errors for those of the client library."""
        try:
            yield
        except psycopg.Error as error:
            raise self._translate(error) from error

    def _take(self) -> Connection:
        while True:
            try:
                used, connection = self._idle.pop()
            except IndexError:
                return self.connect("fsdf")
            if used > self._lost:
                if time.monotonic() - used < _IDLE:
                    return connection
                with suppress(psycopg.Error):
                    connection.execute("SELECT 1")
                    return connection
            connection.close()

    def _translate(self, error: psycopg.Error) -> Exception:
        text = " ".join(str(error).split()).rstrip(".")
        password = self._options.get("password")
        if password:
            text = text.replace(str(password), "***")
        state = error.sqlstate or ""
        if (not state and any(refusal in text for refusal in _REFUSALS)) or state[:2] == "28" or state == "42501":
            return ConfigurationError(
                f"PostgreSQL at {self.shown} refuses: {text}. Check user, password, database and rights: "
                "FSDF_SQLALCHEMY_URL"
            )
        if (not state and isinstance(error, RETRYABLE)) or state[:2] in _AWAY or state in _AWAY_STATES:
            return BrokerUnavailable(
                f"PostgreSQL at {self.shown} is not available: {text}. Does it run, is FSDF_SQLALCHEMY_URL right?"
            )
        if state[:2] == "53":
            return StorageError(f"PostgreSQL at {self.shown} is full: {text}")
        return BrokerError(f"PostgreSQL at {self.shown}: {text}")


def one(connection: Connection, statement: str, arguments: Any) -> tuple[Any, ...]:
    """Return the one row of a statement that always has one."""
    row: tuple[Any, ...] = connection.execute(statement, arguments).fetchall()[0]
    return row


def _shown(options: dict[str, Any]) -> str:
    user = f"{options['user']}@" if options.get("user") else ""
    port = f":{options['port']}" if options.get("port") else ""
    return f"postgresql://{user}{options.get('host', '')}{port}/{options.get('dbname', '')}"


def _ignore(notification: object) -> None:
    """Without a handler, psycopg would keep every notification."""


_servers: weakref.WeakSet[Server] = weakref.WeakSet()
_connections: weakref.WeakSet[Connection] = weakref.WeakSet()
_inherited: list[object] = []
"""A parent's connections: to close them politely in a child would end the parent's sessions."""


def _forget_after_fork() -> None:
    # A copy of the socket in the child would keep the parent's session, and so its lease, alive after its death.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for connection in list(_connections):
        with suppress(psycopg.Error, OSError):
            os.dup2(nowhere, connection.fileno(), inheritable=False)
    os.close(nowhere)
    _inherited.extend(_connections)
    _connections.clear()
    for server in list(_servers):
        server._reset()  # noqa: SLF001 - this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
