"""What the collections of a state store have in common: when a document ends, and how many are named at once."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo import ASCENDING, IndexModel
from pymongo.errors import BulkWriteError, OperationFailure, PyMongoError

from fsdf_brokers.mongodb.faults import duplicates
from fsdf_brokers.mongodb.server import date

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pymongo import ReplaceOne
    from pymongo.collection import Collection

    from fsdf_brokers.mongodb.server import Document, Server

T = TypeVar("T")

FOR_EVER = datetime(9999, 1, 1, tzinfo=timezone.utc)
BYGONE = datetime(1970, 1, 1, tzinfo=timezone.utc)
KEPT = timedelta(days=1)
"""How long what ended still is remembered where its number matters."""

_CHUNK = 250
_SWEEP_EVERY = 1000
"""Documents written, on average, between two sweeps."""
_NO_SUCH_INDEX = frozenset({67, 72, 115, 197, 238})
"""CannotCreateIndex, InvalidOptions, CommandNotSupported, InvalidIndexSpecificationOption, NotImplemented."""


class Documents:
    """One collection, created with its indexes at its first use.

    MongoDB deletes what has expired within a minute or two, by a TTL index; until then readers pass over it. At
    servers that have no such index, writers sweep now and then.

    Args:
        server: where it is.
        name: the collection's name.
        expiry: the field with the time at which a document may be deleted; None if there is none.
        indexes: further indexes.
    """

    def __init__(self, server: Server, name: str, expiry: str | None, *indexes: IndexModel) -> None:
        self._server = server
        self._name = name
        self._expiry = expiry
        self._indexes = indexes
        self._preparing = threading.Lock()
        self._prepared: Collection[Document] | None = None
        self._sweeps = False

    @property
    def collection(self) -> Collection[Document]:
        """The collection."""
        collection = self._server.collection(self._name)
        if self._prepared != collection:
            with self._preparing:
                if self._prepared != collection:
                    self._prepare(collection)
                    self._prepared = collection
        return collection

    def replace(self, replacements: Iterable[ReplaceOne[Document]]) -> None:
        """Write documents, each in place of the one with its id."""
        left = list(replacements)
        while left:
            try:
                self.collection.bulk_write(left, ordered=False)
            except BulkWriteError as error:
                # Two who write the same absent document may both decide to insert it.
                found = duplicates(error)
                if not found:
                    raise
                left = [left[index] for index in found]
            else:
                return

    def wrote(self, count: int) -> None:
        """Count writes: by chance, so that short processes sweep too."""
        if self._sweeps and self._expiry is not None and random.random() * _SWEEP_EVERY < count:  # noqa: S311 - no secret
            # The next writer sweeps what this one could not.
            with suppress(PyMongoError):
                self.collection.delete_many({self._expiry: {"$lte": self.now()}})

    def _prepare(self, collection: Collection[Document]) -> None:
        indexes = list(self._indexes)
        if self._expiry is not None:
            by_expiry = [(self._expiry, ASCENDING)]
            indexes.append(IndexModel(by_expiry, name="fsdf_expiry", expireAfterSeconds=0))
        try:
            self._server.prepare(collection, indexes)
        except OperationFailure as error:
            if error.code not in _NO_SUCH_INDEX or self._expiry is None:
                raise
            self._sweeps = True
            self._server.prepare(collection, [*self._indexes, IndexModel(by_expiry, name="fsdf_expiry_swept")])

    def now(self) -> datetime:
        """Return the server's time."""
        return date(self._server.clock.now())

    def expiry(self, ttl: float | None) -> datetime:
        """Return the time at which a document ends."""
        return FOR_EVER if ttl is None else date(self._server.clock.now() + ttl)

    def live(self, **more: Any) -> Document:
        """Return a filter for documents that have not ended."""
        return {**more, "expires": {"$gt": self.now()}}


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut a list into parts that a command names at once."""
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
