"""Leases: a document {_id: lease, owner, token, expires} each, kept for a day after its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from fsdf_brokers.states.mongodb.documents import BYGONE, KEPT, Documents

if TYPE_CHECKING:
    from fsdf_brokers.mongodb.server import Server


class Leases:
    """All leases of a store."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._documents = Documents(server, "fsdf_state_leases", "forget")

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Renew, or take what has ended, or what nobody had; tokens begin with the time in microseconds."""
        collection = self._documents.collection
        expires = self._documents.expiry(ttl)
        mine = {"owner": owner, "expires": expires, "forget": expires + KEPT}
        renewed = collection.find_one_and_update(self._documents.live(_id=lease, owner=owner), {"$set": mine})
        if renewed is not None:
            return int(renewed["token"])
        taken = collection.find_one_and_update(
            {"_id": lease, "expires": {"$lte": self._documents.now()}},
            {"$set": mine, "$inc": {"token": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if taken is not None:
            return int(taken["token"])
        token = self._server.clock.ticks(1)[0]
        try:
            collection.insert_one({"_id": lease, **mine, "token": token})
        except DuplicateKeyError:
            return None
        self._documents.wrote(1)
        return token

    def release(self, lease: str, owner: str) -> bool:
        """End a lease."""
        ended = {"$set": {"owner": "", "expires": BYGONE}}
        return bool(
            self._documents.collection.update_one(self._documents.live(_id=lease, owner=owner), ended).matched_count
        )
