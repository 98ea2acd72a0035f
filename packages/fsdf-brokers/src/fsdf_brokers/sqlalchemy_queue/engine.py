"""SQLAlchemy's engine for a database, with its tables."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, inspect
from sqlalchemy.exc import DBAPIError, NoSuchModuleError

from fsdf_brokers.native_driver import driver_options
from fsdf_brokers.native_pool import NativePool
from fsdf_brokers.sqlalchemy_queue.tables import metadata
from fsdf_core.errors import ConfigurationError, MissingDependency, StorageError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    from fsdf_brokers.states.sql.dialect import Dialect

_ATTEMPTS = 6


def open_engine(url: URL, dialect: Dialect) -> Engine:
    """Return an engine that has not connected yet.

    Raises:
        MissingDependency: the driver is not installed; names the pip command.
        ConfigurationError: an option in the URL is not valid.
        StorageError: a file's folder cannot be created.
    """
    database = url.get_backend_name()
    arguments = dialect.connect_arguments(frozenset(url.query))
    # SQLAlchemy says itself when transactions begin and end.
    arguments.pop("autocommit", None)
    options: dict[str, Any] = {}
    if database == "sqlite":
        folder = Path(str(url.database)).absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StorageError(f"cannot create the folder {folder}: {error}. Set FSDF_HOME") from error
    else:
        options["isolation_level"] = "READ COMMITTED"
    if "application_name" in arguments:
        arguments["application_name"] = "fsdf"
    try:
        engine = create_engine(
            url,
            connect_args=arguments,
            poolclass=NativePool,
            pool_size=5,
            max_overflow=15,
            # The last used is used next, so that few are idle for long.
            pool_use_lifo=True,
            **options,
            **driver_options(url),
        )
    except ImportError as error:
        extra = "mysql" if database == "mariadb" else database
        raise MissingDependency(
            f"SQLALCHEMY on {database} needs the library {url.get_driver_name()!r}: pip install fsdf[{extra}]"
        ) from error
    except (TypeError, ValueError, NoSuchModuleError) as error:
        raise ConfigurationError(f"the options of the {database} URL are not valid: {error}") from None
    if database == "sqlite":
        event.listen(engine, "begin", _begin)
    return engine


def create_tables(engine: Engine) -> None:
    """Create the tables that are missing; a user without the right to create can use what is there."""
    if _are_there(engine):
        return
    try:
        metadata.create_all(engine)
    except DBAPIError:
        # Others create at the same time; then everything is there in the end.
        for _ in range(_ATTEMPTS):
            time.sleep(random.random() * 0.2)  # noqa: S311 - no secret
            if _are_there(engine):
                return
        metadata.create_all(engine)


def _are_there(engine: Engine) -> bool:
    return set(metadata.tables) <= set(inspect(engine).get_table_names())


def _begin(connection: Connection) -> None:
    # A transaction that writes later would meet "database is locked" at once, not after the busy timeout.
    read = connection.get_execution_options().get("fsdf_read")
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")
