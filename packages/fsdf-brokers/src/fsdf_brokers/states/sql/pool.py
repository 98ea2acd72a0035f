"""The pool of a database's connections, and the driver's errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_pool_from_url
from sqlalchemy.exc import NoSuchModuleError

from fsdf_brokers.native_driver import driver_options
from fsdf_brokers.native_pool import NativePool
from fsdf_core.errors import ConfigurationError, MissingDependency

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from fsdf_brokers.states.sql.dialect import Dialect

_IDLE, _OVERFLOW, _WAIT = 5, 15, 30.0
"""Connections kept, connections beyond them while many threads ask at once, seconds to wait for one."""


@dataclass(frozen=True)
class Pool:
    """Connections and the errors they raise.

    Attributes:
        connections: SQLAlchemy's pool.
        errors: the driver's errors, one root.
    """

    connections: Any
    errors: type[BaseException]


def open_pool(url: URL, dialect: Dialect) -> Pool:
    """Return a pool that has not connected yet.

    Raises:
        MissingDependency: the driver is not installed; names the pip command.
        ConfigurationError: an option in the URL is not valid.
    """
    try:
        errors = url.get_dialect().import_dbapi().Error
        connections = create_pool_from_url(
            url,
            connect_args=dialect.connect_arguments(frozenset(url.query)),
            poolclass=NativePool,
            pool_size=_IDLE,
            max_overflow=_OVERFLOW,
            pool_timeout=_WAIT,
            # The last used is used next, so that few are idle for long.
            pool_use_lifo=True,
            # Operations end their transactions themselves.
            pool_reset_on_return=None,
            **driver_options(url),
        )
    except ImportError as error:
        database = url.get_backend_name()
        extra = "mysql" if database == "mariadb" else database
        raise MissingDependency(
            f"the state store on {database} needs the library {url.get_driver_name()!r}: pip install fsdf[{extra}]"
        ) from error
    except (TypeError, ValueError, NoSuchModuleError) as error:
        raise ConfigurationError(f"the options of the {url.get_backend_name()} URL are not valid: {error}") from None
    return Pool(connections, errors)
