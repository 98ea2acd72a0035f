"""A pool of SQLAlchemy that hands out no connection which the server has ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_brokers.states.sql.dialect import Dialect

_IDLE = 0.5
"""Seconds after which a connection is tested before it is used."""


class FreshConnections:
    """Prepares new connections, tests those that were idle, replaces those that are older than a loss.

    Args:
        dialect: how to prepare and to test one.
        after_test: called with the raw connection when it has passed.
    """

    def __init__(self, dialect: Dialect, after_test: Callable[[Any], object] | None = None) -> None:
        self._dialect = dialect
        self._after_test = after_test
        self._lost = 0.0

    def watch(self, target: Any) -> None:
        """Look after a pool, or an engine's."""
        event.listen(target, "connect", self._on_connect)
        event.listen(target, "checkin", self._on_checkin)
        event.listen(target, "checkout", self._on_checkout)

    def lost(self) -> None:
        """Note that the server was lost: no connection of before is used again."""
        self._lost = time.monotonic()

    def _on_connect(self, connection: Any, record: Any) -> None:
        record.info["used"] = record.info["opened"] = time.monotonic()
        self._dialect.prepare(connection)

    @staticmethod
    def _on_checkin(connection: Any, record: Any) -> None:  # noqa: ARG004 - SQLAlchemy passes it
        record.info["used"] = time.monotonic()

    def _on_checkout(self, connection: Any, record: Any, fairy: Any) -> None:  # noqa: ARG002 - SQLAlchemy passes it
        if not self._dialect.pings:
            return
        if record.info["opened"] <= self._lost:
            raise InvalidatePoolError
        if time.monotonic() - record.info["used"] > _IDLE:
            try:
                self._dialect.ping(connection)
                if self._after_test is not None:
                    self._after_test(connection)
            except Exception as error:
                raise InvalidatePoolError from error
