"""What becomes of tasks is recorded, whatever the tasks and the store do."""

import logging
import threading
import time
from functools import partial

import pytest

from fsdf_brokers.records.sql import SQLRecordStore
from fsdf_control.dead_letter import DeadLetterOnRequest
from fsdf_control.expire import Expire
from fsdf_control.record_builder import RecordBuilder
from fsdf_control.record_writer import RecordWriter
from fsdf_control.records import Records
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_control.timeout import Timeout
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.errors import ExceptionForPushToDlxqueue, ExceptionForRequeue, StateError, StateUnavailable
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.records import RecordQuery, TaskRecord
from fsdf_core.testing.fitting import FittingConsumer
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor, SoloExecutor

LONG = 60


class Faulty(SQLRecordStore):
    """A real store that can be made to fail."""

    trouble = None

    def write(self, records, counts=(), successes=None):
        if self.trouble is not None:
            raise self.trouble
        super().write(records, counts, successes)


@pytest.fixture
def store(tmp_path):
    store = Faulty(f"sqlite:///{(tmp_path / 'records.sqlite').as_posix()}")
    yield store
    store.close()


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor, AsyncPool])
def pool(request):
    with request.param(max_workers=4) as pool:
        yield pool


@pytest.fixture
def threads():
    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        yield pool


@pytest.fixture
def consume(store):
    """Return a function that starts a consumer with records of what is published."""
    started = []

    def start(task, pool, messages, *controls, batch=None, serialize=True, **options):
        queue = MemoryBroker().queue("q", serialize=serialize)
        Publisher(queue).publish_many(messages)
        rules = [Records(lambda: store, "task", **options), *controls]
        consumer = FittingConsumer(task, queue=queue, pool=pool, controls=rules, batch=batch)
        consumer.start()
        started.append(consumer)
        return consumer

    yield start
    for consumer in started:
        consumer.stop(5)


def found(store, count, **query):
    """Wait until so many records are there, and return them by x."""
    query = RecordQuery(limit=1000, **query)
    assert wait_until(lambda: store.how_many(query) >= count, LONG)
    return {record.arguments.get("x"): store.get(record.task_id) for record in store.find(query).records}


def test_each_end_is_recorded(store, pool, consume):
    def task(x):
        if x == 2:
            raise ValueError("two\0")
        if x == 3:
            raise ExceptionForPushToDlxqueue("three")
        return {"twice": 2 * x}

    old = ({"x": 4}, {"publish_time": time.time() - 100})
    begun = time.time()
    consume(task, pool, [{"x": 1}, {"x": 2}, {"x": 3}, old], Expire(60), DeadLetterOnRequest(), Retry(2), results=True)
    records = found(store, 4)
    one, two, three, four = (records[x] for x in (1, 2, 3, 4))
    assert (one.status, one.result, one.attempts, one.error) == ("success", {"twice": 2}, 1, "")
    assert begun - 1 <= one.published <= one.started <= one.finished <= time.time()
    assert (one.queue, one.function, one.timeline, one.extra) == ("q", "task", (), {})
    assert one.thread
    assert one.expires == pytest.approx(one.finished + 7 * 86_400, abs=60)
    assert (two.status, two.attempts, two.error_type, two.error) == ("failure", 3, "ValueError", "two\ufffd")
    assert [run.error for run in two.timeline] == ["ValueError: two\ufffd"] * 3
    assert "in task" in two.traceback
    assert three.status == "dead-letter"
    assert (four.status, four.started, four.attempts) == ("dropped", None, 0)
    assert "expired" in four.error
    (count,) = store.counts("q", 0, 1e11, 86_400)
    assert (count.successes, count.failures, count.dropped, count.retries, count.runs) == (1, 2, 1, 2, 5)


def test_a_task_that_goes_back_is_recorded_until_its_end(store, threads, consume):
    again, gone_back = threading.Event(), threading.Event()

    def task(x):
        if not again.is_set():
            gone_back.set()
            raise ExceptionForRequeue("later")
        return x

    consume(task, threads, [{"x": 1}], Requeue(0.2))
    assert gone_back.wait(LONG)
    assert found(store, 1, status="requeued")[1].error_type == "ExceptionForRequeue"
    again.set()
    assert found(store, 1, status="success")[1].result is None


