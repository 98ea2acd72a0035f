"""A queue's topic: making it, counting and deleting what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import NewTopic, OffsetSpec  # type: ignore[attr-defined]

from fsdf_brokers.kafka.progress import Position
from fsdf_core.broker import QueueSize
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from fsdf_brokers.kafka.server import KafkaAt

_EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_APPEAR_TIMEOUT = 10.0
_DENIED = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.POLICY_VIOLATION)


class Topic:
    """The topic of a queue; created when first used. Thread-safe.

    Args:
        server: where.
        name: of the topic.
        partitions: of a new topic; each serves one consumer at a time.
        replication: copies of each partition of a new topic; -1: as the server's `default.replication.factor` says.
    """

    def __init__(self, server: KafkaAt, name: str, partitions: int, replication: int) -> None:
        self.name = name
        self._server = server
        self._partitions = partitions
        self._replication = replication
        self._lock = threading.Lock()
        self._known = False
        self._numbers: list[int] = []

    def ensure(self, *, anew: bool = False) -> None:
        """Create the topic if it does not exist.

        Args:
            anew: look even if it existed before.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it refuses us, or the topic.
        """
        with self._lock:
            if self._known and not anew:
                return
            new = NewTopic(self.name, self._partitions, self._replication)
            denied: KafkaError | None = None
            try:
                self._server.raw_answer(self._server.ask("create_topics", [new])[self.name])
            except KafkaException as error:
                code = error.args[0].code()
                if code in _DENIED:
                    denied = error.args[0]
                elif code != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise self._server.translate(error.args[0]) from None
            self._wait_for_leaders(denied)
            self._known = True

    def size(self, group: str, *, earliest: bool) -> QueueSize:
        """Count what a group has not finished.

        Args:
            group: of consumers.
            earliest: where the group starts on a partition of which it has committed nothing.
        """
        self.ensure()
        ends = self.ends()
        starts = self._offsets(_EARLIEST)
        ready = unacked = 0
        for partition, position in self._committed(group, list(ends)).items():
            start, end = starts[partition], ends[partition]
            if position is None:
                ready += end - start if earliest else 0
                continue
            known = max(position.end, start)
            done = sum(max(0, last - max(first, start)) for first, last in position.finished)
            unfinished = max(0, position.end - max(position.offset, start)) - done
            ready += max(0, end - known) + max(0, unfinished - position.held)
            unacked += position.held
        return QueueSize(ready, 0, unacked)

    def ends(self) -> dict[int, int]:
        """Return the offset of the next message of each partition."""
        return self._offsets(_LATEST)

    def delete(self, ends: dict[int, int]) -> None:
        """Delete everything below the offsets."""
        below = [TopicPartition(self.name, partition, end) for partition, end in ends.items() if end]
        if below:
            for future in self._server.ask("delete_records", below).values():
                self._server.answer(future)

    def _wait_for_leaders(self, denied: KafkaError | None) -> None:
        pause = threading.Event()
        for _ in range(int(_APPEAR_TIMEOUT / 0.05)):
            asked = self._server.ask("describe_topics", TopicCollection([self.name]))
            try:
                found = self._server.raw_answer(asked[self.name])
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._server.translate(error.args[0]) from None
                if denied is not None:
                    raise ConfigurationError(
                        f"there is no topic {self.name!r} and we may not make it: {denied.str()}. Have it made"
                    ) from None
            else:
                self._numbers = [each.id for each in found.partitions]
                if found.partitions and all(each.leader is not None for each in found.partitions):
                    return
            pause.wait(0.05)
        raise BrokerUnavailable(f"topic {self.name!r} of Kafka at {self._server.shown} has no leader yet")

    def _offsets(self, which: OffsetSpec) -> dict[int, int]:
        wanted = {TopicPartition(self.name, number): which for number in self._numbers}
        return {
            each.partition: self._server.answer(future).offset
            for each, future in self._server.ask("list_offsets", wanted).items()
        }

    def _committed(self, group: str, partitions: list[int]) -> dict[int, Position | None]:
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(self.name, each) for each in partitions])
        (future,) = self._server.ask("list_consumer_group_offsets", [asked]).values()
        return {
            each.partition: None if each.offset < 0 else Position.read(each.offset, each.metadata)
            for each in self._server.answer(future).topic_partitions
        }
