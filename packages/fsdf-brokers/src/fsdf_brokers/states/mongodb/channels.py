"""Channels: a document {_id: channel, version} each, which a notification changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bson import ObjectId

from fsdf_brokers.states.mongodb.documents import KEPT, Documents

if TYPE_CHECKING:
    from fsdf_brokers.mongodb.server import Server


class Channels:
    """All channels of a store."""

    def __init__(self, server: Server) -> None:
        self._documents = Documents(server, "fsdf_state_channels", "forget")

    def notify(self, channel: str) -> None:
        """Write a version that nobody has seen."""
        self._documents.collection.update_one(
            {"_id": channel}, {"$set": {"version": ObjectId(), "forget": self._documents.now() + KEPT}}, upsert=True
        )
        self._documents.wrote(1)

    def version(self, channel: str) -> ObjectId | None:
        """Return the channel's version; None if nobody notified it of late."""
        found = self._documents.collection.find_one({"_id": channel})
        return None if found is None else found["version"]
