"""Moving claims back to where they came from."""

from __future__ import annotations

import sqlite3
from typing import Any


def restore(connection: sqlite3.Connection, fresh: int, claims: str, arguments: tuple[Any, ...]) -> None:
    """Insert claims into `ready` with their old ids, or behind `fresh` if another message has taken one."""
    try:
        connection.execute(f"INSERT INTO ready SELECT queue, rank, id, {claims}", arguments)
    except sqlite3.IntegrityError:
        connection.execute(
            f"INSERT INTO ready SELECT queue, rank, ? + row_number() OVER (ORDER BY seq), {claims}",
            (fresh, *arguments),
        )
