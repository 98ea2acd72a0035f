"""KAFKA_CONFLUENT, KAFKA_CONFLUENT_SASL_PLAIN, KAFKA: one topic a queue, the message's JSON as value.

Producers and consumers of funboost share a topic; their consumers' group is our default.
"""

from __future__ import annotations

import re
import time
import weakref
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from confluent_kafka import KafkaException

from fsdf_brokers.kafka.address import properties
from fsdf_brokers.kafka.faults import NO_TOPIC
from fsdf_brokers.kafka.server import ANSWER_TIMEOUT, KafkaAt
from fsdf_brokers.kafka.subscription import KafkaSubscription
from fsdf_brokers.kafka.topic import Topic
from fsdf_core.broker import Broker, Capabilities, Queue, QueueSize
from fsdf_core.dead_letter import SUFFIX
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self

    from fsdf_brokers.kafka.producer import Record
    from fsdf_core.broker import OutgoingMessage
    from fsdf_core.settings import Settings

T = TypeVar("T")

_AGAIN = 0.1
"""Seconds between two questions to a cluster that has no answer yet."""

_LEGAL = re.compile(r"[A-Za-z0-9._-]{1,249}")


class KafkaConfluentBroker(Broker):
    """Queues on a Kafka cluster, at least once. A message that waits for its time holds the offset back, not the rest.

    Args:
        address: hosts, or a URL with credentials: see `properties`; the password never reaches a log.
        heartbeat_timeout: seconds until the server gives up a silent consumer; default 5, at least 2. A server that
            does not allow it (`group.min.session.timeout.ms`, 6 s by default) makes it 6.
        lease_limit: seconds for which a living process may fail to serve the group, because a task holds the
            interpreter; default 300. Running tasks do not count, however long.

    Raises:
        ConfigurationError: it is no address.
    """

    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=False,
        delay=False,
        priority=False,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=True,
        ordering="none",
        liveness="connection",
    )
    queue_options = frozenset({"group_id", "auto_offset_reset", "num_partitions", "replication_factor", "config"})
    at_most_once: ClassVar[bool] = False

    def __init__(self, address: str, *, heartbeat_timeout: float = 5.0, lease_limit: float = 300.0) -> None:
        self.heartbeat_timeout = heartbeat_timeout
        self.lease_limit = lease_limit
        self.subscriptions: defaultdict[tuple[str, str], weakref.WeakSet[KafkaSubscription]] = defaultdict(
            weakref.WeakSet
        )
        """Those of this process, by topic and group."""
        self._properties = properties(address)
        self._lock = threading.Lock()
        self._servers: dict[tuple[tuple[str, str], ...], KafkaAt] = {}
        self._options: dict[str, dict[str, Any]] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the broker of `kafka_bootstrap_servers`; opens no connection yet."""
        return cls(
            settings.kafka_bootstrap_servers.get_secret_value(),
            heartbeat_timeout=settings.heartbeat_timeout,
            lease_limit=settings.lease_limit,
        )

    def queue(self, name: str, **options: Any) -> KafkaQueue:
        """Return the queue of that name; its topic is created when it is first used.

        Args:
            name: of the topic.
            options: `group_id` of the consumers (default "funboost_kafka"), `auto_offset_reset` of a new group
                ("earliest", the default, or "latest"), `num_partitions` (default 16) and `replication_factor`
                (default -1: the server's) of a new topic, `config`: properties of librdkafka for all clients, such
                as {"security.protocol": "SASL_SSL", …}. A dead-letter queue opened without options has its queue's.

        Raises:
            ConfigurationError: no topic can have that name.
        """
        if not _LEGAL.fullmatch(name) or name in {".", ".."}:
            raise ConfigurationError(
                f"Kafka has no queue_name {name!r}: only ASCII letters, digits, '.', '_' and '-', at most 249"
            )
        options = options or self._options.get(name.removesuffix(SUFFIX), {})
        self._options[name] = options
        return KafkaQueue(self, self._server(options.get("config") or {}), name, **options)

    def close(self) -> None:
        """Forget the connections of producers."""
        with self._lock:
            for server in self._servers.values():
                server.close()

    def check(self, known: dict[str, str]) -> None:
        """Raise ConfigurationError if the properties lack something."""

    def _server(self, config: dict[str, Any]) -> KafkaAt:
        known = self._properties | {key: str(value) for key, value in config.items()}
        self.check(known)
        with self._lock:
            return self._servers.setdefault(tuple(sorted(known.items())), KafkaAt(known))


class KafkaSaslBroker(KafkaConfluentBroker):
    """KAFKA_CONFLUENT that insists on credentials."""

    def check(self, known: dict[str, str]) -> None:
        """Raise ConfigurationError if nobody is named."""
        if not known.get("sasl.mechanism", known.get("sasl.mechanisms")):
            raise ConfigurationError(
                "KAFKA_CONFLUENT_SASL_PLAIN needs credentials: FSDF_KAFKA_BOOTSTRAP_SERVERS=sasl_ssl://user:password@"
                'host:9092, or broker_exclusive_config={"config": {"security.protocol": "SASL_SSL", '
                '"sasl.mechanism": "PLAIN", "sasl.username": …, "sasl.password": …}}'
            )


class KafkaBroker(KafkaConfluentBroker):
    """KAFKA: at most once, as of old. Messages are committed before they run, so a worker that dies loses them."""

    capabilities = replace(KafkaConfluentBroker.capabilities, acks=False)
    at_most_once = True


class KafkaQueue(Queue):
    """A topic, and a group of consumers.

    Raises:
        ConfigurationError: an option's value is not valid.
    """

    def __init__(
        self,
        broker: KafkaConfluentBroker,
        server: KafkaAt,
        name: str,
        *,
        group_id: str = "funboost_kafka",
        auto_offset_reset: str = "earliest",
        num_partitions: int = 16,
        replication_factor: int = -1,
        config: dict[str, Any] | None = None,  # noqa: ARG002 - the server has it
    ) -> None:
        self.broker: KafkaConfluentBroker = broker
        self.name = name
        if auto_offset_reset not in {"earliest", "latest"}:
            raise ConfigurationError(f"auto_offset_reset is 'earliest' or 'latest', not {auto_offset_reset!r}")
        self._server = server
        self._group = group_id
        self._reset = auto_offset_reset
        self._topic = Topic(server, name, num_partitions, replication_factor)
        self._pause = threading.Event()

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append all messages; each to a random partition, those with a key to that of the key.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away; then some may have been accepted.
            BrokerError: a message is too large.
            ConfigurationError: the server refuses us.
        """
        if messages:
            self.append(
                [(each.body, each.key.encode() if each.key else None) for each in messages]  # type: ignore[misc]
            )

    def append(self, records: Sequence[Record]) -> None:
        """Write records to the topic; errors as `send`."""
        self._topic.ensure()
        with self._server.translated():
            try:
                self._server.producer.send(self.name, records)
            except KafkaException as error:
                if error.args[0].code() not in NO_TOPIC:
                    raise
                # Somebody deleted the topic: nothing of the batch is in it.
                self._topic.ensure(anew=True)
                self._server.producer.send(self.name, records)

    def subscribe(self, consumer_id: str, prefetch: int) -> KafkaSubscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses us.
        """
        subscription = KafkaSubscription(
            self._server,
            self._topic,
            self.append,
            consumer_id=consumer_id,
            group=self._group,
            reset=self._reset,
            heartbeat_timeout=self.broker.heartbeat_timeout,
            lease_limit=self.broker.lease_limit,
            at_most_once=self.broker.at_most_once,
        )
        self.broker.subscriptions[self.name, self._group].add(subscription)
        return subscription

    def size(self) -> QueueSize:
        """Count what the group has not finished; consumers of other processes tell theirs every 0.2 s."""
        for each in self._subscriptions():
            each.flush()
        return self._patiently(lambda: self._topic.size(self._group, earliest=self._reset == "earliest"))

    def purge(self) -> int:
        """Delete everything, for all groups; return how many were ready.

        What runs goes on, but does not come back if its worker dies now; consumers of other processes may still
        run what they have fetched ahead.
        """
        ready = self.size().ready
        ends = self._patiently(self._topic.ends)
        for each in self._subscriptions():
            each.skip(ends)
        self._topic.delete(ends)
        return ready

    def _patiently(self, question: Callable[[], T]) -> T:
        """Ask until there is an answer, of new clients: an old one does not get over a restart of the server."""
        deadline = time.monotonic() + ANSWER_TIMEOUT
        renewed = False
        while True:
            try:
                return question()
            except BrokerUnavailable:
                if renewed and time.monotonic() > deadline:
                    raise
            self._pause.wait(_AGAIN)
            self._server.renew()
            renewed = True

    def _subscriptions(self) -> list[KafkaSubscription]:
        return list(self.broker.subscriptions[self.name, self._group])
