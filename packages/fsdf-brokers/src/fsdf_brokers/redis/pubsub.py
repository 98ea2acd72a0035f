"""REDIS_PUBSUB: a Redis channel; every consumer that listens runs every task. Nothing is stored anywhere.

`redis-cli PUBLISH sums '{"x":1,"y":2}'` is a task for all consumers of the queue `sums`; producers and consumers of
funboost share it. A message that nobody listens for is accepted and gone, that is how channels are; so is what a
consumer holds when it stops or dies, and what is published while its connection is broken. Dead letters are published
to the channel `<queue>_dlx`: consume it, or they are only in the log.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.redis.pubsub_subscription import PubSubSubscription
from fsdf_brokers.redis.scripts import Script
from fsdf_brokers.redis.server import RETRYABLE, RedisAt
from fsdf_core.broker import Broker, Capabilities, Queue, QueueSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.broker import OutgoingMessage, Subscription
    from fsdf_core.settings import Settings

_PUBLISH = Script("publish", ())


class RedisPubSubBroker(Broker):
    """Channels on one Redis server.

    Args:
        url: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://; passwords never reach a log.

    Raises:
        ConfigurationError: it is no URL of Redis.
    """

    cooperative = True
    capabilities = Capabilities(
        durable=False,
        acks=False,
        delivery_count=False,
        delay=False,
        priority=False,
        size=False,
        purge=False,
        cross_process=True,
        cross_machine=True,
        ordering="fifo",
        liveness="connection",
    )
    retryable_errors = RETRYABLE

    def __init__(self, url: str) -> None:
        self.server = RedisAt(url)

    @classmethod
    def from_settings(cls, settings: Settings) -> RedisPubSubBroker:
        """Build the broker of `redis_url`; opens no connection yet."""
        return cls(settings.redis_url.get_secret_value())

    def queue(self, name: str, **options: Any) -> PubSubQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        return PubSubQueue(self, name)

    def close(self) -> None:
        """Close the connections of producers."""
        self.server.close()


class PubSubQueue(Queue):
    """A channel.

    Args:
        broker: whose queue it is.
        name: the channel.
    """

    def __init__(self, broker: RedisPubSubBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._server = broker.server.at(name)

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish all messages, to whoever listens.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then they may have been published.
            ConfigurationError: it refuses the password.
        """
        bodies = [message.body for message in messages]
        with self._server.translated():
            if len(bodies) == 1:
                self._server.shared.execute_command("PUBLISH", self.name, bodies[0])
            elif bodies:
                _PUBLISH(self._server.shared, (self.name,), bodies)

    def subscribe(self, consumer_id: str, prefetch: int) -> Subscription:  # noqa: ARG002 - contract
        """Start to listen: what is published from now on arrives.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses the password.
        """
        return PubSubSubscription(self._server, self.name, consumer_id)

    def size(self) -> QueueSize:
        """Return zeros: a channel keeps nothing."""
        return QueueSize(0)

    def purge(self) -> int:
        """Return 0: there is nothing to delete."""
        return 0
