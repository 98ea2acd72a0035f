"""Queues in a PostgreSQL database, 12 or newer.

A send returns once its transaction is committed: it is as durable as the server's `synchronous_commit`.
Consumers need sessions of their own: a pooler between must not share them (PgBouncer: `pool_mode = session`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.postgres.queue import PostgresQueue
from fsdf_brokers.postgres.server import RETRYABLE, Server
from fsdf_core.broker import Broker, Capabilities
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_core.settings import Settings


class PostgresBroker(Broker):
    """All queues of one database, in the tables `fsdf_queue`, `fsdf_message` and `fsdf_consumer`.

    Args:
        url: postgresql://user:password@host:5432/database; the password never reaches a log.
        heartbeat_timeout: seconds, see `Settings`; default 5.
        lease_limit: seconds, see `Settings`; default 300.

    Raises:
        ConfigurationError: it is no URL of PostgreSQL.
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
    retryable_errors = RETRYABLE

    def __init__(self, url: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.server = Server(url)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> PostgresBroker:
        """Build the broker of `postgres_url`, or of `sqlalchemy_url`; opens no connection yet.

        Raises:
            ConfigurationError: neither is set, or it is no URL of PostgreSQL.
        """
        secret = getattr(settings, "postgres_url", None) or settings.sqlalchemy_url
        if secret is None:
            raise ConfigurationError(
                "POSTGRES needs a database: set FSDF_SQLALCHEMY_URL to postgresql://user:password@host:5432/database"
            )
        return cls(
            secret.get_secret_value(),
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> PostgresQueue:
        """Return the queue; it takes no options.

        Raises:
            ConfigurationError: an option was given.
        """
        if options:
            raise ConfigurationError(f"POSTGRES takes no queue options, not {', '.join(options)}")
        return PostgresQueue(self, name)

    def close(self) -> None:
        """Close the connections of producers."""
        self.server.close()
