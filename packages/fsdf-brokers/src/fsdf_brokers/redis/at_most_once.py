"""REDIS: a plain Redis list without acknowledgements, the fastest kind. What a worker that dies held is lost.

`redis-cli RPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`; producers and consumers of funboost share it.
Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.layout import LIST
from fsdf_brokers.redis.popping import PoppingSubscription
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_brokers.redis.server import RETRYABLE, RedisAt
from fsdf_core.broker import Broker, Capabilities

if TYPE_CHECKING:
    from fsdf_brokers.redis.keys import Keys
    from fsdf_core.broker import Subscription
    from fsdf_core.settings import Settings


class RedisBroker(Broker):
    """Queues on one Redis server, at most once. As durable as the server until they are delivered.

    What waits for its time, waits on the server: a worker that dies does not lose it.

    Args:
        url: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://; passwords never reach a log.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    cooperative = True
    capabilities = Capabilities(
        durable=True,
        acks=False,
        delivery_count=False,
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

    def __init__(self, url: str) -> None:
        self.server = RedisAt(url)

    @classmethod
    def from_settings(cls, settings: Settings) -> RedisBroker:
        """Build the broker of `redis_url`; opens no connection yet."""
        return cls(settings.redis_url.get_secret_value())

    def queue(self, name: str, **options: Any) -> RedisQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        return RedisQueue(self, self.server, name, LIST, self._subscribe)

    def close(self) -> None:
        """Close the connections of producers."""
        self.server.close()

    def _subscribe(self, keys: Keys, consumer_id: str) -> Subscription:
        return PoppingSubscription(self.server, keys, consumer_id)
