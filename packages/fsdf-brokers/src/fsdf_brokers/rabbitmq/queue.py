"""A queue of RabbitMQ."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from fsdf_brokers.rabbitmq.link import Publication
from fsdf_brokers.rabbitmq.subscription import RabbitMQSubscription
from fsdf_core.broker import Queue, QueueSize
from fsdf_core.errors import UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from fsdf_brokers.rabbitmq.broker import RabbitMQBroker
    from fsdf_brokers.rabbitmq.link import Link, Received
    from fsdf_brokers.rabbitmq.topology import Topology
    from fsdf_core.broker import OutgoingMessage

_BROKERS_OWN = ("x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count")
"""Headers that the server adds, by their beginnings."""


class RabbitMQQueue(Queue):
    """A queue named as it is, with bodies as they are: other programs publish to it and consume from it.

    Args:
        broker: the broker.
        topology: the queue and what belongs to it.
        at_most_once: acknowledge messages when they are handed out.
    """

    def __init__(self, broker: RabbitMQBroker, topology: Topology, *, at_most_once: bool) -> None:
        self.broker: RabbitMQBroker = broker
        self.name = topology.queue
        self._topology = topology
        self._at_most_once = at_most_once
        self._producer = broker.producer

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Publish, and wait for the confirms.

        Raises:
            BrokerUnavailable: the server cannot be reached or went away; then some may have been accepted.
            StorageError: the server's memory or disk alarm is on; the first batch that meets it may be accepted later.
            QueueFull: the queue has a maximal length.
            UnsupportedFeature: a priority on a queue without `x-max-priority`, or a delay of over 49 days.
            ConfigurationError: the server refuses us, or the queue exists with other options.
        """
        if not messages:
            return
        exchange = self._topology.exchange
        where = "" if exchange is None else exchange.name
        key = self.name if exchange is None else exchange.publish_key
        headers = dict(exchange.bind_headers) if exchange is not None and exchange.kind == "headers" else None
        self._put(
            (
                message.delay,
                Publication(
                    where,
                    key if exchange is None else message.key or key,
                    cast("bytes", message.body),
                    self._checked(message.priority),
                    headers,
                ),
            )
            for message in messages
        )

    def subscribe(self, consumer_id: str, prefetch: int) -> RabbitMQSubscription:  # noqa: ARG002 - asked for by receive
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses us, or the queue exists with other options.
        """
        broker = self.broker
        subscription = RabbitMQSubscription(
            self._topology,
            lambda: broker.open_link(f"fsdf {self.name} {consumer_id}"),
            self._resend,
            at_most_once=self._at_most_once,
        )
        broker.remember(self.name, subscription)
        return subscription

    def size(self) -> QueueSize:
        """Count what is ready; delayed and unacknowledged messages as far as this process knows of them.

        The protocol tells nobody what others hold.
        """
        self._producer.declare(self._topology)
        delayed = self._producer.call(self._count_delayed)
        ready = self._producer.call(lambda link: link.count(self.name)) or 0
        # What was delivered until then is on its way to a consumer, or there.
        mine = [subscription.count() for subscription in self.broker.subscriptions(self.name)]
        return QueueSize(ready + sum(here for here, _ in mine), delayed, sum(held for _, held in mine))

    def purge(self) -> int:
        """Delete what is ready, and what this process has delayed."""
        self._producer.declare(self._topology)
        deleted = self._producer.call(lambda link: link.purge(self.name))
        for name in self._topology.helpers:
            deleted += self._producer.call(lambda link, name=name: self._purge_helper(link, name))  # type: ignore[misc]
        return deleted

    def _put(self, messages: Iterable[tuple[float, Publication]]) -> None:
        topology = self._topology
        batch = []
        for delay, publication in messages:
            if delay <= 0:
                batch.append(publication)
                continue
            name = topology.helper(delay, publication.exchange, publication.routing_key)
            if not topology.helper_is_fresh(name):
                self._producer.declare(topology)
                self._producer.call(
                    lambda link, d=delay, p=publication: topology.declare_helper(  # type: ignore[misc]
                        link, d, p.exchange, p.routing_key
                    )
                )
            batch.append(publication._replace(exchange="", routing_key=name))
        self._producer.publish(topology, batch)

    def _resend(self, messages: Sequence[Received], delay: float) -> None:
        self._put(
            (delay, Publication("", self.name, message.body, message.priority, _own_headers(message.headers)))
            for message in messages
        )

    def _checked(self, priority: int) -> int | None:
        if not priority:
            return None
        if not self._topology.top_priority:
            raise UnsupportedFeature(
                f"the queue {self.name!r} has no priorities: declare it with the queue option 'x-max-priority' "
                "(1 to 255), on every side that declares it"
            )
        return min(priority, self._topology.top_priority)

    def _count_delayed(self, link: Link) -> int:
        counts = {name: link.count(name) for name in self._topology.helpers}
        for name, count in counts.items():
            if count is None:
                self._topology.forget_helper(name)
        return sum(count or 0 for count in counts.values())

    def _purge_helper(self, link: Link, name: str) -> int:
        return link.purge(name) if link.count(name) is not None else 0


def _own_headers(headers: dict[str, Any] | None) -> dict[str, Any] | None:
    own = {name: value for name, value in (headers or {}).items() if not name.startswith(_BROKERS_OWN)}
    return own or None
