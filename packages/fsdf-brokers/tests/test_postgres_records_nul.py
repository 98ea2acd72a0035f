"""PostgreSQL's text holds no NUL; ids and names of foreign messages may."""

from __future__ import annotations

import pytest

from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_core.records import Count, RecordQuery, TaskRecord

NAME = "a\0b"
MARKED = "a\ufffdb"


@pytest.fixture
def store(postgres_url):
    store = SQLRecordStore(postgres_url)
    yield store
    store.close()


@pytest.mark.parametrize(
    "query",
    [
        RecordQuery(task_id=NAME),
        RecordQuery(queue=NAME),
        RecordQuery(error_type=NAME),
        RecordQuery(text=NAME),
        RecordQuery(arguments={NAME: NAME}),
        RecordQuery(queue=NAME, status="failure", cursor=f"2e9~{NAME}"),
    ],
)
def test_searching_for_it_in_an_empty_store(store, query):
    assert store.find(query).records == []
    assert store.how_many(query) == 0


def test_it_is_stored_as_another_sign(store):
    record = TaskRecord(NAME, NAME, "f", "failure", 1e9, 1e9, 1e9, arguments={"x": NAME}, error_type=NAME, error=NAME)
    store.save([record], [Count(NAME, 10**9, failures=1)])
    assert store.get(NAME).task_id == MARKED
    for query in (RecordQuery(queue=NAME), RecordQuery(error_type=NAME), RecordQuery(arguments={"x": NAME})):
        assert [found.task_id for found in store.find(query).records] == [MARKED]
    assert store.queues() == [MARKED]
    assert store.counts(NAME, 1e9, 1e9 + 1, 1)[0].failures == 1
