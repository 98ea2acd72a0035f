"""One consumer's hold on a SQLite queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.sqlite.lease import Lease
from fsdf_core.broker import Delivery, Subscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.sqlite.broker import SQLiteQueue


class SQLiteSubscription(Subscription):
    """Claims messages in batches under a lease.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: SQLiteQueue, consumer_id: str) -> None:
        self._queue = queue
        self._database = queue.broker.database
        self._seq = 0
        self._interrupted = False
        self._closed = False
        self._lease = Lease(queue, consumer_id)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages, waiting for the first one.

        Raises:
            BrokerUnavailable: the file stayed locked.
            StorageError: the file cannot be written.
        """
        deadline = time.monotonic() + timeout
        while not self._closed:
            version = self._database.version()
            ready, due = self._queue.due()
            if ready or (due is not None and due <= time.time()):
                rows = self._queue.claim(self._lease, self._seq, limit)
                if rows:
                    self._seq = rows[-1][0]
                    return [Delivery(body, seq, count) for seq, count, body in rows]
            left = deadline - time.monotonic()
            if left <= 0 or self._interrupted:
                break
            if due is not None:
                left = min(left, max(0.001, due - time.time()))
            self._database.wait(version, left)
        self._interrupted = False
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the claims."""
        self._queue.settle(self._lease.consumer, deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Move the claims to the end of the queue."""
        self._queue.put_back(self._lease.consumer, deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Move the claims back to their places, uncounted."""
        self._queue.undo(self._lease.consumer, deliveries)

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