def test_a_long_run_is_recorded_while_it_runs(store, threads, consume):
    end = threading.Event()
    consumer = consume(lambda x: end.wait(LONG), threads, [{"x": 1}])
    record = found(store, 1, status="running")[1]
    assert (record.finished, record.seconds, record.attempts) == (None, None, 1)
    end.set()
    assert found(store, 1, status="success")[1].seconds > 0
    assert consumer.stop(LONG)


def test_a_run_that_was_given_up(store, threads, consume):
    end = threading.Event()

    def task(x):
        while not end.wait(0.01):
            pass

    consume(task, threads, [{"x": 1}], Timeout(0.2), Retry(0))
    record = found(store, 1, status="failure")[1]
    end.set()
    assert record.error_type == "TaskTimeout"
    assert record.seconds > 0


def test_calls_of_a_batch_have_records_of_their_own(store, pool, consume):
    def task(calls):
        return [ValueError("odd") if call["x"] % 2 else call["x"] for call in calls]

    consume(task, pool, [{"x": x} for x in range(6)], Retry(0), batch=Batch(3, 0.1), results=True)
    records = found(store, 6)
    assert [records[x].status for x in range(6)] == ["success", "failure"] * 3
    assert [records[x].result for x in range(6)] == [0, None, 2, None, 4, None]
    assert all(record.seconds is not None for record in records.values())


def test_secrets_are_masked(store, threads, consume):
    seen = []
    message = {"x": 1, "Password": "p4", "user": {"api-key": "p4", "pins": [{"pin": 4, "name": "ann"}]}}
    consume(lambda **given: seen.append(given), threads, [message], mask_arguments=["pin"])
    record = found(store, 1)[1]
    masked = {"api-key": "***", "pins": [{"pin": "***", "name": "ann"}]}
    assert record.arguments == {"x": 1, "Password": "***", "user": masked}
    assert seen == [message]


def test_tasks_go_on_without_the_store(store, threads, consume, caplog):
    caplog.set_level(logging.INFO)
    store.trouble = StateUnavailable("the record store is away")
    gate = threading.Event()
    consumer = consume(lambda x: x != 5 or gate.wait(LONG), threads, [{"x": x} for x in range(50)])
    assert wait_until(lambda: consumer.finished >= 49, LONG)
    assert wait_until(lambda: "records cannot be written now, tasks go on" in caplog.text, LONG)
    gate.set()
    assert wait_until(lambda: consumer.finished == 50, LONG)
    store.trouble = None
    assert len(found(store, 50)) == 50
    assert wait_until(lambda: "records are written again; 0 were lost" in caplog.text, LONG)
    assert caplog.text.count("tasks go on") == 1


def test_what_finds_no_room_is_lost_and_counted(store, threads, consume, caplog, monkeypatch):
    monkeypatch.setattr("fsdf_control.record_writer.ROOM", 30)
    monkeypatch.setattr("fsdf_control.record_writer.PATIENCE", 0.05)
    store.trouble = StateUnavailable("the record store is away")
    consumer = consume(lambda x: x, threads, [{"x": x} for x in range(500)])
    assert wait_until(lambda: consumer.finished == 500, LONG)
    assert wait_until(lambda: "records cannot be written now" in caplog.text, LONG)
    store.trouble = None
    assert wait_until(lambda: "records are written again" in caplog.text, LONG)
    assert consumer.stop(LONG)
    lost = sum(record.args[1] for record in caplog.records if "lost" in record.msg)
    assert lost > 0
    assert store.how_many(RecordQuery()) + lost == 500


def test_more_than_finds_room_at_a_time_is_written_all_the_same(store, monkeypatch):
    monkeypatch.setattr("fsdf_control.record_writer.ROOM", 30)
    monkeypatch.setattr("fsdf_control.record_writer.BATCH", 5)
    builder = RecordBuilder("q", "f", "w", None, results=False, masked=())
    messages = [Message({"x": x}, {"task_id": f"t{x}", "publish_time": 1.0}) for x in range(400)]
    rows = [builder.ended(message, 2.0) for message in messages[:200]]
    for message in messages[200:]:
        message.began, message.ended, message.thread = 1.5, 2.0, 7
    writer = RecordWriter("q", store, list, list, builder.shared, logging.getLogger("fsdf.control"))
    writer.start()
    writer.put(rows)
    writer.put_successes([value for message in messages[200:] for value in builder.success(message)])
    writer.close(LONG)
    assert store.how_many(RecordQuery()) == 400


