"""What every record store must do.

Subclass `RecordConformance` in a test module, with a fixture `records_url`: the URL of an empty store.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fsdf_core import registry
from fsdf_core.errors import ConfigurationError
from fsdf_core.records import Attempt, Count, RecordQuery, TaskRecord
from fsdf_core.settings import Settings
from fsdf_core.success_rows import SuccessRows
from fsdf_core.testing.record_counts import RecordCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_core.records import RecordStore


def done(number: int, **fields: object) -> TaskRecord:
    """Return a success that ended at second `number`."""
    record = TaskRecord(f"t{number:06}", "q", "f", "success", number - 2.0, number - 1.0, float(number), 1)
    return replace(record, **fields)  # type: ignore[arg-type] # tests name them


WHOLE = TaskRecord(
    task_id="0198-x",
    queue="orders ✓",
    function="ship",
    status="failure",
    published=1.5,
    started=2.25,
    finished=3.75,
    attempts=2,
    timeline=(Attempt(1.75, 2.0, "OSError: gone"), Attempt(2.25, 3.75, "ValueError: no")),
    arguments={"x": 1, "user": {"id": 5, "tags": ["new", None], "ok": True}, "text": "naïve \U0001f600 'quoted\" 100%"},
    extra={"task_id": "0198-x", "publish_time": 1.5},
    result={"a": [1, 2.5, None]},
    error_type="ValueError",
    error="no\0pe",
    traceback="Traceback …\n  line",
    worker="w1",
    host="box",
    process=4_000_000_000,
    thread=140_000_000_000_000,
    script="/srv/app.py",
    context={"mine": 1},
    expires=1e10,
)


QUERIES: list[tuple[RecordQuery, list[int]]] = [
    (RecordQuery(queue="b"), [7, 1]),
    (RecordQuery(status="failure"), [8, 7, 2]),
    (RecordQuery(status="success", queue="b"), [1]),
    (RecordQuery(queue="b", status="failure"), [7]),
    (RecordQuery(error_type="OSError"), [8, 7]),
    (RecordQuery(error_type="OSError", queue="b", status="failure"), [7]),
    (RecordQuery(task_id="t000003"), [3]),
    (RecordQuery(task_id="t000003", queue="b"), []),
    (RecordQuery(since=3, until=6), [5, 4, 3]),
    (RecordQuery(queue="q", since=3, until=6, limit=2), [5, 4]),
    (RecordQuery(text="NEEDLE_9%"), [5]),
    (RecordQuery(text='say "hi"'), [4]),
    (RecordQuery(text="disk is full"), [8]),
    (RecordQuery(text="x", queue="b"), [7]),
    (RecordQuery(min_seconds=3), [9]),
    (RecordQuery(min_seconds=1, max_seconds=1.5, until=3), [2, 1, 0]),
    (RecordQuery(arguments={"user.id": "5"}), [6, 3]),
    (RecordQuery(arguments={"user.id": "5", "tags[1]": "new"}), [6]),
    (RecordQuery(arguments={"ok": "true"}), [3]),
    (RecordQuery(arguments={"none": "null"}), [3]),
]
"""What is asked of the records of `_some_of_each`, with the numbers of those that are to be found."""
NONSENSE = [
    RecordQuery(limit=0),
    RecordQuery(limit=1001),
    RecordQuery(cursor="nonsense"),
    RecordQuery(cursor="nan~x"),
    RecordQuery(status="sucess"),
    RecordQuery(arguments={"[0]": "x"}),
    RecordQuery(arguments={"": "x"}),
    RecordQuery(arguments={"a[": "x"}),
    RecordQuery(arguments={'"a"': "x"}),
    RecordQuery(arguments={"a\\": "x"}),
]


class RecordConformance(RecordCounts):
    """Records: saved, found along each way, page by page, pruned."""

    @pytest.fixture
    def store(self, records_url: str) -> Iterator[RecordStore]:
        """Return the store under test."""
        store = registry.records.get(records_url.partition(":")[0]).from_url(records_url, Settings())
        yield store
        store.close()

    def test_nothing_is_there(self, store: RecordStore) -> None:
        store.save([])
        assert store.get("t") is None
        assert store.find(RecordQuery()).records == []
        assert store.how_many(RecordQuery(text="x")) == 0
        assert store.queues() == []
        assert store.counts(None, 0, 1e10, 60) == []
        assert store.prune(1e10) == 0

    def test_every_field_comes_back(self, store: RecordStore) -> None:
        store.save([WHOLE])
        assert store.get("0198-x") == replace(WHOLE, error="no\ufffdpe")
        (listed,) = store.find(RecordQuery()).records
        left_out: dict[str, object] = {"timeline": (), "extra": {}, "result": None, "traceback": "", "context": {}}
        assert listed == replace(WHOLE, error="no\ufffdpe", **left_out)  # type: ignore[arg-type] # as above

    def test_what_did_not_run(self, store: RecordStore) -> None:
        record = TaskRecord("t", "q", "f", "dropped", None, None, 5.0, error="expired")
        running = TaskRecord("u", "q", "f", "running", 1.0, 6.0, None, 1)
        store.save([record, running])
        assert store.find(RecordQuery()).records == [running, record]
        assert running.seconds is None

    def test_a_later_record_replaces(self, store: RecordStore) -> None:
        store.save([done(1, status="running", finished=None)])
        store.save([done(1, status="failure", error_type="OSError"), done(1)])
        assert store.find(RecordQuery()).records == [done(1)]
        assert store.how_many(RecordQuery(status="failure")) == 0

    def test_a_belated_record_does_not_replace(self, store: RecordStore) -> None:
        belated = done(2, status="requeued", finished=1.5, error_type="OSError")
        store.save([done(2)])
        store.save([belated])
        store.save([done(3), replace(belated, task_id="t000003")])
        assert store.find(RecordQuery()).records == [done(3), done(2)]
        store.save([done(2, worker="again")])
        assert store.find(RecordQuery()).records == [done(3), done(2, worker="again")]

    def test_successes_are_written_as_any_record(self, store: RecordStore) -> None:
        count = 1208
        shared = ("q ✓", "ship", "w1", "box", 4_000_000_000, "/srv/app.py", 1e10)
        values: list[object] = []
        for number in range(count):
            argument = '{"x":"naïve \U0001f600"}' if number == 7 else f'{{"x":{number}}}'
            end = number + 3.0
            values += (f"s{number:06}", None if number == 3 else 1.5, end - 1.0, end, argument)
            values += (140_000_000_000_000, '{"result":[1,2.5]}' if number == 9 else "{}")
        store.save([done(5, task_id="s000005", status="running", finished=None), done(9000, task_id="s000006")])
        store.write([], [Count("q ✓", 60, successes=count)], SuccessRows(shared, values))
        assert store.how_many(RecordQuery(queue="q ✓")) == count - 1
        told = {
            "published": 1.5,
            "started": 9.0,
            "finished": 10.0,
            "attempts": 1,
            "arguments": {"x": "naïve \U0001f600"},
        }
        told |= {"worker": "w1", "host": "box", "process": 4_000_000_000, "thread": 140_000_000_000_000}
        seventh = TaskRecord("s000007", "q ✓", "ship", "success", **told, script="/srv/app.py", expires=1e10)  # type: ignore[arg-type] # named by hand
        assert store.get("s000007") == seventh
        third, fifth, later, ninth = (store.get(f"s{number:06}") for number in (3, 5, 6, 9))
        assert third is not None
        assert third.published is None
        assert fifth is not None
        assert (fifth.status, fifth.finished) == ("success", 8.0)
        assert later == done(9000, task_id="s000006")
        assert ninth is not None
        assert ninth.result == [1, 2.5]
        newest = [record.task_id for record in store.find(RecordQuery(limit=3)).records]
        assert newest == ["s000006", f"s{count - 1:06}", f"s{count - 2:06}"]

    def test_names_of_any_length_and_kind(self, store: RecordStore) -> None:
        long = "ü" * 600
        for task_id in (long, "A", "a", "a ", "%", "'", "~1~"):
            store.save([done(3, task_id=task_id, queue=task_id)])
        found = store.get(long)
        assert found is not None
        assert long.startswith(found.task_id)
        assert store.find(RecordQuery(queue=long)).records == [found]
        for task_id in ("A", "a", "a ", "%", "'", "~1~"):
            (record,) = store.find(RecordQuery(queue=task_id)).records
            assert record.task_id == task_id

    def test_pages_are_whole_and_newest_first(self, store: RecordStore) -> None:
        # Every other record has the same moment as the one before.
        records = [done(n, finished=float(n // 2)) for n in range(25)]
        store.save(records)
        found: list[TaskRecord] = []
        cursor = None
        for _ in range(4):
            page = store.find(RecordQuery(limit=7, cursor=cursor))
            found += page.records
            cursor = page.next
        assert cursor is None
        assert found == records[::-1]

    def test_a_page_stays_in_place_while_newer_ones_come(self, store: RecordStore) -> None:
        store.save([done(n) for n in range(10)])
        first = store.find(RecordQuery(limit=5))
        store.save([done(n) for n in range(10, 20)])
        second = store.find(RecordQuery(limit=5, cursor=first.next))
        assert [record.finished for record in (*first.records, *second.records)] == list(range(9, -1, -1))

    def test_queries(self, store: RecordStore) -> None:
        store.save(_some_of_each())
        for query, numbers in QUERIES:
            assert [record.finished for record in store.find(query).records] == numbers, query
            if query.limit == RecordQuery().limit:
                assert store.how_many(query) == len(numbers), query

    def test_a_search_without_an_index_ends(self, store: RecordStore) -> None:
        oldest = done(0, arguments={"text": "needle"})
        store.save([oldest])
        store.scanned = 200
        store.save([done(n) for n in range(1, 300)])
        page = store.find(RecordQuery(text="needle"))
        assert page.records == []
        assert page.reached is not None
        assert page.reached == 100
        assert store.how_many(RecordQuery(text="needle")) == 0
        rest = store.find(RecordQuery(text="needle", cursor=page.next))
        assert (rest.records, rest.next) == ([oldest], None)
        assert store.how_many(RecordQuery(), most=50) == 50

    def test_questions_without_sense(self, store: RecordStore) -> None:
        for query in NONSENSE:
            with pytest.raises(ConfigurationError):
                store.find(query)

    def test_any_path_is_harmless(self, store: RecordStore) -> None:
        store.save([done(1, arguments={"a": 1})])
        for path in ("a'b", "a b", "%s", "{}", "a-b", "a$b", "*", "a?b", "a b.c:d"):
            assert store.find(RecordQuery(arguments={path: "' OR 1=1 --"})).records == [], path

    def test_expired_records_go_little_by_little(self, store: RecordStore) -> None:
        store.save([done(n, expires=float(n)) for n in range(1, 8)])
        store.save([done(100)])
        assert store.prune(5.0, limit=3) == 3
        assert store.prune(5.0, limit=3) == 2
        assert store.prune(5.0) == 0
        assert [record.finished for record in store.find(RecordQuery()).records] == [100, 7, 6]

    def test_many_writers(self, store: RecordStore) -> None:
        failures: list[BaseException] = []

        def write(writer: int) -> None:
            try:
                for turn in range(5):
                    shared = [done(n, worker=str(writer)) for n in range(20)]
                    own = [done(1000 * writer + 100 * turn + n) for n in range(20)]
                    store.save([*own, *shared], [Count("q", 60 + n, successes=1) for n in (writer, 3, 1)])
            except BaseException as error:  # noqa: BLE001 - shown below
                failures.append(error)

        threads = [threading.Thread(target=write, args=(n,), name=f"fsdf-writer-{n}") for n in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failures == []
        assert store.how_many(RecordQuery()) == 420
        (count,) = store.counts("q", 0, 3600, 60)
        assert count.successes == 60


def _some_of_each() -> list[TaskRecord]:
    failed = {"status": "failure", "error_type": "OSError"}
    return [
        done(0),
        done(1, queue="b"),
        done(2, status="failure", error_type="ValueError"),
        done(3, arguments={"user": {"id": 5}, "ok": True, "none": None}),
        done(4, arguments={"text": 'they say "hi" to'}),
        done(5, arguments={"deep": ["a needle_9% in hay"]}),
        done(6, arguments={"user": {"id": "5"}, "tags": ["old", "new"]}),
        done(7, queue="b", arguments={"y": "x"}, **failed),
        done(8, error="the Disk is full", **failed),
        done(9, started=5.0, arguments={"deep": ["a needle-9_ in hay"]}),
    ]
