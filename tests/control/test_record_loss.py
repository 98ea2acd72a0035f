"""A record store that dies while tasks run, and comes back."""

import logging

import pytest

from fsdf_brokers.records.mongodb import MongoRecordStore
from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_control.records import Records
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ConfigurationError, StateUnavailable
from fsdf_core.publisher import Publisher
from fsdf_core.records import RecordQuery
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor

LONG = 60


@pytest.fixture(params=["postgres", "mongodb"])
def server(request):
    return request.getfixturevalue(f"launch_{request.param}")()


def opened(server):
    url = server.database()
    return (MongoRecordStore if url.startswith("mongodb") else SQLRecordStore)(url)


def test_tasks_go_on_and_what_waited_is_recorded_later(server, caplog):
    caplog.set_level(logging.INFO)
    store = opened(server)
    queue = MemoryBroker().queue("q", serialize=True)
    publisher = Publisher(queue)
    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        consumer = Consumer(lambda x: x, queue=queue, pool=pool, controls=[Records(lambda: store)])
        publisher.publish_many({"x": x} for x in range(100))
        consumer.start()
        assert wait_until(lambda: store.how_many(RecordQuery()) == 100, LONG)
        server.kill()
        publisher.publish_many({"x": x} for x in range(100, 200))
        assert wait_until(lambda: consumer.finished == 200, LONG)
        assert wait_until(lambda: "records cannot be written now, tasks go on" in caplog.text, LONG)
        server.start()

        def all_there():
            try:
                return store.how_many(RecordQuery()) == 200
            except StateUnavailable:
                return False

        assert wait_until(all_there, LONG)
        assert wait_until(lambda: "records are written again; 0 were lost" in caplog.text, LONG)
        assert consumer.stop(LONG)
    assert caplog.text.count("tasks go on") == 1
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:p4ss@127.0.0.1:9/x",
        "mysql://me:p4ss@127.0.0.1:9/x",
        "mongodb://me:p4ss@127.0.0.1:9/x?serverSelectionTimeoutMS=200",
    ],
)
def test_a_server_that_is_not_there(url):
    store = (MongoRecordStore if url.startswith("mongodb") else SQLRecordStore)(url)
    with pytest.raises(StateUnavailable, match="FSDF_RECORDS_URL") as caught:
        store.find(RecordQuery())
    assert "p4ss" not in str(caught.value)
    store.close()


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+asyncpg://host/x", "sqlserver://host/x"])
def test_urls_of_no_record_store(url):
    with pytest.raises(ConfigurationError):
        SQLRecordStore(url)
