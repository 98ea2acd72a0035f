"""The record store on a SQL database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_brokers.records import rows
from fsdf_brokers.records.cursor import Cursor, parse_cursor
from fsdf_brokers.records.sql.mysql import MySQLLayout
from fsdf_brokers.records.sql.postgresql import PostgreSQLLayout
from fsdf_brokers.records.sql.search import Search
from fsdf_brokers.records.sql.sqlite import SQLiteLayout
from fsdf_brokers.states.sql.database import Database
from fsdf_brokers.states.sql.url import parse
from fsdf_core.errors import ConfigurationError
from fsdf_core.record_row import Row, name
from fsdf_core.records import STEPS, Count, Page, RecordStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from fsdf_brokers.records.sql.layout import Layout
    from fsdf_core.records import RecordQuery, TaskRecord
    from fsdf_core.settings import Settings
    from fsdf_core.success_rows import SuccessRows

_LAYOUTS: dict[str, type[Layout]] = {
    "sqlite": SQLiteLayout,
    "postgresql": PostgreSQLLayout,
    "mysql": MySQLLayout,
    "mariadb": MySQLLayout,
}
_MOST = 1000


class SQLRecordStore(RecordStore):
    """Tables `fsdf_record` and `fsdf_record_count`, created at first use, in SQLite, PostgreSQL, MySQL or MariaDB.

    Of a task's id, a queue's name and an error's type the first 512 bytes are kept.

    Args:
        url: sqlite:///path, postgresql://…, mysql://… or mariadb://….

    Raises:
        ConfigurationError: the URL is not valid.
        MissingDependency: the driver is not installed (at first use).
        StateUnavailable: the server is not reachable (at first use and later).
        StateError: the database refuses.
    """

    def __init__(self, url: str) -> None:
        parsed = parse(url, "record store")
        self._layout = _LAYOUTS[parsed.get_backend_name()]()
        self._database = Database(parsed, self._layout, "record store", "FSDF_RECORDS_URL")

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:  # noqa: ARG003 - nothing to configure
        """Build the store."""
        return cls(url)

    def write(self, records: Sequence[Row], counts: Sequence[Count] = (), successes: SuccessRows | None = None) -> None:
        """Write all in one transaction."""
        sums = rows.count_rows(counts, tuple(STEPS))
        if records or successes or sums:
            self._database.run(lambda cursor: self._layout.write_all(cursor, records, successes, sums))

    def find(self, query: RecordQuery) -> Page:
        """Search along the index that fits best."""
        if not 1 <= query.limit <= _MOST:
            raise ConfigurationError(f"a page of records has 1 to {_MOST}, not {query.limit}")
        after = None if query.cursor is None else parse_cursor(query.cursor)
        search = Search(query, self._layout)
        last = self._last_scanned(search, after) if search.bounded else None
        found = self._ask(search.page(rows.LISTED, query.limit + 1, after, last))
        records = [rows.record(rows.LISTED, each) for each in found[: query.limit]]
        if len(found) > query.limit:
            return Page(records, str(Cursor(records[-1].moment, records[-1].task_id)))
        return Page(records) if last is None else Page(records, str(last), last.moment)

    def get(self, task_id: str) -> TaskRecord | None:
        """Look up."""
        statement = f"SELECT {', '.join(rows.WHOLE)} FROM fsdf_record WHERE task_id = {self._layout.mark}"  # noqa: S608
        found = self._ask((statement, [name(task_id)]))
        return rows.record(rows.WHOLE, found[0]) if found else None

    def how_many(self, query: RecordQuery, most: int = 10_000) -> int:
        """Count along the index."""
        search = Search(query, self._layout)
        last = self._last_scanned(search, None) if search.bounded else None
        return int(self._ask(search.how_many(most, last))[0][0])

    def queues(self) -> list[str]:
        """Ask the counts of days."""
        found = self._ask((f"SELECT DISTINCT queue FROM fsdf_record_count WHERE step = {max(STEPS)}", []))  # noqa: S608
        return sorted(queue.decode() if isinstance(queue, bytes) else queue for (queue,) in found)

    def counts(self, queue: str | None, since: float, until: float, step: int) -> list[Count]:
        """Sum the steps that are kept."""
        kept = max((length for length in STEPS if step > 0 and step % length == 0), default=0)
        if not kept:
            raise ConfigurationError(f"a step is a positive multiple of a second, not {step}")
        mark = self._layout.mark
        named = "" if queue is None else f"AND queue = {mark}"
        modulo = "%" if mark == "?" else "%%"
        start = f"second - second {modulo} {step}"
        sums = ", ".join(f"{'max' if number == 'backlog' else 'sum'}({number})" for number in rows.NUMBERS)
        statement = f"""SELECT queue, {start}, {sums} FROM fsdf_record_count
            WHERE step = {mark} AND second >= {mark} AND second < {mark} {named}
            GROUP BY queue, {start} ORDER BY queue, {start}"""  # noqa: S608 - numbers and names of ours
        first = -(-since // step) * step
        end = -(-until // step) * step
        values = [kept, first, end, *([] if queue is None else [name(queue)])]
        return [rows.count(each, step) for each in self._ask((statement, values))]

    def prune(self, now: float, limit: int = 1000) -> int:
        """Delete records, then counts."""
        mark = self._layout.mark
        statement = f"DELETE FROM fsdf_record_count WHERE step = {mark} AND second < {mark}"  # noqa: S608

        def work(cursor: Any) -> int:
            for step, kept in STEPS.items():
                cursor.execute(statement, (step, now - kept))
            return self._layout.prune(cursor, now, limit)

        return self._database.run(work)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def _last_scanned(self, search: Search, after: Cursor | None) -> Cursor | None:
        found = self._ask(search.last_scanned(self.scanned, after))
        if not found:
            return None
        moment, task_id = found[0]
        return Cursor(moment, task_id.decode() if isinstance(task_id, bytes) else task_id)

    def _ask(self, question: tuple[str, list[Any]]) -> list[Row]:
        statement, values = question

        def work(cursor: Any) -> list[Row]:
            cursor.execute(statement, self._layout.taken(values))
            return list(cursor.fetchall())

        return self._database.run(work, write=False, again=True)
