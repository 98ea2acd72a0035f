"""One consumer's hold on a queue of Kafka."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from fsdf_brokers.kafka.client import GroupClient
from fsdf_brokers.kafka.faults import NO_TOPIC
from fsdf_brokers.kafka.keeper import Keeper
from fsdf_core.broker import Subscription
from fsdf_core.errors import BrokerError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.kafka.producer import Record
    from fsdf_brokers.kafka.server import KafkaAt
    from fsdf_brokers.kafka.topic import Topic
    from fsdf_core.broker import Delivery

_MOST = 10_000
_SLICE = 0.1
_SESSION = 2000
"""Milliseconds; the library takes up to one second to enter again, and must not be given up meanwhile."""

_JOIN = 2.5
"""Seconds that a first `receive` waits for the group to let us in, even if its timeout is shorter."""


class KafkaSubscription(Subscription):
    """Polls in `receive`; while nobody calls that, a thread `fsdf-kafka-<queue>` serves the group in its place.

    So however long tasks run, the group keeps the consumer. What is acknowledged is committed within 0.2 s, with
    what is finished out of order: see `Progress`. The group's protocol is cooperative: who joins or leaves moves
    only the partitions that must move, and these only after what runs of them has ended, or 5 s.

    Args:
        server: where.
        topic: what to consume.
        append: writes records to the topic.
        consumer_id: shown in the server's list of members.
        group: of consumers that share the messages.
        reset: where a new group starts, "earliest" or "latest".
        heartbeat_timeout: seconds until the server gives up a silent consumer.
        lease_limit: seconds for which a living process may fail to serve the group.
        at_most_once: commit before delivering.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses us.
    """

    def __init__(
        self,
        server: KafkaAt,
        topic: Topic,
        append: Callable[[Sequence[Record]], None],
        *,
        consumer_id: str,
        group: str,
        reset: str,
        heartbeat_timeout: float,
        lease_limit: float,
        at_most_once: bool,
    ) -> None:
        self._append = append
        self._topic = topic
        self._server = server
        self._at_most_once = at_most_once
        self._interrupted = threading.Event()
        self._closed = False
        self._committed: list[Delivery] = []
        topic.ensure()
        self._logger = logging.getLogger(f"fsdf.{topic.name}")
        self._group = GroupClient(
            server,
            topic.name,
            group,
            {
                "client.id": f"fsdf-{consumer_id}",
                "auto.offset.reset": reset,
                "session.timeout.ms": max(_SESSION, int(heartbeat_timeout * 1000)),
                "max.poll.interval.ms": max(1, int(max(lease_limit, heartbeat_timeout) * 1000)),
            },
            self._logger,
        )
        self._keeper = Keeper(self._group, topic.name)
        self._join_until = time.monotonic() + _JOIN
        self._keeper.start()

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Take messages.

        Raises:
            BrokerUnavailable: the server is away; `reconnect` asks whether it is back.
            ConfigurationError: it refuses us.
        """
        deadline = time.monotonic() + timeout
        while not self._closed:
            with self._keeper.polling(), self._server.translated():
                batch = self._next(min(limit, _MOST), max(0.0, min(_SLICE, deadline - time.monotonic())))
            if batch:
                return batch
            now = time.monotonic()
            if self._interrupted.is_set() or (now >= deadline and (self._group.joined or now >= self._join_until)):
                break
        self._interrupted.clear()
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Note that the messages are finished; it is committed within 0.2 s, and at the close."""
        self._group.ledger.finish(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:  # noqa: ARG002 - capabilities
        """Write the messages to the topic once more, then finish them."""
        own = [delivery for delivery in deliveries if not delivery.token[0].lost]
        if own:
            self._append([(delivery.body, delivery.token[1].key()) for delivery in own])  # type: ignore[misc]
        self.ack(own)

    def interrupt(self) -> None:
        """Make `receive` return within 0.1 s."""
        self._interrupted.set()

    def reconnect(self) -> None:
        """Ask whether the server is back; make the topic if it is gone.

        Raises:
            BrokerUnavailable: it is not.
        """
        try:
            with self._keeper.polling():
                self._group.recover()
        except KafkaException as error:
            if error.args[0].code() not in NO_TOPIC:
                raise self._server.translate(error.args[0]) from None
            self._topic.ensure(anew=True)

    def flush(self) -> None:
        """Commit now what is finished, if the server is there."""
        try:
            with self._keeper.turn():
                if not self._closed:
                    self._group.commit()
        except (KafkaException, BrokerError) as error:
            self._logger.debug("cannot commit now: %s", error)

    def skip(self, ends: dict[int, int]) -> None:
        """Deliver nothing below the offsets any more."""
        self._group.ledger.skip(ends)

    def close(self) -> None:
        """Commit what is finished and leave the group, which gives the rest to others."""
        if self._closed:
            return
        self._closed = True
        self._interrupted.set()
        self._group.closing.set()
        self._keeper.stop()
        with self._keeper.turn():
            try:
                self._group.close()
            except (KafkaException, BrokerError) as error:
                self._logger.warning("could not say goodbye; what was not committed runs again: %s", error)

    def _next(self, limit: int, timeout: float) -> list[Delivery]:
        if not self._at_most_once:
            return self._accepted(limit, timeout)
        if not self._committed:
            self._committed = self._accepted(limit, timeout)
        if self._committed:
            self._group.ledger.finish(self._committed)
            self._group.commit()
        batch, self._committed = self._committed[:limit], self._committed[limit:]
        return batch

    def _accepted(self, limit: int, timeout: float) -> list[Delivery]:
        return self._group.ledger.accept(self._group.poll(limit, timeout))
