"""Equal durability of SQLite files: WAL and `synchronous=NORMAL` for every system.

That is what fsdf's adapter promises: what was committed survives `kill -9` of every process. The peers use
other settings (FULL, which waits for the disk at each commit, or no WAL) and offer no option for this one.
"""

from __future__ import annotations

import functools
import sqlite3
import sqlite3.dbapi2
from typing import Any


def equalise() -> None:
    """Make every later `sqlite3.connect` of this process use WAL and `synchronous=NORMAL`."""
    connect = sqlite3.connect

    @functools.wraps(connect)
    def connect_normal(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        connection.execute("PRAGMA busy_timeout=10000")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection

    sqlite3.connect = connect_normal
    sqlite3.dbapi2.connect = connect_normal