def test_a_store_that_refuses_costs_its_records_only(store, threads, consume, caplog):
    store.trouble = StateError("the table is of another kind")
    consumer = consume(lambda x: x, threads, [{"x": 1}])
    assert wait_until(lambda: "another kind" in caplog.text, LONG)
    store.trouble = None
    Publisher(consumer.queue).publish({"x": 2})
    assert list(found(store, 1)) == [2]
    assert wait_until(lambda: "written again; 1 were lost" in caplog.text, LONG)


def test_stopping_writes_what_is_left(store, threads, consume):
    consumer = consume(lambda x: x, threads, [{"x": x} for x in range(3000)])
    assert wait_until(lambda: consumer.finished == 3000, LONG)
    assert consumer.stop(LONG)
    assert store.how_many(RecordQuery()) == 3000
    consumer.start()  # and it can be started again
    Publisher(consumer.queue).publish({"x": -1})
    found(store, 3001)


def test_stopping_does_not_wait_for_a_lost_store(store, threads, consume, caplog, monkeypatch):
    monkeypatch.setattr("fsdf_control.records._FLUSH", 0.1)
    store.trouble = StateUnavailable("the record store is away")
    consumer = consume(lambda x: x, threads, [{"x": x} for x in range(10)])
    assert wait_until(lambda: consumer.finished == 10, LONG)
    assert consumer.stop(LONG)
    assert "10 record(s) are lost" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name == "fsdf-records-q"]


def test_expired_records_are_deleted(store, threads, consume, monkeypatch):
    monkeypatch.setattr("fsdf_control.record_writer._PRUNE_EVERY", 1.0)
    consume(lambda x: x, threads, [{"x": 1}], keep=0.5)
    found(store, 1)
    assert wait_until(lambda: store.how_many(RecordQuery()) == 0, LONG)


def test_the_backlog_is_counted(store, threads, consume):
    end = threading.Event()
    consume(lambda x: end.wait(LONG), threads, [{"x": x} for x in range(100)])
    day = partial(store.counts, "q", 0, 1e11, 86_400)
    assert wait_until(lambda: any(count.backlog for count in day()), LONG)
    end.set()


def test_records_are_kept_for_some_time():
    with pytest.raises(ValueError, match="0 seconds"):
        Records(lambda: None, keep=0)


def test_old_records_go_as_fast_as_new_ones_come(store, threads, consume, monkeypatch):
    monkeypatch.setattr("fsdf_control.record_writer._PRUNED_AT_ONCE", 100)
    monkeypatch.setattr("fsdf_control.record_writer._PRUNE_EVERY", 1.0)
    begun = time.time()
    store.save([TaskRecord(f"old {n}", "q", "f", "success", 1.0, expires=2.0) for n in range(200)])
    consume(lambda x: x, threads, [{"x": 1}])
    assert wait_until(lambda: store.how_many(RecordQuery(until=begun)) == 0, LONG)
    found(store, 1)


def test_a_store_that_is_too_slow_costs_records_in_the_end(store, threads, consume, caplog, monkeypatch):
    monkeypatch.setattr("fsdf_control.record_writer.ROOM", 10)
    monkeypatch.setattr("fsdf_control.record_writer.PATIENCE", 0.05)
    gate = threading.Event()
    write = store.write

    def slow(*what):
        gate.wait(LONG)
        write(*what)

    monkeypatch.setattr(store, "write", slow)
    consumer = consume(lambda x: x, threads, [{"x": x} for x in range(300)])
    assert wait_until(lambda: consumer.finished == 300, LONG)
    gate.set()
    assert wait_until(lambda: "are lost: the record store is slower than the tasks" in caplog.text, LONG)
    assert consumer.stop(LONG)
    assert 0 < store.how_many(RecordQuery()) < 300
