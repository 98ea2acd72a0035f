"""Broker adapters of fsdf: SQLite, persist-queue and, by extra, servers."""

__version__ = "0.1.0"
