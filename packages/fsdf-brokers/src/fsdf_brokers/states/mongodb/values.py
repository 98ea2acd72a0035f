"""Keys with values: documents {_id: key, value: bytes, expires}; of a counter, `number` instead of `value`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from fsdf_brokers.mongodb.faults import duplicates
from fsdf_brokers.states.mongodb.documents import Documents, chunks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_brokers.mongodb.server import Document, Server
    from fsdf_core.state import Keys

_LARGEST = 2**63 - 1


class Values:
    """All keys of a store but its hashes."""

    def __init__(self, server: Server) -> None:
        self._documents = Documents(server, "fsdf_state_values", "expires")

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values."""
        found = {}
        for some in chunks(list(dict.fromkeys(keys))):
            live = self._documents.live(_id={"$in": some})
            found.update({each["_id"]: _bytes(each) for each in self._documents.collection.find(live)})
        return [found.get(key) for key in keys]

    def set(self, values: Mapping[str, bytes], ttl: float | None) -> None:
        """Write all values."""
        expires = self._documents.expiry(ttl)
        for some in chunks(list(values.items())):
            self._documents.replace(
                ReplaceOne({"_id": key}, {"value": value, "expires": expires}, upsert=True) for key, value in some
            )
        self._documents.wrote(len(values))

    def add(self, values: Mapping[str, bytes], ttl: float | None) -> Keys:
        """Insert what is absent; the index of keys lets one of many insert each."""
        expires = self._documents.expiry(ttl)
        added: set[str] = set()
        for some in chunks(list(values.items())):
            self._documents.collection.delete_many(
                {"_id": {"$in": [key for key, _ in some]}, "expires": {"$lte": self._documents.now()}}
            )
            new = [{"_id": key, "value": value, "expires": expires} for key, value in some]
            there: list[int] = []
            try:
                self._documents.collection.insert_many(new, ordered=False)
            except BulkWriteError as error:
                found = duplicates(error)
                if found is None:
                    raise
                there = found
            added |= {key for key, _ in some} - {some[index][0] for index in there}
        self._documents.wrote(len(added))
        return added

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None) -> bool:
        """Compare and set."""
        change = {"$set": {"value": new, "expires": self._documents.expiry(ttl)}, "$unset": {"number": True}}
        return bool(self._documents.collection.update_one(self._holds(key, old), change).matched_count)

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Renew the TTL of what is unchanged, with a mark that tells which it was."""
        touched: set[str] = set()
        for some in chunks(list(values.items())):
            mark = secrets.randbits(62)
            change = {"$set": {"expires": self._documents.expiry(ttl), "touch": mark}}
            done = self._documents.collection.bulk_write(
                [UpdateOne(self._holds(key, value), change) for key, value in some], ordered=False
            )
            keys = [key for key, _ in some]
            if 0 < done.matched_count < len(keys):
                marked = self._documents.collection.find({"_id": {"$in": keys}, "touch": mark}, {"_id": True})
                keys = [each["_id"] for each in marked]
            touched |= {*keys} if done.matched_count else set()
        return touched

    def delete(self, keys: Sequence[str]) -> Keys:
        """Delete keys; return those that were there. Of one key, exactly one of many who delete it hears so."""
        collection = self._documents.collection
        gone: set[str] = set()
        for some in chunks(keys):
            live = self._documents.live(_id={"$in": some})
            there = {*some} if len(some) == 1 else {each["_id"] for each in collection.find(live, {"_id": True})}
            if there and collection.delete_many(live).deleted_count:
                gone |= there
        return gone

    def increment(self, key: str, by: int, ttl: float | None) -> int:
        """Add to a counter; the first to find a written number makes it one.

        Raises:
            ValueError: the key holds no number, or one beyond 64 bits.
        """
        collection = self._documents.collection
        while True:
            if not -_LARGEST <= by <= _LARGEST:
                raise ValueError(f"{by} is no number of 64 bits")
            live = self._documents.live(_id=key)
            found = collection.find_one_and_update(
                {**live, "number": {"$exists": True}},
                {"$inc": {"number": by}},
                return_document=ReturnDocument.AFTER,
            )
            if found is not None:
                return int(found["number"])
            there = collection.find_one(live)
            if there is None:
                collection.delete_many({"_id": key, "expires": {"$lte": self._documents.now()}})
                try:
                    collection.insert_one({"_id": key, "number": by, "expires": self._documents.expiry(ttl)})
                except DuplicateKeyError:
                    continue
                self._documents.wrote(1)
                return by
            if "value" in there:
                number = int(there["value"])
                collection.update_one(
                    {"_id": key, "value": there["value"]}, {"$set": {"number": number}, "$unset": {"value": True}}
                )

    def _holds(self, key: str, value: bytes) -> Document:
        held: list[dict[str, Any]] = [{"value": value}]
        if len(value) < len(str(_LARGEST)) + 2 and value.lstrip(b"-").isdigit() and b"%d" % int(value) == value:
            held.append({"number": int(value)})
        live = self._documents.live(_id=key)
        return {**live, **held[0]} if len(held) == 1 else {**live, "$or": held}


def _bytes(document: Document) -> bytes:
    if "number" in document:
        return b"%d" % document["number"]
    value: bytes = document["value"]
    return value
