"""What one consumer claims and settles. A change of a document is atomic, a batch of changes is not.

To claim is to look for candidates and then to change those that are still ready, with a mark that no other claim
has; if fewer were changed than were asked for, a second look tells which.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, cast

from fsdf_brokers.mongodb.layout import CLAIMED, DELAYED, ORDER, READY
from fsdf_brokers.sqlalchemy_queue.batch_limit import BatchLimit
from fsdf_core.broker import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.mongodb.queue import MongoQueue
    from fsdf_brokers.mongodb.server import Document
    from fsdf_brokers.sqlalchemy_queue.lease import Lease

_MOST = 1000
"""Messages of a claim or an acknowledgement: more make a round trip no cheaper."""
_NOBODY = {"owner": True, "claim": True}


class Claims:
    """The messages of one consumer; used by any thread, `take` and `promote` by the receiving one.

    Args:
        queue: where messages come from.
        lease: whose they become.
    """

    def __init__(self, queue: MongoQueue, lease: Lease) -> None:
        self._queue = queue
        self._server = queue.server
        self._lease = lease
        self._tokens = count()
        self._marks = count()
        self._limit = BatchLimit()

    def take(self, limit: int) -> list[Delivery] | None:
        """Claim messages; [] if others were quicker, None if there are none."""
        messages = self._queue.messages
        held = self._lease.held
        with self._server.translated():
            candidates = list(
                messages.find({"state": READY}, {"body": True, "count": True})
                .sort(list(ORDER))
                .limit(min(self._limit.of(limit), _MOST))
            )
            if not candidates:
                return None
            ids = [each["_id"] for each in candidates]
            mark = next(self._marks)
            changed = messages.update_many(
                {"state": READY, "_id": {"$in": ids}},
                {"$set": {"state": CLAIMED, "owner": held.number, "claim": mark}, "$inc": {"count": 1}},
            )
            if changed.modified_count < len(ids):
                mine: Document = {"owner": held.number, "claim": mark, "_id": {"$in": ids}}
                got = {each["_id"] for each in messages.find(mine, {"_id": True})} if changed.modified_count else set()
                candidates = [each for each in candidates if each["_id"] in got]
        deliveries = [Delivery(each["body"], next(self._tokens), each["count"] + 1) for each in candidates]
        if deliveries:
            self._limit.saw([each["body"] for each in candidates])
            # What `Held` calls rows are ids here; it only keeps them.
            held.add([each.token for each in deliveries], cast("list[int]", [each["_id"] for each in candidates]))
        return deliveries

    def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Delete those that still are this consumer's."""
        held = self._lease.held
        for ids in _chunks(held.rows(deliveries)):
            with self._server.translated():
                self._queue.messages.delete_many({"owner": held.number, "_id": {"$in": ids}})
        held.forget(deliveries)

    def put_back(self, deliveries: Sequence[Delivery], delay: float) -> None:
        """Move those that still are this consumer's to the end, or to the delayed ones."""
        change: Document = {"state": READY, "count": 0, "seq": self._server.clock.ticks(1)[0]}
        if delay > 0:
            change |= {"state": DELAYED, "due": self._server.clock.now() + delay}
        self._give(deliveries, {"$set": change, "$unset": _NOBODY})

    def undo(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of those that still are this consumer's, in their places, uncounted."""
        self._give(deliveries, {"$set": {"state": READY}, "$inc": {"count": -1}, "$unset": _NOBODY})

    def drop_strays(self) -> None:
        """Let go of what a claim took whose answer was lost; called while no claim is under way."""
        held = self._lease.held
        with self._server.translated():
            self._queue.messages.update_many(
                {"owner": held.number, "_id": {"$nin": held.all()}},
                {"$set": {"state": READY}, "$inc": {"count": -1}, "$unset": _NOBODY},
            )

    def due_in(self) -> float | None:
        """Return the seconds until the next delayed message is due, negative if one is; None if there is none."""
        with self._server.translated():
            first = self._queue.messages.find_one(
                {"state": DELAYED, "due": {"$gt": 0}}, {"due": True}, sort=[("due", 1)]
            )
        return None if first is None else float(first["due"]) - self._server.clock.now()

    def promote(self) -> bool:
        """Make ready what is due, at the end of the queue."""
        now = self._server.clock.now()
        with self._server.translated():
            found = self._queue.messages.update_many(
                {"state": DELAYED, "due": {"$lte": now}},
                {"$set": {"state": READY, "seq": self._server.clock.ticks(1)[0]}, "$unset": {"due": True}},
            )
        return bool(found.modified_count)

    def _give(self, deliveries: Sequence[Delivery], change: Document) -> None:
        held = self._lease.held
        for ids in _chunks(held.rows(deliveries)):
            with self._server.translated():
                self._queue.messages.update_many({"owner": held.number, "_id": {"$in": ids}}, change)
        held.forget(deliveries)
        self._queue.announce()


def _chunks(ids: list[int]) -> list[list[int]]:
    return [ids[start : start + _MOST] for start in range(0, len(ids), _MOST)]
