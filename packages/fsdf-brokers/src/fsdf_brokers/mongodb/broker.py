"""Queues in MongoDB, or in a server that speaks its protocol. Needs neither transactions nor a replica set.

What is accepted is in the server's journal (`j: true`), and on a majority of a replica set, unless the URL says `w=1`.
An idle consumer looks for messages, at first every 5 ms and later four times a second: change streams would need a
replica set. A send in the same process wakes it at once.

Leases: a heartbeat in the database. When it stops for 30 s (`lease_limit`, if that is shorter), the messages are
delivered again. On one Linux host the kernel tells more (`fsdf_brokers.process_lock`): a killed consumer's messages
come back in a second, and one that is alive but stalled keeps its own until the lease limit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.mongodb.faults import BROKER, RETRYABLE
from fsdf_brokers.mongodb.queue import MongoQueue
from fsdf_brokers.mongodb.server import Server
from fsdf_core.broker import Broker, Capabilities
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_core.settings import Settings


class MongoBroker(Broker):
    """All queues of one database.

    Args:
        url: mongodb://user:password@host:27017/database or mongodb+srv://…, default database "fsdf"; options of
            PyMongo after "?"; the password never reaches a log.
        heartbeat_timeout: seconds, see `Settings`; default 5.
        lease_limit: seconds, see `Settings`; default 300.

    Raises:
        ConfigurationError: it is no URL of MongoDB.
    """

    cooperative = True
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
        liveness="timeout",
    )
    retryable_errors = RETRYABLE

    def __init__(self, url: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.server = Server(url, BROKER)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> MongoBroker:
        """Build the broker of `mongo_url`; opens no connection yet.

        Raises:
            ConfigurationError: it is no URL of MongoDB.
        """
        return cls(
            settings.mongo_url.get_secret_value(),
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> MongoQueue:
        """Return the queue; it takes no options.

        Raises:
            ConfigurationError: an option was given.
        """
        if options:
            raise ConfigurationError(f"MONGOMQ takes no queue options, not {', '.join(options)}")
        return MongoQueue(self, name)

    def close(self) -> None:
        """Disconnect."""
        self.server.close()
