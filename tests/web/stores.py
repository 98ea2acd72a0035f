"""Where the web UI's tests keep state and records."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

SQLITE = ()
"""Files, by default."""

REDIS_AND_POSTGRESQL = ("redis_url", "postgres_url")
POSTGRESQL = ("postgres_url", "postgres_url")
MONGODB = ("mongodb_url", "mongodb_url")

everywhere = pytest.mark.parametrize(
    "stores",
    [SQLITE, REDIS_AND_POSTGRESQL, POSTGRESQL, MONGODB],
    ids=["sqlite", "redis+postgresql", "postgresql", "mongodb"],
    indirect=True,
)
"""Runs a module's tests on all of them."""


def urls(fixtures: tuple[str, ...], value_of: Callable[[str], str]) -> dict[str, str]:
    """Return the settings of the stores: the fixtures name the URLs of state and of records."""
    return dict(zip(("state_url", "records_url"), map(value_of, fixtures), strict=False))
