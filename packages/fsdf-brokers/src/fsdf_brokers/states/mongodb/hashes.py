"""Hashes: a document {_id, key, field, value} for each field, so a hash may be larger than a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymongo import ASCENDING, IndexModel, ReplaceOne

from fsdf_brokers.states.mongodb.documents import Documents, chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_brokers.mongodb.server import Server
    from fsdf_core.state import Keys


class Hashes:
    """All hashes of a store."""

    def __init__(self, server: Server) -> None:
        self._documents = Documents(
            server, "fsdf_state_hashes", None, IndexModel([("key", ASCENDING)], name="fsdf_key")
        )

    def set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields."""
        for some in chunks(list(fields.items())):
            self._documents.replace(
                ReplaceOne({"_id": _id(key, field)}, {"key": key, "field": field, "value": value}, upsert=True)
                for field, value in some
            )

    def get(self, key: str) -> dict[str, bytes]:
        """Return all fields."""
        return {each["field"]: each["value"] for each in self._documents.collection.find({"key": key})}

    def delete_fields(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields; return how many there were."""
        return sum(
            self._documents.collection.delete_many({"_id": {"$in": [_id(key, field) for field in some]}}).deleted_count
            for some in chunks(fields)
        )

    def delete(self, keys: Sequence[str]) -> Keys:
        """Delete hashes; return those that there were."""
        collection = self._documents.collection
        gone: set[str] = set()
        for some in chunks(keys):
            these = {"key": {"$in": some}}
            there = {*some} if len(some) == 1 else {*collection.distinct("key", these)}
            if there and collection.delete_many(these).deleted_count:
                gone |= there
        return gone


def _id(key: str, field: str) -> str:
    return f"{len(key)}:{key}{field}"
