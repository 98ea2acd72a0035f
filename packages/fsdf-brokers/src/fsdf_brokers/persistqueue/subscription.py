"""One consumer's hold on a persist-queue."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from fsdf_brokers.persistqueue.lease import Lease
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fsdf_brokers.persistqueue.broker import PersistQueue

_LOOK_FOR_DEAD = 0.5
"""Seconds between two looks at who owns items and is dead."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two looks at whether another process changed the file; this one's own wake at once."""


class PersistQueueSubscription(Subscription):
    """Owns what it claims; its process's life is marked by a lock file.

    Args:
        queue: where items come from.
        alive: folder of the lock files.
        consumer_id: unique.
        limit: seconds, see `Settings.lease_limit`.

    Raises:
        StorageError: the folder is not writable.
    """

    def __init__(self, queue: PersistQueue, alive: Path, consumer_id: str, limit: float) -> None:
        self._queue = queue
        self._store = queue.store
        self._id = consumer_id
        self._wake = threading.Event()
        self._interrupted = False
        self._closed = False
        self._look_at = 0.0
        self._lease = Lease(alive, consumer_id, limit)
        try:
            self._take_from_dead()
        except BaseException:
            self._lease.close()
            raise

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Claim items.

        Raises:
            BrokerUnavailable: another process held the file's lock for 30 s.
            StorageError: the file cannot be written.
        """
        deadline = time.monotonic() + timeout
        while not self._closed:
            if time.monotonic() >= self._look_at:
                self._take_from_dead()
            self._wake.clear()
            version = self._store.version()
            batch = self._store.claim(self._id, limit)
            if batch or self._interrupted or time.monotonic() >= deadline:
                self._interrupted = False
                return [Delivery(_bytes(body), key, claims) for key, body, claims in batch]
            self._wait(version, min(deadline, self._look_at))
        return []

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the items that still are this consumer's."""
        if deliveries:
            self._store.delete(self._id, _ids(deliveries))

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:  # noqa: ARG002 - no delay here
        """Put the items at the end."""
        if deliveries:
            self._store.send_back(self._id, _ids(deliveries))
            self._queue.wake()

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put the items back to their place, uncounted."""
        if deliveries:
            self._store.give_back(self._id, _ids(deliveries))
            self._queue.wake()

    def interrupt(self) -> None:
        """Make a waiting `receive` return."""
        self._interrupted = True
        self._wake.set()

    def wake(self) -> None:
        """Say that this process has added items."""
        self._wake.set()

    def close(self) -> None:
        """Give back everything."""
        if self._closed:
            return
        self._closed = True
        self._wake.set()
        self._queue.forget(self)
        try:
            self._store.give_back(self._id)
        finally:
            self._lease.close()  # if the line above failed, the others give back what is left
        self._queue.wake()

    def _wait(self, version: int, deadline: float) -> None:
        pause = _FIRST_PAUSE
        while (left := deadline - time.monotonic()) > 0:
            if self._wake.wait(min(pause, left)) or self._store.version() != version:
                return
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _take_from_dead(self) -> None:
        self._look_at = time.monotonic() + _LOOK_FOR_DEAD
        for owner in self._lease.dead(self._store.owners()):
            if count := self._store.give_back(owner):
                logging.getLogger(f"fsdf.{self._queue.name}").warning(
                    "consumer %s is dead: %d message(s) of its are delivered again", owner, count
                )


def _ids(deliveries: Sequence[Delivery]) -> list[int]:
    return [delivery.token for delivery in deliveries]


def _bytes(body: bytes | str) -> bytes:
    """A program of the library may have stored text."""
    return body.encode() if isinstance(body, str) else bytes(body)
