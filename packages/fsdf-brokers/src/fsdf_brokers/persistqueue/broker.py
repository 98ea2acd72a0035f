"""The broker PERSISTQUEUE and its queues."""

from __future__ import annotations

import hashlib
import os
import string
from typing import TYPE_CHECKING, Any

from fsdf_brokers.persistqueue.store import Store
from fsdf_brokers.persistqueue.subscription import PersistQueueSubscription
from fsdf_core.broker import Broker, Capabilities, Queue, QueueSize
from fsdf_core.errors import UnsupportedFeature
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fsdf_core.broker import OutgoingMessage
    from fsdf_core.settings import Settings

_PLAIN = frozenset(string.ascii_lowercase + string.digits + "_-")
_LONGEST_NAME = 150
_inherited: list[Store] = []
"""Stores of the parent process: a forked child must neither use nor close them."""


class PersistQueueBroker(Broker):
    """Queues of the persist-queue library, one SQLite file each; shared safely by the processes of one host.

    It is here for users of that library. SQLITE_QUEUE, with which it shares no data, is faster, and has delay
    and priority. A push of another process is noticed within 50 ms.

    Args:
        folder: where the files are; created when first used.
        lease_limit: seconds, see `Settings`; default 300.
    """

    capabilities = Capabilities(
        durable=True,
        acks=True,
        delivery_count=True,
        delay=False,
        priority=False,
        size=True,
        purge=True,
        cross_process=True,
        cross_machine=False,
        ordering="fifo",
        liveness="process",
    )

    def __init__(self, folder: Path, *, lease_limit: float = 300.0) -> None:
        self.folder = folder
        self.lease_limit = lease_limit
        self._lock = threading.Lock()
        self._queues: dict[str, PersistQueue] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> PersistQueueBroker:
        """Build the broker of the folder `persistqueue` in FSDF_HOME; opens nothing yet."""
        return cls(settings.home / "persistqueue", lease_limit=settings.lease_limit)

    def queue(self, name: str, **options: Any) -> PersistQueue:  # noqa: ARG002 - it has none
        """Return the queue of that name."""
        with self._lock:
            if name not in self._queues:
                self._queues[name] = PersistQueue(self, name)
            return self._queues[name]

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            for queue in self._queues.values():
                queue.close()


class PersistQueue(Queue):
    """The items of one file, opened when first used."""

    def __init__(self, broker: PersistQueueBroker, name: str) -> None:
        self.broker: PersistQueueBroker = broker
        self.name = name
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._subscriptions: set[PersistQueueSubscription] = set()

    @property
    def store(self) -> Store:
        """The file, opened once a process."""
        store = self._store
        if store is not None and store.process == os.getpid():
            return store
        if store is not None and store.process != os.getpid():
            # The parent's lock may be held by a thread that does not exist in this child.
            self._lock = threading.Lock()
            _inherited.append(store)
            self._store = None
            self._subscriptions = set()
        with self._lock:
            if self._store is None:
                self._store = Store(self.broker.folder, f"{file_name(self.name)}.db")
            return self._store

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append all messages or none.

        Raises:
            BrokerUnavailable: another process held the file's lock for 30 s.
            StorageError: the disk is full, or the folder is not writable.
            UnsupportedFeature: a message has a delay.
        """
        if any(message.delay > 0 for message in messages):
            raise UnsupportedFeature("PERSISTQUEUE has no delay: use SQLITE_QUEUE")
        if messages:
            self.store.append([message.body for message in messages])  # type: ignore[misc] # bytes: it serializes
            self.wake()

    def subscribe(self, consumer_id: str, prefetch: int) -> PersistQueueSubscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            StorageError: the folder is not writable.
        """
        subscription = PersistQueueSubscription(
            self, self.broker.folder / "alive", consumer_id, self.broker.lease_limit
        )
        with self._lock:
            self._subscriptions.add(subscription)
        return subscription

    def size(self) -> QueueSize:
        """Count the messages."""
        ready, unacked = self.store.counts()
        return QueueSize(ready, 0, unacked)

    def purge(self) -> int:
        """Delete what is ready."""
        return self.store.clear_ready()

    def close(self) -> None:
        """Close the file; it is opened again when used."""
        with self._lock:
            store, self._store = self._store, None
        if store is not None:
            store.close()

    def wake(self) -> None:
        """Wake the consumers of this process; those of others look by themselves."""
        if self._subscriptions:
            with self._lock:
                for subscription in self._subscriptions:
                    subscription.wake()

    def forget(self, subscription: PersistQueueSubscription) -> None:
        """Drop a closed subscription."""
        with self._lock:
            self._subscriptions.discard(subscription)


def file_name(queue: str) -> str:
    """Return a name that every file system takes and that no other queue's name is folded into."""
    name = "".join(char if char in _PLAIN else "".join(f"%{byte:02x}" for byte in char.encode()) for char in queue)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:80]}%{hashlib.sha256(queue.encode()).hexdigest()}"
    return name
