"""A member of a consumers' group: polls, commits, and follows the group's changes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from fsdf_brokers.kafka.faults import CHANGING, DOWN, REFUSED, STOOD_STILL
from fsdf_brokers.kafka.ledger import Changes, Ledger
from fsdf_brokers.kafka.progress import Position
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from confluent_kafka import Message

    from fsdf_brokers.kafka.server import KafkaAt

_HANDOVER = 5.0
"""Seconds that running tasks have to end before their partition goes to another consumer."""

_AGAIN = 0.05
_SPARE = 20
"""Messages polled while nobody asks, before the client is told to fetch no more."""

_LEAST_SESSION = 6000
"""Milliseconds that any server allows."""

_SESSION = "session.timeout.ms"
_STRATEGY = "partition.assignment.strategy"
_COOPERATIVE = "cooperative-sticky"


class GroupClient:
    """Polls and commits. For one thread at a time; its ledger is for any.

    Args:
        server: where.
        topic: what to consume.
        group: of consumers that share the messages.
        properties: of librdkafka.
        logger: where trouble is logged.
    """

    def __init__(
        self, server: KafkaAt, topic: str, group: str, properties: dict[str, Any], logger: logging.Logger
    ) -> None:
        self.closing = threading.Event()
        self._server = server
        self._topic = topic
        self._logger = logger
        self._settings = {
            "group.id": group,
            "enable.auto.commit": False,
            "queued.max.messages.kbytes": 16384,
            _STRATEGY: _COOPERATIVE,
            **properties,
        }
        self.ledger = Ledger()
        self._spare: list[Message] = []
        self._paused = False
        self._broken = False
        self._committing = False
        self._trouble: KafkaError | None = None
        self._consumer = self._connect()

    @property
    def joined(self) -> bool:
        """Whether any partition is ours."""
        return bool(self.ledger.partitions)

    def poll(self, limit: int, timeout: float) -> list[Message]:
        """Return up to `limit` messages, waiting up to `timeout` seconds for the first.

        Raises:
            KafkaException: the server is away, or refuses us.
        """
        if self._trouble is not None:
            self._look(1.0)
        if self._paused:
            self._paused = False
            self._consumer.resume(self._consumer.assignment())
        found, self._spare = self._spare[:limit], self._spare[limit:]
        first = self._consumer.poll(0 if found else timeout)
        if first is not None:
            found.append(first)
        if found and len(found) < limit:
            found += self._consumer.consume(limit - len(found), 0)
        errors = [error for message in found if (error := message.error()) is not None]
        if errors:
            found = [message for message in found if message.error() is None]
            try:
                for error in errors:
                    self._meet(error)
            except KafkaException:
                self._spare = found + self._spare
                raise
        return found

    def serve(self) -> None:
        """Poll without being asked for messages; fetch no more when some are at hand."""
        if len(self._spare) >= _SPARE:
            self._paused = True
            self._consumer.pause(self._consumer.assignment())
        message = self._consumer.poll(0)
        if message is not None:
            self._spare.append(message)

    def commit(self) -> None:
        """Commit now, unless the server is known to be away.

        Raises:
            KafkaException: the server does not take it.
        """
        if self._trouble is None:
            self._commit(self.ledger.changes())

    def commit_soon(self) -> None:
        """Send a commit and do not wait for the answer."""
        if self._committing:
            return
        changed = self.ledger.changes()
        if changed:
            try:
                self._consumer.commit(offsets=self._offsets(changed), asynchronous=True)
                self._committing = True
            except KafkaException:
                self.ledger.undo(changed)
                raise

    def recover(self) -> None:
        """Look whether the server is back; begin anew if the client is broken.

        Raises:
            KafkaException: it is not.
        """
        if self._broken:
            self._renew()
        self._look(2.0)

    def close(self) -> None:
        """Commit and leave; the rest of what we own goes to others.

        Raises:
            KafkaException: the commit was not taken.
        """
        self.closing.set()
        try:
            self._consumer.pause(self._consumer.assignment())
            self._hand_over(self.ledger.partitions, lambda: self._consumer.poll(_AGAIN))
        finally:
            self._consumer.close()

    def _connect(self) -> Consumer:
        settings = self._settings
        properties = self._server.properties(settings)
        properties["heartbeat.interval.ms"] = max(1, min(3000, settings[_SESSION] // 10))
        properties["max.poll.interval.ms"] = max(settings["max.poll.interval.ms"], settings[_SESSION])
        with self._server.translated():
            consumer = Consumer(properties | {"error_cb": self._note, "on_commit": self._on_commit})
            consumer.subscribe(
                [self._topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
            )
        return consumer

    def _renew(self) -> None:
        """Replace the client by one that enters the group anew."""
        old = self._consumer
        self._on_lost(old, [TopicPartition(self._topic, partition) for partition in self.ledger.partitions])
        self._spare.clear()
        self._broken = self._paused = self._committing = False
        self._consumer = self._connect()
        old.close()

    def _note(self, error: KafkaError) -> None:
        """Called by the library in `poll`, in trouble that no single message shows."""
        if error.fatal():
            self._broken = True
        if error.fatal() or error.code() in REFUSED or error.code() == DOWN:
            self._trouble = error

    def _look(self, timeout: float) -> None:
        trouble = self._trouble
        if trouble is not None and (self._broken or trouble.code() in REFUSED):
            self._trouble = None
            raise KafkaException(trouble)
        found = self._consumer.list_topics(self._topic, timeout=timeout).topics[self._topic]
        self._trouble = None
        if found.error is not None:
            raise KafkaException(found.error)

    def _meet(self, error: KafkaError) -> None:
        """Deal with an error that came in place of a message."""
        settings = self._settings
        code = error.code()
        if code == KafkaError.INVALID_SESSION_TIMEOUT and settings[_SESSION] < _LEAST_SESSION:
            settings[_SESSION] = _LEAST_SESSION
            self._renew()
        elif code == KafkaError.INCONSISTENT_GROUP_PROTOCOL and settings[_STRATEGY] == _COOPERATIVE:
            self._logger.warning("the group has other consumers than fsdf's: its partitions move all at once")
            settings[_STRATEGY] = "range,roundrobin"
            self._renew()
        elif code == STOOD_STILL:
            self._logger.warning("the process stood still for too long: %s", error.str())
        else:
            self._broken = self._broken or error.fatal()
            raise KafkaException(error)

    def _offsets(self, changed: Changes) -> list[TopicPartition]:
        return [
            TopicPartition(self._topic, partition, position.offset, position.metadata)
            for partition, (_, position) in changed.items()
        ]

    def _commit(self, changed: Changes) -> None:
        if not changed:
            return
        try:
            for each in self._consumer.commit(offsets=self._offsets(changed), asynchronous=False) or ():
                if each.error is not None:
                    raise KafkaException(each.error)
        except KafkaException:
            self.ledger.undo(changed)
            raise

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        self._committing = False
        self.ledger.undo([each.partition for each in partitions if error is not None or each.error is not None])

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            known = {
                each.partition: Position.read(each.offset, each.metadata) if each.offset >= 0 else None
                for each in (
                    consumer.committed(partitions, timeout=5.0) if partitions and not self.closing.is_set() else ()
                )
            }
        except KafkaException as error:
            self._logger.debug("the group's progress cannot be read now: %s", error)
            known = {}
        self.ledger.assign([each.partition for each in partitions], known)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        leaving = [each.partition for each in partitions]
        self.ledger.await_end(leaving, _HANDOVER, self.closing)
        try:
            self._hand_over(leaving, lambda: time.sleep(_AGAIN))
        except KafkaException as error:
            self._logger.debug("the last commit was not taken: %s", error)
        self._on_lost(consumer, partitions)

    def _hand_over(self, leaving: list[int], pause: Callable[[], object]) -> None:
        """Commit for the last time; while the group changes, the server asks to come again."""
        deadline = time.monotonic() + _HANDOVER
        while True:
            try:
                return self._commit(self.ledger.changes(leaving, held=False))
            except KafkaException as error:
                if error.args[0].code() not in CHANGING or time.monotonic() > deadline:
                    raise
            pause()

    def _on_lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {each.partition for each in partitions}
        self._spare = [message for message in self._spare if message.partition() not in gone]
        self.ledger.lose(gone)
