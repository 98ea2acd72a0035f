"""Where the web UI's tests keep state and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

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
    if hasattr(server, "database"):
        url: str = server.database()
        return url
    server.command("FLUSHALL")
    return str(server.url)
