"""Questions to many records: each goes along an index, however many there are.

FSDF_TEST_RECORDS sets how many, 100 000 by default; with 1 000 000 the questions are timed, too.
"""

import os
import time

import pytest

from fsdf_brokers.records.cursor import Cursor
from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_brokers.records.sql.search import Search
from fsdf_core.records import Count, RecordQuery, RecordStore

RECORDS = int(os.environ.get("FSDF_TEST_RECORDS", "100000"))
BEGIN = 1e9
FILL = f"""INSERT INTO fsdf_record
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {RECORDS - 1})
SELECT printf('t%09d', i), 'queue' || (i % 10), 'task', CASE WHEN i % 1000 = 7 THEN 'failure' ELSE 'success' END,
{BEGIN} + i / 100.0, {BEGIN} + i / 100.0 - 2, {BEGIN} + i / 100.0 - 1, {BEGIN} + i / 100.0, (i % 100) / 10.0, 1,
json_object('x', i, 'user', json_object('id', i % 5000)), CASE WHEN i % 1000 = 7 THEN 'OSError' ELSE '' END, '',
'worker', 'host', 1, 1, 'script', 2e9 + i, '{{"result":null}}' FROM n"""
QUESTIONS = {
    "newest": (RecordQuery(), "fsdf_record_newest"),
    "queue": (RecordQuery(queue="queue3"), "fsdf_record_queue"),
    "failures": (RecordQuery(status="failure"), "fsdf_record_status"),
    "failures of a queue": (RecordQuery(queue="queue7", status="failure"), "fsdf_record_queue_status"),
    "successes": (RecordQuery(status="success"), "fsdf_record_newest"),
    "none": (RecordQuery(queue="queue3", status="failure"), "fsdf_record_queue_status"),
    "error": (RecordQuery(error_type="OSError"), "fsdf_record_error"),
    "error elsewhere": (RecordQuery(error_type="OSError", queue="queue3"), "fsdf_record_error"),
    "text": (RecordQuery(text="nowhere"), "fsdf_record_newest"),
    "text in a queue": (RecordQuery(queue="queue3", text="nowhere"), "fsdf_record_queue"),
    "path": (RecordQuery(arguments={"user.id": "nobody"}), "fsdf_record_newest"),
    "seconds": (RecordQuery(min_seconds=100), "fsdf_record_newest"),
    "time": (RecordQuery(since=BEGIN + 300, until=BEGIN + 360), "fsdf_record_newest"),
    "task": (RecordQuery(task_id="t000012345"), "task_id=?"),
}

WITHOUT_IDS = {"fsdf_record_newest", "fsdf_record_queue"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    file = tmp_path_factory.mktemp("records") / "records.sqlite"
    store = SQLRecordStore(f"sqlite:///{file.as_posix()}")
    store._database.run(lambda cursor: cursor.execute(FILL))
    hours = range(int(BEGIN) // 3600 * 3600, int(BEGIN) // 3600 * 3600 + 100 * 3600, 3600)
    store.save([], [Count(f"queue{n}", second, successes=1) for second in hours for n in range(10)])
    yield store
    store.close()


def plan(store, statement):
    return "\n".join(row[3] for row in store._ask((f"EXPLAIN QUERY PLAN {statement[0]}", statement[1])))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_goes_along_an_index(store, question):
    query, index = QUESTIONS[question]
    search = Search(query, store._layout)
    place = Cursor(BEGIN + 500, "t000050000")
    for statement in (
        search.page(["task_id", "arguments"], 101, place, None),
        search.page(["task_id", "arguments"], 101, None, place),
        search.last_scanned(store.scanned, place),
        search.how_many(10_000, None),
    ):
        steps = plan(store, statement)
        assert index in steps
        # Nothing is sorted, but by the indexes without ids what is of one moment.
        assert ("TEMP B-TREE FOR ORDER BY" if index in WITHOUT_IDS else "TEMP B-TREE") not in steps


def test_records_of_one_moment_are_paged_in_order(tmp_path):
    store = SQLRecordStore(f"sqlite:///{(tmp_path / 'records.sqlite').as_posix()}")
    try:
        store._database.run(lambda cursor: cursor.execute(FILL.replace("i / 100.0", f"i % {RECORDS // 5000}")))
        found, place = [], None
        while len(found) < RECORDS // 10:
            page = store.find(RecordQuery(queue="queue0", limit=500, cursor=place))
            found += [(record.moment, record.task_id) for record in page.records]
            place = page.next
        assert found == sorted(found, reverse=True)
        assert len(set(found)) == len(found)
    finally:
        store.close()


def test_pruning_and_counts_go_along_an_index(store):
    delete = ("SELECT rowid FROM fsdf_record WHERE expires <= ? ORDER BY expires LIMIT ?", [1.0, 10])
    assert "fsdf_record_expires" in plan(store, delete)
    counts = ("SELECT * FROM fsdf_record_count WHERE step = ? AND second >= ? AND second < ?", [60, 0, 1])
    assert "PRIMARY KEY" in plan(store, counts)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_what_there_is(store, question):
    query, _ = QUESTIONS[question]
    page = store.find(query)
    expected = {"none": 0, "error elsewhere": 0, "text": 0, "text in a queue": 0, "path": 0, "seconds": 0, "task": 1}
    assert len(page.records) == expected.get(question, 100 if "failures" not in question else min(100, RECORDS // 1000))
    assert store.how_many(query) == min(10_000, {
        "none": 0, "error elsewhere": 0, "text": 0, "text in a queue": 0, "path": 0, "seconds": 0, "task": 1,
        "failures": RECORDS // 1000, "failures of a queue": RECORDS // 1000, "error": RECORDS // 1000,
        "queue": RECORDS // 10, "time": 6000, "successes": RecordStore.scanned - RecordStore.scanned // 1000,
    }.get(question, RECORDS))  # fmt: skip


if RECORDS >= 1_000_000:

    @pytest.mark.parametrize("question", QUESTIONS)
    def test_a_question_is_answered_at_once(store, question):
        query, _ = QUESTIONS[question]
        for ask in (store.find, store.how_many):
            seconds = []
            for _ in range(3):
                begun = time.perf_counter()
                ask(query)
                seconds.append(time.perf_counter() - begun)
            assert min(seconds) < 0.1


def test_charts_do_not_look_at_records(store):
    found = store.counts(None, BEGIN - 3600, BEGIN + 100 * 3600, 3600)
    assert len(found) == 10 * 100
    assert store.queues() == [f"queue{n}" for n in range(10)]
