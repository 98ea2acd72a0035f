"""Which databases SQLALCHEMY knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from fsdf_brokers.states.sql.mysql import MySQL
from fsdf_brokers.states.sql.postgresql import PostgreSQL
from fsdf_brokers.states.sql.sqlite import SQLite
from fsdf_brokers.states.sql.url import DRIVERS
from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from fsdf_brokers.states.sql.dialect import Dialect

_FORMS = "Use sqlite:///path, postgresql://user:password@host/database, mysql://… or mariadb://…"
_DIALECTS: dict[str, type[Dialect]] = {
    "sqlite": SQLite,
    "postgresql": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
}


def parse(text: str) -> URL:
    """Return the URL with its driver named.

    Raises:
        ConfigurationError: it is no URL of a database that fsdf knows, or names another driver.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"the URL of SQLALCHEMY cannot be read. {_FORMS}") from None
    database = url.get_backend_name()
    if database not in DRIVERS:
        raise ConfigurationError(f"SQLALCHEMY does not know {database!r}.{did_you_mean(database, DRIVERS)} {_FORMS}")
    wanted = DRIVERS[database]
    if url.drivername not in {database, wanted}:
        raise ConfigurationError(
            f"SQLALCHEMY does not use the driver of {url.drivername!r}: write {database}:// or {wanted}://"
        )
    if database == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise ConfigurationError("SQLALCHEMY needs a file: use sqlite:///path, or the broker MEMORY_QUEUE")
    return url.set(drivername=wanted)


def dialect_of(url: URL) -> Dialect:
    """Return what is known of a database's connections and errors."""
    return _DIALECTS[url.get_backend_name()]()
