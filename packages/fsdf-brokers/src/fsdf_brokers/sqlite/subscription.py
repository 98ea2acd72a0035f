"""One consumer's hold on a SQLite queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.claiming import ClaimingSubscription
from fsdf_brokers.sqlite.claims import Claims
from fsdf_brokers.sqlite.lease import Lease

if TYPE_CHECKING:
    from fsdf_brokers.sqlite.queue import SQLiteQueue
    from fsdf_core.broker import Delivery


class SQLiteSubscription(ClaimingSubscription[Claims, Lease]):
    """Claims messages in batches under a lease.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: SQLiteQueue, consumer_id: str) -> None:
        self._database = queue.broker.database
        self._busy = False
        lease = Lease(queue, consumer_id)
        super().__init__(queue.name, Claims(queue, lease), lease, self._database.announce)

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

    def close(self) -> None:
        """Give back what is claimed and end the lease."""
        if not self._closed:
            self._closed = True
            self._database.announce()
            self._lease.close()
