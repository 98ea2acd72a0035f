"""The consumers of a queue: a document each, with a heartbeat by the server's clock.

There are no transactions. Whoever ends another's lease first deletes its document and then gives its messages back;
should it die between the two, or a claim come later, a sweep finds messages whose owner is not on the roll.
"""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from fsdf_brokers.mongodb.layout import CLAIMED, READY
from fsdf_brokers.mongodb.same_host import SameHost
from fsdf_brokers.mongodb.server import date, seconds
from fsdf_brokers.sqlalchemy_queue.roll import Other, Roll

if TYPE_CHECKING:
    from fsdf_brokers.mongodb.queue import MongoQueue
    from fsdf_brokers.mongodb.server import Document

_SWEEP_EVERY = 10.0
_LOOK_EVERY = 1.0
"""Seconds between two looks at the roll; more often is not worth an idle consumer's time."""


class MongoRoll(Roll):
    """One consumer's documents.

    Args:
        queue: the consumer's queue.
    """

    grace = 0.0

    def __init__(self, queue: MongoQueue) -> None:
        self._queue = queue
        self._server = queue.server
        self._host = SameHost()
        self._next_sweep = 0.0
        self._next_look = 0.0

    def open(self) -> None:
        """Do nothing: the client connects by itself."""

    def close(self) -> None:
        """Do nothing: the client is the process's."""

    def enrol(self, name: str) -> int:
        """Insert a document under a random number."""
        number = secrets.randbits(62)
        self._next_look = self._next_sweep = 0.0  # if this is not the first time, claims may have followed the burial
        values: Document = {"queue": self._queue.name, "name": name, "place": self._host.enter(name)}
        with self._server.translated():
            self._queue.consumers.update_one(
                {"_id": number}, {"$set": values, "$currentDate": {"beat": True}}, upsert=True
            )
        return number

    def keep(self, number: int) -> bool:
        """Renew the heartbeat."""
        with self._server.translated():
            found = self._queue.consumers.update_one({"_id": number}, {"$currentDate": {"beat": True}})
        return bool(found.matched_count)

    def others(self, number: int) -> list[Other]:
        """Read the documents of the queue, and try the locks of this host; [] if that was done just now."""
        if time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + _LOOK_EVERY
        if time.monotonic() >= self._next_sweep:
            self._sweep()
            self._next_sweep = time.monotonic() + _SWEEP_EVERY
        with self._server.translated():
            found = list(self._queue.consumers.find({"queue": self._queue.name, "_id": {"$ne": number}}))
        now = self._server.clock.now()
        return [self._other(document, now) for document in found]

    def bury(self, other: Other, *, alive: bool) -> int | None:  # noqa: ARG002 - a lock that is lost stays lost
        """Delete the document if nothing was heard since, then give the messages back."""
        with self._server.translated():
            gone = self._queue.consumers.delete_one({"_id": other.number, "beat": date(other.beat)})
            return self._give_back([other.number]) if gone.deleted_count else None

    def leave(self, number: int) -> None:
        """Delete the document, give the messages back and unlock the file."""
        try:
            with self._server.translated():
                self._queue.consumers.delete_one({"_id": number})
                self._give_back([number])
        finally:
            self._host.leave()

    def _other(self, document: Document, now: float) -> Other:
        beat = seconds(document["beat"])
        alive = self._host.lives(document["name"], document.get("place"))
        return Other(document["_id"], document["name"], now - beat, beat, alive)

    def _sweep(self) -> None:
        """Owners are read before the roll, on which they were before they claimed: who is not on it was buried."""
        with self._server.translated():
            owners = self._queue.messages.distinct("owner", {"state": CLAIMED})
            if owners:
                enrolled = {each["_id"] for each in self._queue.consumers.find({"_id": {"$in": owners}}, {"_id": True})}
                if strangers := [owner for owner in owners if owner not in enrolled]:
                    self._give_back(strangers)

    def _give_back(self, owners: list[int]) -> int:
        found = self._queue.messages.update_many(
            {"owner": {"$in": owners}, "state": CLAIMED},
            {"$set": {"state": READY}, "$unset": {"owner": True, "claim": True}},
        )
        self._queue.announce()
        return found.modified_count
