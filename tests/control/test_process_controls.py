"""Controls around functions that run in child processes: every way to end, and the end of the consumer."""

import os
import sys
import threading
from collections import Counter

import pytest

from fsdf_control.dead_letter import DeadLetterOnRequest
from fsdf_control.kill import RemoteKill, kill
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_control.timeout import Timeout
from fsdf_core.batch import Batch
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import (
    ConfigurationError,
    EncodeError,
    TaskKilled,
    TaskTimeout,
)
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.waiting import wait_until
from fsdf_pools.process_pool import ProcessPool, UnpicklableError, WorkerDiedError

from .process_tasks import act, gather, noted, start_late, wait_a_little

PATIENCE = 60

on_sqlite = pytest.mark.parametrize("embedded", ["sqlite"], indirect=True)
on_memory = pytest.mark.parametrize("embedded", ["memory"], indirect=True)


class Endings(Control):
    """How tasks ended."""

    def __init__(self):
        self.outcomes = {}

    def on_settle(self, messages):
        for message in messages:
            self.outcomes[message.task_id] = message.outcome


@pytest.fixture(scope="module")
def processes():
    with ProcessPool(2, keep_alive=PATIENCE) as pool:
        yield pool


@on_sqlite
def test_every_way_to_end(embedded, processes, emptied, tmp_path):
    queue, log, endings = embedded.queue("q"), tmp_path / "log", Endings()
    whats = ["ok", "once more", "put back", "dead", "error", "lock", "exit", "segfault", "endless", "in C"]
    once = {"segfault", "endless"}
    Publisher(queue).publish_many(
        ({"log": str(log), "what": what}, {"task_id": what, "max_retry_times": 0 if what in once else 1})
        for what in whats
    )
    rules = [endings, Timeout(1), Requeue(), DeadLetterOnRequest(), Retry(1)]
    with Consumer(act, queue=queue, pool=processes, controls=rules) as consumer:
        consumer.start()
        assert emptied(queue, PATIENCE)
    runs = Counter(what for what, attempt, _ in noted(log) if attempt)
    assert runs == {what: 1 if what in once | {"ok", "dead"} else 2 for what in whats}
    assert os.getpid() not in {pid for _, _, pid in noted(log)}
    ended = endings.outcomes
    assert [ended[what].success for what in ("ok", "once more", "put back")] == [True] * 3
    assert ended["ok"].result == ["ok", "ok", "q"]
    errors = {"error": KeyError, "lock": UnpicklableError, "exit": WorkerDiedError, "segfault": WorkerDiedError}
    for what, kind in (errors | dict.fromkeys(("endless", "in C"), TaskTimeout)).items():
        assert type(ended[what].error) is kind, what
    if sys.platform == "linux":
        assert "in endless" in str(ended["endless"].error.__cause__)
        assert "in in_c" in str(ended["in C"].error.__cause__)
    assert [letter.task_id for letter in DeadLetters(queue).list()] == ["dead"]


@on_memory
def test_a_call_in_c_is_killed_from_afar_and_its_place_is_not_lost(embedded, processes, emptied, tmp_path):
    queue, log, store, endings = embedded.queue("q"), tmp_path / "log", MemoryStateStore(), Endings()
    rules = [endings, RemoteKill(store), Retry(3)]
    with Consumer(act, queue=queue, pool=processes, controls=rules) as consumer:
        consumer.start()
        Publisher(queue).publish_many(({"log": str(log), "what": "in C"}, {"task_id": x}) for x in "ab")
        assert wait_until(lambda: len(noted(log)) == 2, PATIENCE, 0.02)
        kill(store, "q", "a")
        kill(store, "q", "b")
        assert emptied(queue, PATIENCE)
        Publisher(queue).publish_many([{"log": str(log), "what": "ok"}] * 20)
        assert emptied(queue, PATIENCE)
    assert [type(endings.outcomes[x].error) for x in "ab"] == [TaskKilled] * 2
    assert len(noted(log)) == 22
    assert processes.max_workers == 2


@on_memory
def test_the_start_of_a_process_takes_nothing_from_a_tasks_time(embedded, emptied, tmp_path):
    queue, log, endings = embedded.queue("q"), tmp_path / "log", Endings()
    Publisher(queue).publish_many([{"log": str(log), "what": what} for what in ("exit", "ok")])
    with (
        ProcessPool(1, initializer=start_late) as pool,
        Consumer(act, queue=queue, pool=pool, controls=[endings, Timeout(0.9), Retry(1)]) as consumer,
    ):
        consumer.start()
        assert emptied(queue, PATIENCE)
    assert [(what, attempt) for what, attempt, _ in noted(log)] == [("exit", 1), ("exit", 2), ("ok", 1)]


