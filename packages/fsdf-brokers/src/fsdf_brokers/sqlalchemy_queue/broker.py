"""Queues in a database by SQLAlchemy: PostgreSQL, MySQL 8, MariaDB 10.6 or newer ones, or a SQLite file.

A send returns once its transaction is committed. On PostgreSQL the broker POSTGRES is several times faster, and
wakes waiting consumers; here they look for messages every few milliseconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fsdf_brokers.sqlalchemy_queue.database import Database
from fsdf_brokers.sqlalchemy_queue.queue import SQLAlchemyQueue
from fsdf_core.broker import Broker, Capabilities
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, StorageError

if TYPE_CHECKING:
    from fsdf_core.settings import Settings


class SQLAlchemyBroker(Broker):
    """All queues of one database, in the tables `fsdf_sql_*`.

    Args:
        url: sqlite:///path, postgresql://…, mysql://… or mariadb://…; the password never reaches a log.
        heartbeat_timeout: seconds, see `Settings`; default 5.
        lease_limit: seconds, see `Settings`; default 300.

    Raises:
        ConfigurationError: the URL is not valid.
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
        cross_machine=True,
        ordering="fifo",
        liveness="connection",
    )
    retryable_errors = (BrokerUnavailable, StorageError)

    def __init__(self, url: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.database = Database(url)
        if self.database.file is not None:
            file = replace(self.capabilities, cross_machine=False, liveness="process")
            self.capabilities = file  # type: ignore[misc] # of this database, not of the class
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> SQLAlchemyBroker:
        """Build the broker of `sqlalchemy_url`; by default `sqlalchemy_queue.sqlite` in the settings' home."""
        secret = settings.sqlalchemy_url
        file = (settings.home / "sqlalchemy_queue.sqlite").as_posix()
        return cls(
            secret.get_secret_value() if secret else f"sqlite:///{file}",
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> SQLAlchemyQueue:
        """Return the queue; it takes no options.

        Raises:
            ConfigurationError: an option was given.
        """
        if options:
            raise ConfigurationError(f"SQLALCHEMY takes no queue options, not {', '.join(options)}")
        return SQLAlchemyQueue(self, name)

    def close(self) -> None:
        """Close all connections that are idle."""
        self.database.close()
