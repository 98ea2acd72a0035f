"""One queue in MongoDB."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fsdf_brokers.mongodb.layout import CLAIMED, CONSUMERS, DELAYED, INDEXES, READY, collection_of, rank_of
from fsdf_brokers.mongodb.subscription import MongoSubscription
from fsdf_core.broker import Queue, QueueSize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pymongo.collection import Collection

    from fsdf_brokers.mongodb.broker import MongoBroker
    from fsdf_brokers.mongodb.server import Document
    from fsdf_core.broker import OutgoingMessage


class MongoQueue(Queue):
    """A collection; opens nothing until it is used.

    Attributes:
        sent: notified when this process has sent or put back a message.
    """

    broker: MongoBroker

    def __init__(self, broker: MongoBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self.server = broker.server
        self.sent = threading.Condition()
        self._collection = collection_of(name)
        self._prepared = False

    @property
    def messages(self) -> Collection[Document]:
        """The queue's messages; creates their indexes before the first use."""
        if not self._prepared:
            self.prepare()
        return self.server.collection(self._collection)

    @property
    def consumers(self) -> Collection[Document]:
        """The consumers of all queues."""
        return self.server.collection(CONSUMERS)

    def prepare(self) -> None:
        """Create the indexes that are missing: the database may have been made anew."""
        with self.server.translated():
            self.server.prepare(self.server.collection(self._collection), INDEXES)
        self._prepared = True

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Insert the messages; when this raises, some or all may be on the queue.

        Raises:
            BrokerUnavailable: the server cannot be reached, or went away.
            StorageError: its disk is full.
            ConfigurationError: it does not let us in.
        """
        if not messages:
            return
        now = self.server.clock.now()
        documents = [
            _document(message, tick, now)
            for message, tick in zip(messages, self.server.clock.ticks(len(messages)), strict=True)
        ]
        if not self._prepared:
            self.prepare()
        with self.server.translated():
            self.server.collection(self._collection, journal=True).insert_many(documents)
        self.announce()

    def subscribe(self, consumer_id: str, prefetch: int) -> MongoSubscription:  # noqa: ARG002 - contract
        """Start consuming.

        Raises:
            BrokerUnavailable: the server cannot be reached.
            ConfigurationError: it does not let us in.
        """
        return MongoSubscription(self, consumer_id)

    def size(self) -> QueueSize:
        """Count the messages."""
        messages = self.messages
        now = self.server.clock.now()
        with self.server.translated():
            ready, delayed, unacked = (
                messages.count_documents({"state": state}) for state in (READY, DELAYED, CLAIMED)
            )
            due = messages.count_documents({"due": {"$lte": now}, "state": DELAYED}) if delayed else 0
        return QueueSize(ready + due, delayed - due, unacked)

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        with self.server.translated():
            return self.messages.delete_many({"state": {"$in": [READY, DELAYED]}}).deleted_count

    def announce(self) -> None:
        """Wake this process's consumers."""
        with self.sent:
            self.sent.notify_all()


def _document(message: OutgoingMessage, tick: int, now: float) -> Document:
    document: Document = {
        "state": READY,
        "rank": rank_of(message.priority),
        "seq": tick,
        "count": 0,
        "body": message.body,
    }
    if message.delay > 0:
        document |= {"state": DELAYED, "due": now + message.delay}
    return document
