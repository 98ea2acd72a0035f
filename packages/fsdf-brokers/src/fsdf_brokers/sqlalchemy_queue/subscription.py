"""One consumer's hold on a queue in a database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.claiming import ClaimingSubscription
from fsdf_brokers.sqlalchemy_queue.claims import Claims
from fsdf_brokers.sqlalchemy_queue.lease import Lease
from fsdf_brokers.sqlalchemy_queue.roll_rows import FileRoll, ServerRoll

if TYPE_CHECKING:
    from fsdf_brokers.sqlalchemy_queue.queue import SQLAlchemyQueue
    from fsdf_core.broker import Delivery

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2
"""Seconds between two looks of a waiting consumer."""
_LOOK_FOR_DUE = 0.2
"""Seconds between two looks for delayed messages that are due, while the queue is busy."""


class SQLAlchemySubscription(ClaimingSubscription[Claims, Lease]):
    """Claims messages in batches under a lease; a waiting one looks every few milliseconds.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: SQLAlchemyQueue, consumer_id: str) -> None:
        self._queue = queue
        self._database = queue.broker.database
        self._busy_until = 0.0
        self._pause = _FIRST_PAUSE
        broker, file = queue.broker, self._database.file
        roll = ServerRoll(queue) if file is None else FileRoll(queue, file)
        lease = Lease(roll, consumer_id, queue.name, broker.heartbeat_timeout, broker.lease_limit)
        super().__init__(queue.name, Claims(queue, lease), lease, self._database.announce)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages, waiting for the first one.

        Raises:
            BrokerUnavailable: the database cannot be reached; `reconnect` finds out what a lost claim took.
        """
        deadline = time.monotonic() + timeout
        if time.monotonic() < self._busy_until and not self._closed and (deliveries := self._claims.take(limit)):
            return deliveries
        self._busy_until = 0.0
        while not self._closed:
            ready, due, lost = self._claims.look()
            if lost is not None:
                self._lease.renew(lost, max(0.0, min(1.0, deadline - time.monotonic())))
            if due is not None and due <= 0:
                self._claims.promote()
                ready = True
            if ready and (deliveries := self._claims.take(limit)):
                self._busy_until = time.monotonic() + _LOOK_FOR_DUE
                self._pause = _FIRST_PAUSE
                return deliveries
            left = deadline - time.monotonic()
            if left <= 0 or self._interrupted:
                break
            wait = min(left, self._pause, max(0.001, due) if due is not None else left)
            with self._database.changed:
                self._database.changed.wait(wait)
            self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
        self._interrupted = False
        return []

    def reconnect(self) -> None:
        """Give back what a claim took whose answer was lost."""
        self._busy_until = 0.0
        self._queue.forget()
        self._claims.enter_anew()
