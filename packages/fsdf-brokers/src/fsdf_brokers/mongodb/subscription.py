"""One consumer's hold on a queue in MongoDB."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.claiming import ClaimingSubscription
from fsdf_brokers.mongodb.claims import Claims
from fsdf_brokers.mongodb.roll import MongoRoll
from fsdf_brokers.sqlalchemy_queue.lease import Lease

if TYPE_CHECKING:
    from fsdf_brokers.mongodb.queue import MongoQueue
    from fsdf_core.broker import Delivery

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25
"""Seconds between two looks of a waiting consumer."""
_LOOK_FOR_DUE = 0.2
"""Seconds between two looks for delayed messages that are due, while there are any."""
_LOOK_FOR_DELAYED = 0.5
"""Seconds between two looks for delayed messages that other processes have sent, while there are none."""
_STRAYS = (0.0, 1.0, 10.0)
"""Seconds after a lost connection when to look for what its last claim took: the server may have been slow."""


class MongoSubscription(ClaimingSubscription[Claims, Lease]):
    """Claims messages in batches under a lease; a waiting one looks every few milliseconds.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: MongoQueue, consumer_id: str) -> None:
        self._queue = queue
        self._pause = _FIRST_PAUSE
        self._next_due = 0.0
        self._strays: list[float] = []
        queue.prepare()
        broker = queue.broker
        lease = Lease(MongoRoll(queue), consumer_id, queue.name, broker.heartbeat_timeout, broker.lease_limit)
        super().__init__(queue.name, Claims(queue, lease), lease, queue.announce)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim messages, waiting for the first one.

        Raises:
            BrokerUnavailable: the server cannot be reached; `reconnect` finds out what a lost claim took.
        """
        deadline = time.monotonic() + timeout
        while not self._closed:
            if self._strays and time.monotonic() >= self._strays[0]:
                self._claims.drop_strays()
                self._strays.pop(0)
            if time.monotonic() >= self._next_due:
                self._look_for_due()
            deliveries = self._claims.take(limit)
            if deliveries:
                self._pause = _FIRST_PAUSE
                return deliveries
            left = deadline - time.monotonic()
            if left <= 0 or self._interrupted:
                break
            if deliveries is None:
                self._wait(left)
        self._interrupted = False
        return []

    def reconnect(self) -> None:
        """Create what is missing; look, now and later, for what a claim took whose answer was lost."""
        self._queue.prepare()
        now = time.monotonic()
        self._strays = [now + wait for wait in _STRAYS]
        self._next_due = 0.0

    def _look_for_due(self) -> None:
        due = self._claims.due_in()
        pause = _LOOK_FOR_DELAYED
        if due is not None:
            if due <= 0:
                self._claims.promote()
            pause = min(due, _LOOK_FOR_DUE) if due > 0 else _LOOK_FOR_DUE
        self._next_due = time.monotonic() + pause

    def _wait(self, left: float) -> None:
        pause = min(left, self._pause, max(0.001, self._next_due - time.monotonic()))
        with self._queue.sent:
            if self._queue.sent.wait(pause):
                self._next_due = 0.0
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
