"""SQLITE_QUEUE: the embedded default; one SQLite file shared by the processes of a host."""

from fsdf_brokers.sqlite.broker import SQLiteBroker

__all__ = ["SQLiteBroker"]
