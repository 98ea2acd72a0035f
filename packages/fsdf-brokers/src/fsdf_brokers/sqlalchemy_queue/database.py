"""A database as SQLALCHEMY sees it: connections, renewed after a loss and after a fork, and transactions."""

from __future__ import annotations

import os
import random
import time
import weakref
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from fsdf_brokers.fresh_connections import FreshConnections
from fsdf_brokers.sqlalchemy_queue.engine import create_tables, open_engine
from fsdf_brokers.sqlalchemy_queue.trouble import Trouble
from fsdf_brokers.sqlalchemy_queue.url import dialect_of, parse
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

T = TypeVar("T")

_ATTEMPTS = 6


class Database:
    """Connects when first used. Thread-safe.

    Args:
        url: sqlite:///path, postgresql://…, mysql://… or mariadb://…; the password is never printed.

    Raises:
        ConfigurationError: the URL is not valid.
    """

    def __init__(self, url: str) -> None:
        self.url = parse(url)
        self.kind = self.url.get_backend_name()
        self.changed = threading.Condition()
        """Notified when this process sends or gives back messages."""
        self._dialect = dialect_of(self.url)
        self.trouble = Trouble(self.url, self._dialect)
        self._reset()
        _databases.add(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        # Threads of one process queue here, not at SQLite's lock, which is polled.
        self._writing: AbstractContextManager[Any] = threading.RLock() if self.kind == "sqlite" else nullcontext()
        self._engine: Engine | None = None
        self._fresh = FreshConnections(self._dialect, lambda connection: connection.rollback())

    @property
    def file(self) -> Path | None:
        """The SQLite file; None of a server."""
        return Path(str(self.url.database)).absolute() if self.kind == "sqlite" else None

    def announce(self) -> None:
        """Wake the waiting consumers of this process."""
        with self.changed:
            self.changed.notify_all()

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run a query of one statement.

        Raises:
            FsdfError: as `write`.
        """
        return self._run(work, write=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run a transaction and commit it; it may run more than once, each time after the last one was undone.

        Raises:
            BrokerUnavailable: the database cannot be reached, or went away in the middle.
            StorageError: its disk is full or read-only.
            ConfigurationError: it does not let us in, or is too old.
            BrokerError: it refuses.
        """
        return self._run(work, write=True)

    def session(self) -> Connection:
        """Open a connection for one thread, which commits each statement; the caller closes it.

        Raises:
            FsdfError: as `write`.
        """
        engine = self._open()
        try:
            connection = engine.connect()
            try:
                connection = connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.detach()
                if (raw := connection.connection.dbapi_connection) is not None:
                    _sessions.add(raw)
            except BaseException:
                connection.close()
                raise
        except (SQLAlchemyError, TypeError) as error:
            raise self.trouble.translated(error) from error
        return connection

    def close(self) -> None:
        """Close what is idle."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def _run(self, work: Callable[[Connection], T], *, write: bool) -> T:
        engine = self._open()
        for attempt in range(_ATTEMPTS):
            try:
                with self._writing if write else nullcontext(), engine.connect() as connection:
                    if not write:
                        connection = connection.execution_options(fsdf_read=True)  # noqa: PLW2901 - the same one
                    with connection.begin():
                        return work(connection)
            except (SQLAlchemyError, TypeError) as error:
                if self.trouble.is_lost(error):
                    self._fresh.lost()
                if self.trouble.is_undefined(error) and attempt == 0:
                    self._create(engine)
                elif self.trouble.is_undone(error) and attempt + 1 < _ATTEMPTS:
                    time.sleep(random.random() * 0.01 * 2**attempt)  # noqa: S311 - no secret
                else:
                    raise self.trouble.translated(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _open(self) -> Engine:
        engine = self._engine
        if engine is not None:
            return engine
        with self._opening:
            if self._engine is None:
                self._engine = self._prepared()
            return self._engine

    def _prepared(self) -> Engine:
        engine = open_engine(self.url, self._dialect)
        self._fresh.watch(engine)
        self._create(engine)
        return engine

    def _create(self, engine: Engine) -> None:
        try:
            create_tables(engine)
        except (SQLAlchemyError, TypeError) as error:
            raise self.trouble.translated(error) from error


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_sessions: weakref.WeakSet[Any] = weakref.WeakSet()
_inherited: list[object] = []
"""A parent's connections: to close them politely in a child would end the parent's sessions."""


def _forget_after_fork() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for raw in list(_sessions):
        # A copy of the socket in the child would keep the parent's session, and so its lease, after its death.
        with suppress(Exception):
            os.dup2(nowhere, (raw if hasattr(raw, "fileno") else raw._sock).fileno(), inheritable=False)  # noqa: SLF001
    os.close(nowhere)
    _inherited.extend(_sessions)
    _sessions.clear()
    for database in list(_databases):
        _inherited.append(database._engine)  # noqa: SLF001 - this module's own class
        database.changed = threading.Condition()
        database._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
