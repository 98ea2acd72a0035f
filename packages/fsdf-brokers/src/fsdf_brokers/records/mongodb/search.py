"""Queries for records as MongoDB has them; values at paths are compared here, because not all servers can."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_brokers.records.argument_path import parse_path
from fsdf_core.errors import ConfigurationError
from fsdf_core.record_row import name
from fsdf_core.records import STATUSES

if TYPE_CHECKING:
    from fsdf_brokers.mongodb.server import Document
    from fsdf_brokers.records.cursor import Cursor
    from fsdf_core.records import RecordQuery


class Search:
    """One query.

    Args:
        query: what to find.

    Attributes:
        known: what an index knows.
        every: all conditions but those on paths.
        bounded: some condition is known to no index, so that only so many records may be looked at.
        has_paths: some conditions are for `matches`.

    Raises:
        ConfigurationError: the query makes no sense.
    """

    def __init__(self, query: RecordQuery) -> None:
        if query.status is not None and query.status not in STATUSES:
            raise ConfigurationError(f"no status {query.status!r}: use {', '.join(STATUSES)}")
        exact = {
            "_id": query.task_id and name(query.task_id),
            "error_type": query.error_type and name(query.error_type),
            "queue": query.queue and name(query.queue),
            "status": query.status,
        }
        given = {field: value for field, value in exact.items() if value is not None}
        along = ("_id",) if "_id" in given else ("error_type",) if "error_type" in given else ("queue", "status")
        self.known: Document = {field: value for field, value in given.items() if field in along}
        unknown: Document = {field: value for field, value in given.items() if field not in along}
        if span := _between(query.since, query.until, "$lt"):
            self.known["moment"] = span
        if span := _between(query.min_seconds, query.max_seconds, "$lte"):
            unknown["seconds"] = span
        if query.text:
            in_json = orjson.dumps(query.text).decode()[1:-1]
            unknown["$or"] = [
                {field: {"$regex": re.escape(text), "$options": "i"}}
                for field, text in (("arguments", in_json), ("error", query.text))
            ]
        self._paths = [(parse_path(path), text) for path, text in query.arguments.items()]
        self.every: Document = {**self.known, **unknown}
        self.has_paths = bool(self._paths)
        self.bounded = "_id" not in given and bool(unknown or self._paths)

    def matches(self, arguments: str) -> bool:
        """Whether the values at the paths are as asked for."""
        value = orjson.loads(arguments)
        return all(_text_at(value, path) == text for path, text in self._paths)


def within(conditions: Document, after: Cursor | None, last: Cursor | None) -> Document:
    """Return the conditions with those of a page: older than one place, down to another."""
    places: list[Document] = [conditions] if conditions else []
    if after is not None:
        places.append({"moment": {"$lte": after.moment}})
        places.append({"$or": [{"moment": {"$lt": after.moment}}, {"_id": {"$lt": after.task_id}}]})
    if last is not None:
        places.append({"moment": {"$gte": last.moment}})
        places.append({"$or": [{"moment": {"$gt": last.moment}}, {"_id": {"$gte": last.task_id}}]})
    return {"$and": places} if places else {}


def _between(low: float | None, high: float | None, under: str) -> Document:
    return {operator: bound for operator, bound in (("$gte", low), (under, high)) if bound is not None}


def _text_at(value: Any, path: tuple[str | int, ...]) -> str | None:
    """Return the text of the value at a path; None if there is none."""
    for part in path:
        if not isinstance(value, (dict, list)) or isinstance(value, dict) is not isinstance(part, str):
            return None
        try:
            value = value[part]  # type: ignore[index] # a name of a dict, or an index of a list
        except LookupError:
            return None
    return value if isinstance(value, str) else orjson.dumps(value).decode()
