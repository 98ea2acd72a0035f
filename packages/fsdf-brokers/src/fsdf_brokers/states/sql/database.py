"""Connections to one database: pooled, tested after idleness, renewed after a loss and after a fork."""

from __future__ import annotations

import os
import random
import time
import weakref
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy.exc import TimeoutError as PoolTimeout

from fsdf_brokers.fresh_connections import FreshConnections
from fsdf_brokers.states.sql.pool import Pool, open_pool
from fsdf_brokers.states.sql.url import shown
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import URL

    from fsdf_brokers.states.sql.dialect import Dialect

T = TypeVar("T")

_ATTEMPTS = 6


class Database:
    """Runs operations; connects at first use. Thread-safe.

    Args:
        url: with its driver.
        dialect: its statements.
        noun: what it is to users, for errors.
        setting: where its URL comes from, for errors.
    """

    def __init__(self, url: URL, dialect: Dialect, noun: str = "state store", setting: str = "FSDF_STATE_URL") -> None:
        self._url = url
        self._dialect = dialect
        self._noun = noun
        self._setting = setting
        self._shown = shown(url)
        self._reset()
        _databases.add(self)

    def _reset(self) -> None:
        self._opening = threading.Lock()
        # Threads of one process queue here, not at SQLite's lock, which is polled.
        self._writing: AbstractContextManager[Any] = (
            threading.Lock() if self._url.get_backend_name() == "sqlite" else nullcontext()
        )
        self._pool: Pool | None = None
        self._fresh = FreshConnections(self._dialect)

    def run(self, work: Callable[[Any], T], *, write: bool = True, again: bool = False) -> T:
        """Run an operation on a cursor and commit it.

        Args:
            work: the operation; it may run more than once, each time after the last one was undone.
            write: it is a transaction.
            again: to repeat it does no harm, so that a lost connection is replaced once without an error.

        Raises:
            StateUnavailable: the database cannot be reached, or went away in the middle.
            StateError: the database refuses.
            ConfigurationError: it does not let us in.
        """
        pool = self._open()
        for attempt in range(_ATTEMPTS):
            try:
                return self._attempt(pool, work, write=write)
            except pool.errors as error:
                last = attempt + 1 == _ATTEMPTS
                if self._dialect.undefined(error) and attempt == 0:
                    self._attempt(pool, self._dialect.create, write=False)
                elif self._dialect.repeatable(error) and not last:
                    time.sleep(random.random() * 0.01 * 2**attempt)  # noqa: S311 - no secret
                elif again and self._dialect.lost(error) and not last:
                    again = False
                else:
                    raise self._clear(error) from error
        raise AssertionError("the last attempt returns or raises")

    def connection(self) -> Any:
        """Open a connection outside the pool, for one thread; the caller closes it."""
        fairy = self._connect(self._open())
        raw = fairy.dbapi_connection
        fairy.detach()
        return raw

    def close(self) -> None:
        """Close what is idle; what is in use is closed when it comes back."""
        with self._opening:
            if self._pool is not None:
                self._pool.connections.dispose()
                self._pool = None

    def _open(self) -> Pool:
        pool = self._pool
        if pool is not None:
            return pool
        with self._opening:
            if self._pool is None:
                self._pool = self._prepared()
            return self._pool

    def _prepared(self) -> Pool:
        if self._url.get_backend_name() == "sqlite":
            folder = Path(str(self._url.database)).absolute().parent
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise StateError(f"cannot create the folder {folder}: {error}. Set FSDF_HOME") from error
        pool = open_pool(self._url, self._dialect)
        self._fresh.watch(pool.connections)
        try:
            self._attempt(pool, self._dialect.create, write=False)
        except pool.errors as error:
            raise self._clear(error) from error
        return pool

    def _attempt(self, pool: Pool, work: Callable[[Any], T], *, write: bool) -> T:
        begin = self._dialect.begin if write else None
        with self._writing if write else nullcontext():
            fairy = self._connect(pool)
            try:
                cursor = fairy.cursor()
                if begin:
                    cursor.execute(begin)
                result = work(cursor)
                if begin:
                    cursor.execute("COMMIT")
                cursor.close()
            except BaseException as error:
                if isinstance(error, pool.errors) and self._dialect.lost(error):
                    self._fresh.lost()
                # Whatever happened, the connection's transaction ends with it; errors are rare.
                fairy.invalidate()
                raise
            fairy.close()
            return result

    def _connect(self, pool: Pool) -> Any:
        try:
            return pool.connections.connect()
        except PoolTimeout as error:
            raise StateUnavailable(f"all connections to {self._shown} are in use: {error}") from None
        except pool.errors as error:
            if self._dialect.refused(error):
                raise ConfigurationError(
                    f"{self._shown} refuses: {self._safe(error)}. Check user, password and database: {self._setting}"
                ) from None
            raise self._clear(error) from error
        except TypeError as error:
            raise ConfigurationError(f"{self._shown}: its options are not valid: {self._safe(error)}") from None

    def _clear(self, error: BaseException) -> StateError:
        text = self._safe(error)
        if self._dialect.lost(error):
            return StateUnavailable(
                f"the {self._noun} {self._shown} is not available: {text}. Does it run, is {self._setting} right?"
            )
        return StateError(f"the {self._noun} {self._shown} cannot be used: {text}")

    def _safe(self, error: BaseException) -> str:
        password = self._url.password
        text = " ".join(str(error).split()).rstrip(".")
        return text.replace(str(password), "***") if password else text


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[Pool] = []
"""Connections of a parent process: to use, close or collect them in a child would disturb the parent."""


def _forget_after_fork() -> None:
    for database in list(_databases):
        with suppress(AttributeError):
            if database._pool is not None:  # noqa: SLF001 - this module's own class
                _inherited.append(database._pool)  # noqa: SLF001 - as above
        database._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
