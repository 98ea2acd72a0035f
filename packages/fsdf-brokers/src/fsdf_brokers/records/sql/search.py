"""Queries for records as SQL: along one index, and within bounds for what no index knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_brokers.records.argument_path import parse_path
from fsdf_brokers.records.sql.layout import PARTIAL, Layout
from fsdf_brokers.records.sql.prefilter import needles
from fsdf_core.errors import ConfigurationError
from fsdf_core.record_row import name
from fsdf_core.records import STATUSES, SUCCESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_brokers.records.cursor import Cursor
    from fsdf_core.records import RecordQuery

_NEWEST_FIRST = "ORDER BY moment DESC, task_id DESC"


@dataclass
class Conditions:
    """Clauses of a WHERE with their parameters."""

    clauses: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, clause: str, *values: Any) -> None:
        """One more; `{}` in it are the values' placeholders."""
        self.clauses.append(clause)
        self.values += values

    def __bool__(self) -> bool:
        return bool(self.clauses)

    def with_more(self, *others: Conditions) -> Conditions:
        """Return these and others."""
        every = (self, *others)
        return Conditions([c for each in every for c in each.clauses], [v for each in every for v in each.values])


class Search:
    """One query on one database.

    Args:
        query: what to find.
        layout: the database's words.

    Attributes:
        bounded: some condition is unknown to the index, so that only so many records may be looked at.

    Raises:
        ConfigurationError: the query makes no sense.
    """

    def __init__(self, query: RecordQuery, layout: Layout) -> None:
        if query.status is not None and query.status not in STATUSES:
            raise ConfigurationError(f"no status {query.status!r}: use {', '.join(STATUSES)}")
        self._layout = layout
        self._known, self._unknown = Conditions(), Conditions()
        self._index = self._choose(query)
        if query.since is not None:
            self._known.add("moment >= {}", query.since)
        if query.until is not None:
            self._known.add("moment < {}", query.until)
        self._add_unknown(query)
        self.bounded = bool(self._unknown) and query.task_id is None

    def page(
        self, columns: Sequence[str], limit: int, after: Cursor | None, last: Cursor | None
    ) -> tuple[str, list[Any]]:
        """Return the statement for up to `limit` records after a cursor, down to and with the last to look at."""
        conditions = self._known.with_more(self._unknown, _after(after), _down_to(last))
        return self._statement(", ".join(columns), conditions, f"{_NEWEST_FIRST} LIMIT {limit}")

    def last_scanned(self, scanned: int, after: Cursor | None) -> tuple[str, list[Any]]:
        """Return the statement for the place of the last record that may be looked at."""
        conditions = self._known.with_more(_after(after))
        return self._statement("moment, task_id", conditions, f"{_NEWEST_FIRST} LIMIT 1 OFFSET {scanned - 1}")

    def how_many(self, most: int, last: Cursor | None) -> tuple[str, list[Any]]:
        """Return the statement that counts up to `most`."""
        conditions = self._known.with_more(self._unknown, _down_to(last))
        inner, values = self._statement("1 AS found", conditions, f"LIMIT {most}")
        return f"SELECT count(*) FROM ({inner}) AS matching", values  # noqa: S608 - built here

    def _statement(self, columns: str, conditions: Conditions, rest: str) -> tuple[str, list[Any]]:
        where = " AND ".join(conditions.clauses).replace("{}", self._layout.mark)
        hint = self._layout.hint(self._index) if self._index else ""
        condition = f"WHERE {where}" if where else ""
        return f"SELECT {columns} FROM fsdf_record {hint} {condition} {rest}", conditions.values  # noqa: S608 - as above

    def _choose(self, query: RecordQuery) -> str:
        """Return the index that knows most."""
        known, unknown = self._known, self._unknown
        if query.task_id is not None:
            known.add("task_id = {}", name(query.task_id))
        indexed_status = query.status not in {None, SUCCESS}
        by_error = bool(query.error_type) and query.task_id is None
        by_status = indexed_status and not by_error and query.task_id is None
        by_queue = query.queue is not None and not by_error and query.task_id is None
        if query.error_type is not None:
            (known if by_error else unknown).add("error_type = {}", name(query.error_type))
        if query.status is not None:
            (known if by_status else unknown).add("status = {}", query.status)
        if query.queue is not None:
            (known if by_queue else unknown).add("queue = {}", name(query.queue))
        if query.task_id is not None:
            return ""
        if by_error:
            index = "fsdf_record_error"
        elif by_status:
            index = "fsdf_record_queue_status" if by_queue else "fsdf_record_status"
        else:
            return "fsdf_record_queue" if by_queue else "fsdf_record_newest"
        known.add(PARTIAL[index])
        return index

    def _add_unknown(self, query: RecordQuery) -> None:
        like, unknown = self._layout.like, self._unknown
        if query.text:
            in_json = orjson.dumps(query.text).decode()[1:-1]
            unknown.add(
                f"(arguments {like} {{}} ESCAPE '!' OR error {like} {{}} ESCAPE '!')",
                _anywhere(in_json), _anywhere(query.text),
            )  # fmt: skip
        for path, text in query.arguments.items():
            steps = parse_path(path)
            if hints := needles(steps, text):
                either = " OR ".join(["arguments LIKE {} ESCAPE '!'"] * len(hints))
                unknown.add(f"({either})", *map(_anywhere, hints))
            expression, values = self._layout.value_at(steps)
            unknown.add(f"{expression} = {{}}", *values, text)
        if query.min_seconds is not None:
            unknown.add("seconds >= {}", query.min_seconds)
        if query.max_seconds is not None:
            unknown.add("seconds <= {}", query.max_seconds)


def _after(place: Cursor | None) -> Conditions:
    conditions = Conditions()
    if place is not None:
        # Not a comparison of pairs: MySQL finds no range of an index in it.
        conditions.add("moment <= {}", place.moment)
        conditions.add("(moment < {} OR task_id < {})", place.moment, place.task_id)
    return conditions


def _down_to(place: Cursor | None) -> Conditions:
    conditions = Conditions()
    if place is not None:
        conditions.add("moment >= {}", place.moment)
        conditions.add("(moment > {} OR task_id >= {})", place.moment, place.task_id)
    return conditions


def _anywhere(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return f"%{text}%"
