"""Where the web UI's tests keep state and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.servers.redis_server import RedisServer
from tests.servers.sql_server import PostgreSQLServer

if TYPE_CHECKING:
    from collections.abc import Callable

SQLITE = ()
"""Files, by default."""

_SERVERS = {
    "redis+postgresql": ("redis_server", "postgres_server"),
    "postgresql": ("postgres_server",),
    "mongodb": ("mongodb_server",),
}
SERVERS = [pytest.param(servers, id=name) for name, servers in _SERVERS.items()]
"""The fixtures of the servers of state and records, or of both."""

everywhere = pytest.mark.parametrize("stores", [pytest.param(SQLITE, id="sqlite"), *SERVERS], indirect=True)
"""Runs a module's tests on all of them."""


def urls(servers: tuple[str, ...], fixture: Callable[[str], Any]) -> dict[str, str]:
    """Return the settings of empty stores on servers."""
    found = [_empty(fixture(name)) for name in servers]
    return {"state_url": found[0], "records_url": found[-1]} if found else {}


def _empty(server: Any) -> str:
    match server:
        case PostgreSQLServer():
            return _emptied(server)
        case RedisServer():
            server.command("FLUSHALL")
            return str(server.url)
        case _:
            return str(server.database())


def _emptied(server: PostgreSQLServer) -> str:
    """Return one database for all tests: a new one is 8 MB of files."""
    if server not in _databases:
        _databases[server] = server.database()
        return _databases[server]
    with psycopg.connect(_databases[server], autocommit=True) as connection:
        connection.execute("SET lock_timeout = '60s'")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return _databases[server]


_databases: dict[PostgreSQLServer, str] = {}
