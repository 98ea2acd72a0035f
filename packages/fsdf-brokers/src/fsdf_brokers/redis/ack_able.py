"""REDIS_ACK_ABLE: a plain Redis list, with crash-safe acknowledgements.

`redis-cli RPUSH sums '{"x":1,"y":2}'` is a task of the queue `sums`; producers of funboost share it.
Needs Redis 6.2 or newer, or Valkey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fsdf_brokers.redis.layout import LIST, Layout
from fsdf_brokers.redis.queue import RedisQueue
from fsdf_brokers.redis.server import RETRYABLE, RedisAt
from fsdf_brokers.redis.subscription import RedisSubscription
from fsdf_core.broker import Broker, Capabilities

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from fsdf_brokers.redis.keys import Keys
    from fsdf_core.broker import Subscription
    from fsdf_core.settings import Settings


class RedisAckAbleBroker(Broker):
    """Queues on one Redis server. As durable as the server: see its `appendonly` and `maxmemory-policy`.

    Args:
        url: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://; passwords never reach a log.
        heartbeat_timeout: seconds until a consumer's heartbeat is stale; default 5.
        lease_limit: seconds without heartbeat after which a living consumer loses its messages; default 300.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    cooperative = True
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
    layout: ClassVar[Layout] = LIST

    def __init__(self, url: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.server = RedisAt(url)
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the broker of `redis_url`; opens no connection yet."""
        return cls(
            settings.redis_url.get_secret_value(),
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> RedisQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        return RedisQueue(self, self.server, name, self.layout, self.subscription(self.layout))

    def subscription(self, layout: Layout) -> Callable[[Keys, str], Subscription]:
        """Return what opens a subscription of the layout, for a queue's keys and a consumer's id."""

        def subscribe(keys: Keys, consumer_id: str) -> Subscription:
            return RedisSubscription(self.server, keys, layout, consumer_id, self.heartbeat_timeout, self.lease_limit)

        return subscribe

    def close(self) -> None:
        """Close the connections of producers."""
        self.server.close()
