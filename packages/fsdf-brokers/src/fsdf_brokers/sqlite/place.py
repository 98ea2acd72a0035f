"""A message's place in its queue: the primary key that delivers high priorities first, then in the order sent.

A place is the rank (0 for the highest priority) and the microsecond of sending, in one integer.
"""

# ruff: noqa: S608 - tables are named by numbers of our own

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

HIGHEST_PRIORITY = 255
SPAN = 1 << 54
"""Places of one rank: the microseconds of 570 years."""


def rank_of(priority: int) -> int:
    """Return the rank of a priority; those below 0 and above 255 count as 0 and 255."""
    return HIGHEST_PRIORITY - min(max(priority, 0), HIGHEST_PRIORITY)


def bounds(rank: int) -> tuple[int, int]:
    """Return (the first place of a rank, the first place of the next one)."""
    return rank * SPAN, (rank + 1) * SPAN


def next_place(number: int) -> str:
    """Return the SQL expression for the end of a rank of a queue; ?1 is the place of this moment, ?2 the next rank.

    It lies behind every message and every claim of the rank, also if the clock goes back or two processes send in
    the same microsecond, because it is worked out under the file's write lock.
    """
    return (
        f"max(?1, 1 + ifnull((SELECT max(id) FROM message_{number} WHERE id < ?2), 0),"
        f" 1 + ifnull((SELECT max(last) FROM claim_{number} WHERE last < ?2), 0))"
    )


def end_of_rank(connection: sqlite3.Connection, number: int, rank: int) -> int:
    """Return the first free place at the end of a rank, within a transaction that holds the write lock."""
    begin, end = bounds(rank)
    now = begin + time.time_ns() // 1000
    place: int = connection.execute(f"SELECT {next_place(number)}", (now, end)).fetchone()[0]
    return place
