"""State in SQLite, PostgreSQL, MySQL or MariaDB."""

from fsdf_brokers.states.sql.store import SQLStateStore

__all__ = ["SQLStateStore"]
