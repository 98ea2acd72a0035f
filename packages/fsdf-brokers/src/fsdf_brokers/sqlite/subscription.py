"""One consumer's hold on a SQLite queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.sqlite.claims import Claims
from fsdf_brokers.sqlite.lease import Lease
from fsdf_core.broker import Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.sqlite.queue import SQLiteQueue
    from fsdf_core.broker import Delivery


class SQLiteSubscription(Subscription):
    """Claims messages in batches under a lease.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: SQLiteQueue, consumer_id: str) -> None:
        self._database = queue.broker.database
        self._busy = False
        self._interrupted = False
        self._closed = False
        self._lease = Lease(queue, consumer_id)
        self._claims = Claims(queue, self._lease)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages, waiting for the first one.

        Raises:
            BrokerUnavailable: the file stayed locked.
            StorageError: the file cannot be written.
        """
        deadline = time.monotonic() + timeout
        if self._busy and not self._closed and (deliveries := self._claims.take(limit)):
            return deliveries
        self._busy = False
        while not self._closed:
            version = self._database.version()
            ready, due = self._claims.due()
            if (ready or (due is not None and due <= time.time())) and (deliveries := self._claims.take(limit)):
                self._busy = True
                return deliveries
            left = deadline - time.monotonic()
            if left <= 0 or self._interrupted:
                break
            if due is not None:
                left = min(left, max(0.001, due - time.time()))
            self._database.wait(version, left)
        self._interrupted = False
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages."""
        self._claims.settle(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Move the messages to the end of the queue."""
        self._claims.put_back(deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of the messages in their places, uncounted."""
        self._claims.undo(deliveries)

    def interrupt(self) -> None:
        """End a waiting `receive`."""
        self._interrupted = True
        self._database.announce()

    def close(self) -> None:
        """Give back what is claimed and end the lease."""
        if not self._closed:
            self._closed = True
            self._database.announce()
            self._lease.close()
