"""Channels: a document {_id: channel, version} each, which a notification changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bson import ObjectId
from pymongo import UpdateOne

from fsdf_brokers.states.mongodb.documents import KEPT, Documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.mongodb.server import Server


class Channels:
    """All channels of a store."""

    def __init__(self, server: Server) -> None:
        self._documents = Documents(server, "fsdf_state_channels", "forget")

    def notify(self, channels: Sequence[str]) -> None:
        """Write versions that nobody has seen."""
        change = {"$set": {"version": ObjectId(), "forget": self._documents.now() + KEPT}}
        self._documents.collection.bulk_write(
            [UpdateOne({"_id": channel}, change, upsert=True) for channel in channels], ordered=False
        )
        self._documents.wrote(len(channels))

    def versions(self, channels: Sequence[str]) -> dict[str, ObjectId]:
        """Return the versions of those that were notified of late."""
        found = self._documents.collection.find({"_id": {"$in": list(channels)}})
        return {each["_id"]: each["version"] for each in found}

    def version(self, channel: str) -> ObjectId | None:
        """Return the channel's version; None if nobody notified it of late."""
        found = self._documents.collection.find_one({"_id": channel})
        return None if found is None else found["version"]