@on_memory
def test_coroutines_run_in_the_child(embedded, processes, emptied, tmp_path):
    queue, log = embedded.queue("q"), tmp_path / "log"
    with Consumer(wait_a_little, queue=queue, pool=processes) as consumer:
        Publisher(queue).publish_many(({"log": str(log), "what": x}, {"task_id": x}) for x in "abc")
        consumer.start()
        assert emptied(queue, PATIENCE)
    assert sorted(noted(log)) == [[x] * 3 for x in "abc"]


@on_memory
def test_a_batch_that_kills_its_process_is_tried_one_by_one(embedded, processes, emptied, tmp_path):
    queue, endings = embedded.queue("q"), Endings()
    Publisher(queue).publish_many(({"x": x, "folder": str(tmp_path)}, {"task_id": str(x)}) for x in range(10))
    rules, batch = [endings, Retry(1)], Batch(10, 0.5)
    with Consumer(gather, queue=queue, pool=processes, controls=rules, batch=batch) as consumer:
        consumer.start()
        assert emptied(queue, PATIENCE)
    assert [endings.outcomes[str(x)].success for x in range(10)] == [x != 7 for x in range(10)]
    assert {path.name for path in tmp_path.iterdir() if path.name.isdigit()} >= set("012345689") - {"7"}


@on_sqlite
def test_what_runs_at_the_end_of_the_pool_is_given_back_and_has_not_failed(embedded, emptied, tmp_path, caplog):
    queue, log, endings = embedded.queue("q"), tmp_path / "log", Endings()
    Publisher(queue).publish({"log": str(log), "what": "in C"})
    pool = ProcessPool(1)
    consumer = Consumer(act, queue=queue, pool=pool, controls=[endings, Retry(3, dead_letter=True)])
    consumer.start()
    assert wait_until(lambda: noted(log), PATIENCE, 0.02)
    assert not consumer.stop(0.1)
    assert not pool.close(0)
    assert wait_until(lambda: pool.workers == 0, PATIENCE, 0.02)
    assert queue.size().ready == 1
    assert not endings.outcomes
    assert "failed" not in caplog.text


@on_memory
def test_two_consumers_share_a_pool(embedded, processes, emptied, tmp_path):
    queues = [embedded.queue(name) for name in ("q", "r")]
    logs = [tmp_path / name for name in ("q.log", "r.log")]
    consumers = [Consumer(act, queue=queue, pool=processes) for queue in queues]
    for queue, log, consumer in zip(queues, logs, consumers, strict=True):
        Publisher(queue).publish_many([{"log": str(log), "what": "ok"}] * 50)
        consumer.start()
    for queue, log, consumer in zip(queues, logs, consumers, strict=True):
        assert emptied(queue, PATIENCE)
        assert consumer.stop()
        assert len(noted(log)) == 50


@on_sqlite
def test_stop_and_start_again(embedded, processes, emptied, tmp_path):
    queue, log = embedded.queue("q"), tmp_path / "log"
    Publisher(queue).publish_many([{"log": str(log), "what": "ok"}] * 300)
    consumer = Consumer(act, queue=queue, pool=processes)
    consumer.start()
    assert wait_until(lambda: noted(log), PATIENCE)
    assert consumer.stop()
    assert queue.size().total == 300 - len(noted(log))
    consumer.start()
    assert emptied(queue, PATIENCE)
    assert consumer.stop()
    assert len(noted(log)) == 300


@on_memory
def test_what_cannot_travel_is_refused(embedded, processes):
    def local():
        """Nobody else can import it."""

    with pytest.raises(ConfigurationError, match=r"another process cannot find .*local"):
        Consumer(local, queue=embedded.queue("q"), pool=processes)


def test_an_argument_that_cannot_travel_fails_its_task(processes, emptied):
    from fsdf_core.brokers.memory import MemoryBroker

    queue, endings = MemoryBroker().queue("q"), Endings()
    Publisher(queue).publish({"log": threading.Lock(), "what": "ok"}, {"task_id": "a"})
    with Consumer(act, queue=queue, pool=processes, controls=[endings]) as consumer:
        consumer.start()
        assert emptied(queue, PATIENCE)
    assert isinstance(endings.outcomes["a"].error, EncodeError)
    assert "push plain data" in str(endings.outcomes["a"].error)
