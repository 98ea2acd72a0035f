"""URLs of databases: which ones, by which driver, and without their passwords."""

from __future__ import annotations

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
"""The driver of each database."""
_FORMS = "use sqlite:///path, postgresql://user:password@host/database, mysql://… or mariadb://…"


def parse(text: str, noun: str = "state store") -> URL:
    """Return the URL with its driver named.

    Args:
        text: the URL.
        noun: what it is to users, for errors.

    Raises:
        ConfigurationError: it is no URL of a database that fsdf knows, or names another driver.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ConfigurationError(f"the URL of the {noun} cannot be read: {_FORMS}") from None
    database = url.get_backend_name()
    if database not in DRIVERS:
        raise ConfigurationError(f"{database!r} is no database of fsdf.{did_you_mean(database, DRIVERS)} {_FORMS}")
    wanted = DRIVERS[database]
    if url.drivername not in {database, wanted}:
        raise ConfigurationError(
            f"fsdf does not use the driver of {url.drivername!r}: write {database}:// or {wanted}://"
        )
    if database == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise ConfigurationError(
            f"a SQLite {noun} needs a file: use sqlite:///path{', or memory://' if noun == 'state store' else ''}"
        )
    return url.set(drivername=wanted)


def shown(url: URL) -> str:
    """Return the URL without its password and options."""
    return url.set(query={}).render_as_string(hide_password=True)
