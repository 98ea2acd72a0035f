"""Jobs in a SQL database: rows of JSON, never pickles."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_control.schedules.job import decode, encode
from fsdf_control.schedules.job_store import JobStore, new_version
from fsdf_core.errors import ConfigurationError, DecodeError, MissingDependency, StateError, StateUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, CursorResult, Engine, Executable

    from fsdf_control.schedules.job import Job
    from fsdf_control.schedules.sql_tables import Tables

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_TIMEOUT = 10
_LONGEST_ID = 191
_logger = logging.getLogger("fsdf.schedules")


class SQLJobStore(JobStore):
    """The tables `fsdf_schedule_job` and `fsdf_schedule_store`, created at first use, through SQLAlchemy Core.

    Whoever can write to the tables can publish calls to queues, and nothing else: rows are read as JSON, where
    APScheduler's own store unpickles them.

    Args:
        url: sqlite:///path, postgresql://…, mysql://… or mariadb://…; an explicit driver is respected.
        namespace: jobs of other namespaces in the same tables are not seen; default "default".

    Raises:
        MissingDependency: SQLAlchemy or the driver is not installed (at first use).
        ConfigurationError: the URL is not valid (at first use).
        StateUnavailable: the database cannot be reached (at first use and later).
    """

    cross_process = True
    retryable_errors = (StateUnavailable,)

    def __init__(self, url: str, namespace: str = "default") -> None:
        self._url = url
        self._namespace = namespace
        self._inherited: list[Engine] = []
        self._broken: set[tuple[str, int]] = set()
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._engine: Engine | None = None
        self._identity = ""

    def identity(self) -> str:
        """Return the id that the database got at its first use, and the namespace."""
        tables = self._tables()
        with self._connection() as connection:
            found = connection.execute(tables.read_identity()).scalar()
            if found is None:
                raise StateError("the job store has lost its identity: the table fsdf_schedule_store is empty")
            return f"{self._namespace}:{found}"

    def add(self, job: Job) -> bool:
        """Insert."""
        from sqlalchemy.exc import IntegrityError  # noqa: PLC0415 - heavy

        if len(job.id) > _LONGEST_ID:
            raise ConfigurationError(f"a job's id has at most {_LONGEST_ID} characters, {job.id[:20]!r}… has more")
        statement = self._tables().insert(self._namespace, _fresh(job), encode(job))
        with self._connection() as connection:
            try:
                connection.execute(statement)
                connection.commit()
            except IntegrityError:
                return False
        return True

    def change(self, job: Job, version: int) -> bool:
        """Update."""
        statement = self._tables().update(self._namespace, _fresh(job), encode(job), version)
        return self._done(statement) == 1

    def remove(self, job_id: str, version: int | None = None) -> bool:
        """Delete."""
        return self._done(self._tables().delete(self._namespace, job_id, version)) == 1

    def get(self, job_id: str) -> Job | None:
        """Read one."""
        jobs = self._read(self._tables().select(self._namespace, job_id=job_id))
        return jobs[0] if jobs else None

    def all(self) -> list[Job]:
        """Read all."""
        jobs = self._read(self._tables().select(self._namespace))
        return [job for job in jobs if not job.paused] + [job for job in jobs if job.paused]

    def due(self, until: float) -> list[Job]:
        """Read by the index."""
        return self._read(self._tables().select(self._namespace, until=until))

    def close(self) -> None:
        """Close the connections."""
        if self._pid == os.getpid():
            with self._lock:
                engine, self._engine = self._engine, None
            if engine is not None:
                engine.dispose()

    def _read(self, statement: Executable) -> list[Job]:
        with self._connection() as connection:
            rows: Sequence[Any] = connection.execute(statement).all()
        jobs = []
        for row in rows:
            try:
                jobs.append(decode(row.data, row.next_run_time, row.version))
            except DecodeError as error:
                if (row.id, row.version) not in self._broken:
                    self._broken.add((row.id, row.version))
                    _logger.error("job %r is left alone: %s", row.id, error)  # noqa: TRY400 - no traceback is needed
        return jobs

    def _done(self, statement: Executable) -> int:
        with self._connection() as connection:
            result: CursorResult[Any] = connection.execute(statement)
            connection.commit()
            return result.rowcount

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - heavy
        from sqlalchemy.exc import TimeoutError as PoolTimeout  # noqa: PLC0415 - heavy

        try:
            with self._open().connect() as connection:
                yield connection
        except PoolTimeout:
            raise StateUnavailable("the job store is busy: no connection is free") from None
        except DBAPIError as error:
            # Only the driver's own words: the statement holds a task's arguments.
            raise StateUnavailable(f"the job store failed: {error.orig}") from None

    def _open(self) -> Engine:
        if self._pid != os.getpid():
            # The connections are the parent's: neither used nor closed here.
            self._inherited += [self._engine] if self._engine is not None else []
            self._begin()
        with self._lock:
            if self._engine is None:
                engine = _engine(self._url)
                try:
                    self._tables().create(engine, uuid.uuid4().hex)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine

    def _tables(self) -> Tables:
        try:
            from fsdf_control.schedules import sql_tables  # noqa: PLC0415 - heavy, and an extra
        except ModuleNotFoundError as error:
            raise MissingDependency(
                "schedules in a database need SQLAlchemy: pip install fsdf-control[sql], or use job_store_kind='memory'"
            ) from error
        return sql_tables.TABLES


def _fresh(job: Job) -> Job:
    return dataclasses.replace(job, version=new_version())


def _engine(text: str) -> Engine:
    from sqlalchemy import create_engine  # noqa: PLC0415 - heavy
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - heavy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError  # noqa: PLC0415 - heavy

    try:
        url = make_url(text)
        url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
        sqlite = url.get_backend_name() == "sqlite"
        if sqlite and (url.database or ":memory:") == ":memory:":
            raise ConfigurationError("a SQLite job store needs a file: sqlite:///path, or job_store_kind='memory'")
        if sqlite:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        return create_engine(
            url, connect_args={"timeout": _TIMEOUT} if sqlite else {}, pool_pre_ping=not sqlite, hide_parameters=True
        )
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            "the URL of the job store is not valid: use sqlite:///path, postgresql://…, mysql://… or mariadb://…"
        ) from None
    except ImportError as error:
        raise MissingDependency(f"the job store needs the library {error.name!r}: pip install {error.name}") from error
