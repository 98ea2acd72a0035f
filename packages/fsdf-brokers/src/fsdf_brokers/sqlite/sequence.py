"""Ids of messages: in the order of commits, unique, never used again.

An id is the microsecond of its making, or the one after the newest id if that is later, followed by the number
of its writer. Ids are made while SQLite's write lock is held, so their order is the order of commits even where
the clock is coarse or was set back; the writer's number keeps them apart from ids that are on the queue no more.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.sqlite.schema import WRITERS

if TYPE_CHECKING:
    import sqlite3

STRIDE = WRITERS
"""Distance between two ids of one writer."""

_EPOCH = 1_704_067_200_000_000
"""2024-01-01 in microseconds, so that ids fit into 63 bits for a lifetime."""


class Sequence:
    """Makes ids on one connection.

    Args:
        writer: the connection's number.
    """

    def __init__(self, writer: int) -> None:
        self._writer = writer
        self._last = 0
        self._version: int | None = None
        self._known: set[tuple[int, int]] = set()

    def take(self, connection: sqlite3.Connection, queue: int, rank: int, count: int) -> int:
        """Return the first of `count` new ids, which are `STRIDE` apart; to be called inside a transaction."""
        # The version changes when another connection commits: only then may there be newer ids than ours.
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self._known.clear()
        if (queue, rank) not in self._known:
            self._known.add((queue, rank))
            (newest,) = connection.execute(
                "SELECT max(id) FROM ready WHERE queue = ? AND rank = ?", (queue, rank)
            ).fetchone()
            self._last = max(self._last, (newest or 0) // STRIDE)
        first = max(self._last + 1, time.time_ns() // 1000 - _EPOCH)
        self._last = first + count - 1
        return first * STRIDE + self._writer
