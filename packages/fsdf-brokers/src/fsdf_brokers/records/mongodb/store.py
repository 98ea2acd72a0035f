"""The record store on MongoDB, or on a server that speaks its protocol; needs no replica set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo import ASCENDING, DESCENDING, IndexModel, ReplaceOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, ServerSelectionTimeoutError

from fsdf_brokers.mongodb.faults import Faults, duplicates
from fsdf_brokers.mongodb.server import Server
from fsdf_brokers.records import rows
from fsdf_brokers.records.cursor import Cursor, parse_cursor
from fsdf_brokers.records.mongodb.search import Search, within
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.record_row import COLUMNS, Row, name
from fsdf_core.records import STEPS, Count, Page, RecordStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pymongo.collection import Collection
    from typing_extensions import Self

    from fsdf_brokers.mongodb.server import Document
    from fsdf_core.records import RecordQuery, TaskRecord
    from fsdf_core.settings import Settings
    from fsdf_core.success_rows import SuccessRows

T = TypeVar("T")

_MOST = 1000
_NEWEST_FIRST = [("moment", DESCENDING), ("_id", DESCENDING)]
_RECORDS, _COUNTS = "fsdf_record", "fsdf_record_count"
_INDEXES = {
    _RECORDS: [
        IndexModel([(field, ASCENDING) for field in fields], name="_".join(fields))
        for fields in (
            ("moment", "_id"),
            ("queue", "moment", "_id"),
            ("status", "moment", "_id"),
            ("queue", "status", "moment", "_id"),
            ("error_type", "moment", "_id"),
            ("expires",),
        )
    ],
    _COUNTS: [IndexModel([("step", ASCENDING), ("second", ASCENDING)], name="step_second")],
}


class MongoRecordStore(RecordStore):
    """Collections `fsdf_record` and `fsdf_record_count`, created at first use.

    Of a task's id, a queue's name and an error's type the first 512 bytes are kept. Records and counts are not written
    in one transaction.

    Args:
        url: mongodb://user:password@host:27017/database or mongodb+srv://…; default database "fsdf".

    Raises:
        ConfigurationError: the URL is not valid, or the server does not let us in.
        StateUnavailable: the server is not reachable (at first use and later).
        StateError: the database refuses.
    """

    cooperative = True

    def __init__(self, url: str) -> None:
        self._server = Server(url, Faults(StateUnavailable, StateError, StateError, "FSDF_RECORDS_URL"))
        self._preparing = threading.Lock()
        self._prepared: set[str] = set()

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:  # noqa: ARG003 - nothing to configure
        """Build the store."""
        return cls(url)

    def write(self, records: Sequence[Row], counts: Sequence[Count] = (), successes: SuccessRows | None = None) -> None:
        """Replace records; add to counts."""
        documents = [_document(row) for row in rows.latest(records, successes)]
        sums = rows.count_rows(counts, tuple(STEPS))
        self._run(lambda: self._put(documents), again=True)
        self._run(lambda: self._write(_COUNTS, [_addition(each) for each in sums]))

    def find(self, query: RecordQuery) -> Page:
        """Search."""
        if not 1 <= query.limit <= _MOST:
            raise ConfigurationError(f"a page of records has 1 to {_MOST}, not {query.limit}")
        after = None if query.cursor is None else parse_cursor(query.cursor)
        search = Search(query)

        def work() -> Page:
            last = self._last_scanned(search, after) if search.bounded else None
            found = list(self._matching(search, after, last, query.limit + 1))
            records = [_record(document) for document in found[: query.limit]]
            if len(found) > query.limit:
                return Page(records, str(Cursor(records[-1].moment, records[-1].task_id)))
            return Page(records) if last is None else Page(records, str(last), last.moment)

        return self._run(work, again=True)

    def get(self, task_id: str) -> TaskRecord | None:
        """Look up."""
        found = self._run(lambda: self._collection(_RECORDS).find_one({"_id": name(task_id)}), again=True)
        return None if found is None else _record(found)

    def how_many(self, query: RecordQuery, most: int = 10_000) -> int:
        """Count."""
        search = Search(query)

        def work() -> int:
            last = self._last_scanned(search, None) if search.bounded else None
            if search.has_paths:
                return sum(1 for _ in self._matching(search, None, last, most))
            return self._collection(_RECORDS).count_documents(within(search.every, None, last), limit=most)

        return self._run(work, again=True)

    def queues(self) -> list[str]:
        """Ask the counts of days."""
        return sorted(self._run(lambda: self._collection(_COUNTS).distinct("queue", {"step": max(STEPS)}), again=True))

    def counts(self, queue: str | None, since: float, until: float, step: int) -> list[Count]:
        """Sum the steps that are kept."""
        kept = max((length for length in STEPS if step > 0 and step % length == 0), default=0)
        if not kept:
            raise ConfigurationError(f"a step is a positive multiple of a second, not {step}")
        conditions: Document = {
            "step": kept,
            "second": {"$gte": -(-since // step) * step, "$lt": -(-until // step) * step},
        }
        if queue is not None:
            conditions["queue"] = name(queue)
        found = self._run(lambda: list(self._collection(_COUNTS).find(conditions)), again=True)
        return rows.summed([(each["queue"], each["second"], *(each[n] for n in rows.NUMBERS)) for each in found], step)

    def prune(self, now: float, limit: int = 1000) -> int:
        """Delete records, then counts."""

        def work() -> int:
            records, counts = self._collection(_RECORDS), self._collection(_COUNTS)
            expired = records.find({"expires": {"$lte": now}}, ["_id"]).sort("expires", ASCENDING).limit(limit)
            ids = [each["_id"] for each in expired]
            for step, kept in STEPS.items():
                counts.delete_many({"step": step, "second": {"$lt": now - kept}})
            return records.delete_many({"_id": {"$in": ids}}).deleted_count if ids else 0

        return self._run(work)

    def close(self) -> None:
        """Disconnect."""
        self._server.close()

    def _matching(self, search: Search, after: Cursor | None, last: Cursor | None, limit: int) -> Iterator[Document]:
        conditions = within(search.every, after, last)
        found = self._collection(_RECORDS).find(conditions, {"detail": False}).sort(_NEWEST_FIRST)
        if not search.has_paths:
            found = found.limit(limit)
        with found:
            for document in found:
                if not search.has_paths or search.matches(document["arguments"]):
                    yield document
                    limit -= 1
                if limit == 0:
                    return

    def _last_scanned(self, search: Search, after: Cursor | None) -> Cursor | None:
        found = self._collection(_RECORDS).find(within(search.known, after, None), ["moment"])
        for document in found.sort(_NEWEST_FIRST).skip(self.scanned - 1).limit(1):
            return Cursor(document["moment"], document["_id"])
        return None

    def _put(self, documents: list[Document]) -> None:
        """Insert, which is quicker than to replace; most tasks are recorded once."""
        if not documents:
            return
        try:
            self._collection(_RECORDS).insert_many(documents, ordered=False)
        except BulkWriteError as error:
            there = duplicates(error)
            if there is None:
                raise
            known = [documents[index] for index in there]
            older = [{"_id": each["_id"], "moment": {"$lte": each["moment"]}} for each in known]
            self._write(_RECORDS, [ReplaceOne(*pair) for pair in zip(older, known, strict=True)])

    def _write(self, name: str, operations: list[Any]) -> None:
        while operations:
            try:
                self._collection(name).bulk_write(operations, ordered=False)
            except BulkWriteError as error:
                # Two who write the same absent document may both decide to insert it.
                found = duplicates(error)
                if not found:
                    raise
                operations = [operations[index] for index in found]
            else:
                return

    def _collection(self, name: str) -> Collection[Document]:
        collection = self._server.collection(name)
        if name not in self._prepared:
            with self._preparing:
                self._server.prepare(collection, _INDEXES[name])
                self._prepared.add(name)
        return collection

    def _run(self, work: Callable[[], T], *, again: bool = False) -> T:
        with self._server.translated():
            try:
                return work()
            except ServerSelectionTimeoutError:
                raise
            except AutoReconnect:
                if not again:
                    raise
            return work()


def _document(row: Row) -> Document:
    return dict(zip(("_id", *tuple(COLUMNS)[1:]), row, strict=True))


def _record(document: Document) -> TaskRecord:
    fields = {"task_id" if name == "_id" else name: value for name, value in document.items()}
    columns = [name for name in rows.WHOLE if name in fields]
    return rows.record(columns, tuple(fields[name] for name in columns))


def _addition(row: rows.CountRow) -> UpdateOne:
    step, second, queue, *numbers, backlog = row
    change: Document = {
        "$setOnInsert": {"step": step, "second": second, "queue": queue},
        "$inc": dict(zip(rows.NUMBERS, numbers, strict=False)),
        "$max": {"backlog": backlog},
    }
    return UpdateOne({"_id": f"{step} {second} {queue}"}, change, upsert=True)
