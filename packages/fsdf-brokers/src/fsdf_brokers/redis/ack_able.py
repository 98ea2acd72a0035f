"""REDIS_ACK_ABLE: a plain Redis list, with crash-safe acknowledgements.

`redis-cli RPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`; producers of funboost share it.
Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.keys import Keys
from fsdf_brokers.redis.scripts import PURGE, SEND, SIZE
from fsdf_brokers.redis.server import RETRYABLE, RedisAt
from fsdf_brokers.redis.subscription import RedisSubscription
from fsdf_core.broker import Broker, Capabilities, Queue, QueueSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.broker import OutgoingMessage
    from fsdf_core.settings import Settings


class RedisAckAbleBroker(Broker):
    """Queues on one Redis server. As durable as the server: see its `appendonly` and `maxmemory-policy`.

    Args:
        url: redis://, rediss:// or unix://; the password never reaches a log.
        heartbeat_timeout: seconds until a consumer's heartbeat is stale; default 5.
        lease_limit: seconds without heartbeat after which a living consumer loses its messages; default 300.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=True,
        delay=True,
        priority=False,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=True,
        ordering="fifo",
        liveness="connection",
    )
    retryable_errors = RETRYABLE

    def __init__(self, url: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.server = RedisAt(url)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> RedisAckAbleBroker:
        """Build the broker of `redis_url`; opens no connection yet."""
        return cls(
            settings.redis_url.get_secret_value(),
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> RedisAckAbleQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        return RedisAckAbleQueue(self, name)

    def close(self) -> None:
        """Close the connections of producers."""
        self.server.close()


class RedisAckAbleQueue(Queue):
    """A list named as the queue, and what `Keys` names beside it."""

    def __init__(self, broker: RedisAckAbleBroker, name: str) -> None:
        self.broker: RedisAckAbleBroker = broker
        self.name = name
        self._server = broker.server
        self._keys = Keys(name)

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append all messages or none, in one command.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been accepted.
            StorageError: its memory is full.
            ConfigurationError: it refuses the password, or the queue's name is a key of another type.
        """
        if not messages:
            return
        with self._server.translated():
            if any(message.delay > 0 for message in messages):
                arguments = [word for one in messages for word in (int(one.delay * 1000), one.body)]
                SEND(self._server.shared, (self.name, self._keys.delayed, self._keys.sequence), arguments)
            else:
                self._server.shared.execute_command("RPUSH", self.name, *[one.body for one in messages])

    def subscribe(self, consumer_id: str, prefetch: int) -> RedisSubscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses the password, or is too old.
        """
        broker = self.broker
        return RedisSubscription(self._server, self._keys, consumer_id, broker.heartbeat_timeout, broker.lease_limit)

    def size(self) -> QueueSize:
        """Count the messages."""
        keys = self._keys
        with self._server.translated():
            numbers = SIZE(self._server.shared, (keys.ready, keys.returned, keys.delayed, keys.beats), (keys.prefix,))
        return QueueSize(*numbers)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        keys = self._keys
        with self._server.translated():
            return int(PURGE(self._server.shared, (keys.ready, keys.returned, keys.delayed)))
