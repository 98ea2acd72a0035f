"""Queues in a SQLite file, in WAL mode.

A send returns once its transaction is committed (synchronous=NORMAL): it survives kill -9 of any process; a power
cut of the machine may lose the last moments before it, but never corrupts the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_brokers.sqlite.database import Database
from fsdf_brokers.sqlite.queue import SQLiteQueue
from fsdf_core.broker import Broker, Capabilities
from fsdf_core.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from fsdf_core.settings import Settings


class SQLiteBroker(Broker):
    """All queues of one file.

    Args:
        path: the file; it and its folder are created at first use.
        busy_timeout: seconds to wait for another process's lock before BrokerUnavailable; default 30.
        heartbeat_timeout: seconds, see `Settings`; default 5.
        lease_limit: seconds, see `Settings`; default 300.
    """

    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=True,
        delay=True,
        priority=True,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=False,
        ordering="fifo",
        liveness="process",
    )
    retryable_errors = (StorageError,)

    def __init__(
        self,
        path: str | Path,
        *,
        busy_timeout: float = 30.0,
        heartbeat_timeout: float = 5.0,
        lease_limit: float = 300.0,
    ) -> None:
        self.database = Database(Path(path), busy_timeout)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> SQLiteBroker:
        """Use `queue.sqlite` in the settings' home."""
        return cls(
            settings.home / "queue.sqlite",
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> SQLiteQueue:
        """Return the queue; it takes no options.

        Raises:
            ConfigurationError: an option was given.
        """
        if options:
            raise ConfigurationError(f"SQLITE_QUEUE takes no queue options, not {', '.join(options)}")
        return SQLiteQueue(self, name)

    def close(self) -> None:
        """Close the file."""
        self.database.close()
