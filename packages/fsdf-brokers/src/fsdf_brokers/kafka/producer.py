"""Sends batches and waits until the server has them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from confluent_kafka import KafkaException, Producer

from fsdf_brokers.kafka.faults import not_accepted
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confluent_kafka import KafkaError

    from fsdf_brokers.kafka.server import KafkaAt

Record = tuple[bytes, bytes | None]
"""A message's value and key."""

DELIVERY_TIMEOUT = 15.0
"""Seconds in which the server must have accepted a message."""


class _Batch:
    """What one call sends."""

    def __init__(self, topic: str, records: Sequence[Record]) -> None:
        self.topic = topic
        self.records = records
        self.error: KafkaError | None = None
        self.done = False

    def failed(self, error: KafkaError | None, _: Any) -> None:
        """Called by the library for each record that was not accepted."""
        self.error = self.error or error


class KafkaProducer:
    """One client for all threads. While one thread flushes, the batches of the others gather for the next flush.

    Every replica in sync has a message before `send` returns, and a retry after a lost answer writes none twice.

    Args:
        server: where.
    """

    def __init__(self, server: KafkaAt) -> None:
        self._server = server
        self._flushing = threading.Lock()
        self._gathering = threading.Lock()
        self._gathered: list[_Batch] = []
        self._client = self._connect()

    def send(self, topic: str, records: Sequence[Record]) -> None:
        """Return once the server has all records.

        Raises:
            KafkaException: it has not; some may be there.
        """
        batch = _Batch(topic, records)
        with self._gathering:
            self._gathered.append(batch)
        with self._flushing:
            if not batch.done:
                self._flush()
        if batch.error is not None:
            raise KafkaException(batch.error)

    def _flush(self) -> None:
        with self._gathering:
            batches, self._gathered = self._gathered, []
        try:
            for batch in batches:
                self._produce(batch)
            left = self._client.flush(DELIVERY_TIMEOUT + 5)
            if left:
                raise not_accepted()
        except KafkaException as error:
            for batch in batches:
                batch.error = batch.error or error.args[0]
        finally:
            for batch in batches:
                batch.done = True
        if any(batch.error is not None and batch.error.fatal() for batch in batches):
            self._client = self._connect()

    def _produce(self, batch: _Batch) -> None:
        produce = self._client.produce
        topic, failed = batch.topic, batch.failed
        deadline = time.monotonic() + DELIVERY_TIMEOUT
        try:
            for value, key in batch.records:
                while True:
                    try:
                        produce(topic, value, key, on_delivery=failed)
                        break
                    except BufferError:
                        if time.monotonic() > deadline:
                            raise not_accepted() from None
                        self._client.poll(0.05)
        except KafkaException as error:
            batch.error = error.args[0]

    def _connect(self) -> Producer:
        return Producer(
            self._server.properties(
                {
                    "acks": "all",
                    "enable.idempotence": True,
                    "linger.ms": 5,  # a flush does not wait for it
                    "message.timeout.ms": int(DELIVERY_TIMEOUT * 1000),
                    "message.max.bytes": 1_000_000_000,  # the server decides
                    "partitioner": "murmur2_random",  # the keys' partitions are those of Java clients
                    # Without this, what is sent at once lands in one partition: with one consumer.
                    "sticky.partitioning.linger.ms": 0,
                    "delivery.report.only.error": True,
                    "error_cb": self._server.note,
                }
            )
        )
