"""Records in SQLite, PostgreSQL, MySQL or MariaDB."""

from fsdf_brokers.records.sql.store import SQLRecordStore

__all__ = ["SQLRecordStore"]
