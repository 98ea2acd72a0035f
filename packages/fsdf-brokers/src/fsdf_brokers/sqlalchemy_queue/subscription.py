"""One consumer's hold on a queue in a database."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from fsdf_brokers.sqlalchemy_queue.claims import Claims
from fsdf_brokers.sqlalchemy_queue.lease import Lease
from fsdf_brokers.sqlalchemy_queue.roll_rows import FileRoll, ServerRoll
from fsdf_core.broker import Subscription
from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.sqlalchemy_queue.queue import SQLAlchemyQueue
    from fsdf_core.broker import Delivery

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.2
"""Seconds between two looks of a waiting consumer."""
_LOOK_FOR_DUE = 0.2
"""Seconds between two looks for delayed messages that are due, while the queue is busy."""


class SQLAlchemySubscription(Subscription):
    """Claims messages in batches under a lease; a waiting one looks every few milliseconds.

    Args:
        queue: where they come from.
        consumer_id: unique.
    """

    def __init__(self, queue: SQLAlchemyQueue, consumer_id: str) -> None:
        self._queue = queue
        self._database = queue.broker.database
        self._interrupted = False
        self._closed = False
        self._busy_until = 0.0
        self._pause = _FIRST_PAUSE
        file = self._database.file
        roll = ServerRoll(queue) if file is None else FileRoll(queue, file)
        self._lease = Lease(roll, consumer_id, queue.name, queue.broker.heartbeat_timeout, queue.broker.lease_limit)
        self._claims = Claims(queue, self._lease)

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

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        self._claims.settle(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Move the messages to the end of the queue, or to the delayed ones."""
        self._claims.put_back(deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of the messages in their places, uncounted."""
        self._claims.undo(deliveries)

    def interrupt(self) -> None:
        """End a waiting `receive`."""
        self._interrupted = True
        self._database.announce()

    def reconnect(self) -> None:
        """Give back what a claim took whose answer was lost."""
        self._busy_until = 0.0
        self._queue.forget()
        self._claims.enter_anew()

    def close(self) -> None:
        """Give back everything; if the server is away, the end of the session does it."""
        if self._closed:
            return
        self._closed = True
        self._database.announce()
        try:
            self._lease.close()
        except FsdfError as error:
            logging.getLogger(f"fsdf.{self._queue.name}").warning(
                "could not say goodbye; what was not acknowledged comes back when others look: %s", error
            )
