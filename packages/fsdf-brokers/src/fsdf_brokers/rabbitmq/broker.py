"""What the brokers on RabbitMQ have in common; each client library has a subclass beside its link."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, ClassVar

from fsdf_brokers.rabbitmq.address import parse
from fsdf_brokers.rabbitmq.producer import Producer
from fsdf_brokers.rabbitmq.queue import RabbitMQQueue
from fsdf_brokers.rabbitmq.topology import Topology, exchange_of
from fsdf_core.broker import Broker, Capabilities
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from typing_extensions import Self

    from fsdf_brokers.rabbitmq.link import Link
    from fsdf_brokers.rabbitmq.subscription import RabbitMQSubscription
    from fsdf_core.settings import Settings

_ARGUMENTS = frozenset(
    {
        "x-consumer-timeout",
        "x-dead-letter-exchange",
        "x-dead-letter-routing-key",
        "x-delivery-limit",
        "x-max-length",
        "x-max-length-bytes",
        "x-max-priority",
        "x-message-ttl",
        "x-overflow",
        "x-queue-mode",
        "x-queue-type",
        "x-queue-version",
        "x-quorum-initial-group-size",
        "x-single-active-consumer",
    }
)
_TOP_PRIORITY = 255


class RabbitMQBroker(Broker):
    """Durable queues on a RabbitMQ server, 3.8 or newer, over AMQP 0-9-1.

    Queue options: `queue_durable` (default True), `no_ack` (default False; True is at most once), and x-arguments
    of the queue, such as `x-max-priority` (1 to 255; default none, as producers of other programs declare it) or
    `x-queue-type` ("quorum": replicated, and deliveries are counted).

    A task may run for as long as the server's `consumer_timeout` allows, 30 minutes by default; then the server
    takes the message back, and it runs again.

    Args:
        url: amqp://user:password@host:5672/%2F, amqps:// for TLS; the password never reaches a log.
        lease_limit: seconds after which the server gives up a host that is silent; default 300. A process that
            dies is noticed at once, by its connection.

    Raises:
        ConfigurationError: it is no URL of RabbitMQ.
    """

    cooperative = True
    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=False,
        delay=True,
        priority=True,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=True,
        ordering="fifo",
        liveness="connection",
    )
    queue_options = frozenset({"queue_durable", "no_ack"}) | _ARGUMENTS
    link: ClassVar[type[Link]]

    def __init__(self, url: str, *, lease_limit: float = 300.0) -> None:
        self.address = parse(url, heartbeat=max(1, int(lease_limit / 2)))
        self.producer = Producer(lambda: self.open_link("fsdf producer"))
        self._lock = threading.Lock()
        self._subscriptions: dict[str, weakref.WeakSet[RabbitMQSubscription]] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the broker of `rabbitmq_url`; opens no connection yet."""
        return cls(settings.rabbitmq_url.get_secret_value(), lease_limit=settings.lease_limit)

    def queue(self, name: str, **options: Any) -> RabbitMQQueue:
        """Return the queue of that name.

        Raises:
            ConfigurationError: an option is not valid.
        """
        return RabbitMQQueue(self, self._topology(name, options), at_most_once=bool(options.get("no_ack")))

    def open_link(self, name: str) -> Link:
        """Open a connection, shown under this name in the server's list."""
        return self.link(self.address, name)

    def remember(self, queue: str, subscription: RabbitMQSubscription) -> None:
        """Note a consumer of this process."""
        with self._lock:
            self._subscriptions.setdefault(queue, weakref.WeakSet()).add(subscription)

    def subscriptions(self, queue: str) -> list[RabbitMQSubscription]:
        """Return the consumers that this process has on a queue."""
        with self._lock:
            return list(self._subscriptions.get(queue, ()))

    def close(self) -> None:
        """Close the connection of producers."""
        self.producer.close()

    def _topology(self, name: str, options: dict[str, Any]) -> Topology:
        arguments = {key: value for key, value in options.items() if key in _ARGUMENTS and value is not None}
        top = arguments.get("x-max-priority", 1)
        if not isinstance(top, int) or not 1 <= top <= _TOP_PRIORITY:
            raise ConfigurationError(f"x-max-priority is {top!r}: use a whole number from 1 to {_TOP_PRIORITY}")
        return Topology(name, bool(options.get("queue_durable", True)), arguments)


class ComplexRouting(RabbitMQBroker):
    """Publishes to an exchange that the queue is bound to.

    Further queue options: `exchange_name` (needed), `exchange_type` ("direct", "fanout", "topic", "headers"),
    `routing_key_for_bind` and `routing_key_for_publish` (default: the queue's name), `headers_for_bind` (which
    messages carry, too), `x_match_for_bind` ("all", "any"), `exchange_declare_durable` (default True). A dead-letter
    queue without `exchange_name` uses the default exchange.
    """

    queue_options = RabbitMQBroker.queue_options | {
        "exchange_name",
        "exchange_type",
        "routing_key_for_bind",
        "routing_key_for_publish",
        "headers_for_bind",
        "x_match_for_bind",
        "exchange_declare_durable",
    }

    def _topology(self, name: str, options: dict[str, Any]) -> Topology:
        topology = super()._topology(name, options)
        if options.keys() & (ComplexRouting.queue_options - RabbitMQBroker.queue_options):
            topology.exchange = exchange_of(options, name)
        return topology
