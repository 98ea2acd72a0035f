"""Remote kill: waiting and running tasks, batches, odd ids, and a store that is away."""

import asyncio
import logging
import threading

import pytest

from fsdf_control.kill import RemoteKill, kill
from fsdf_control.retry import Retry
from fsdf_control.timeout import Timeout
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import StateUnavailable, TaskKilled
from fsdf_core.host import Host
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Drop, Fail
from fsdf_core.verdict import Retry as RunAgain
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

pytestmark = pytest.mark.usefixtures("no_destructors")

PATIENCE = 30.0
DROPPED = Drop("killed")


class Store(MemoryStateStore):
    """Counts reads; can be away."""

    def __init__(self, clock=SYSTEM_CLOCK):
        super().__init__(clock)
        self.reads = []
        self.away = False

    def get(self, keys):
        if self.away:
            raise StateUnavailable("gone")
        self.reads.append(len(keys))
        return super().get(keys)


class Leavers(Control):
    """What left the consumer."""

    def __init__(self):
        self.left = {}
        self.changed = threading.Condition()

    def on_settle(self, messages):
        with self.changed:
            self.left |= {message.task_id: message for message in messages}
            self.changed.notify_all()

    def expect(self, *task_ids):
        with self.changed:
            assert self.changed.wait_for(lambda: self.left.keys() >= set(task_ids), PATIENCE), self.left
        return [self.left[task_id] for task_id in task_ids]


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def queue():
    return MemoryBroker().queue("q", serialize=True)


@pytest.fixture
def rule(store, queue):
    rule = RemoteKill(store)
    host = Host(
        queue=queue,
        consumer_id="c",
        pool=SoloExecutor(),
        clock=SYSTEM_CLOCK,
        logger=logging.getLogger("fsdf.q"),
        stopping=threading.Event(),
        wake=lambda: None,
        abandon=lambda message, error: None,
    )
    rule.start(host)
    yield rule
    rule.stop()


def waiting(*task_ids):
    messages = [Message({}, {"task_id": task_id}) for task_id in task_ids]
    for message in messages:
        message.queue_name = "q"
    return messages


def spin(started):
    started.set()
    while True:
        pass


def test_waiting_tasks_are_dropped_by_one_read(rule, store):
    kill(store, "q", "b")
    kill(store, "another", "c")
    assert rule.admit_many(waiting("a", "b", "c")) == [None, DROPPED, None]
    assert store.reads == [3]


def test_marks_expire():
    clock = ManualClock()
    store = Store(clock)
    rule = RemoteKill(store)
    kill(store, "q", "a", ttl=60)
    clock.advance(59)
    assert rule.admit_many(waiting("a")) == [DROPPED]
    clock.advance(1)
    assert rule.admit_many(waiting("a")) == [None]


@pytest.mark.parametrize("ttl", [0, -1, float("nan"), float("inf")])
def test_a_mark_needs_a_lifetime(store, ttl):
    with pytest.raises(ValueError, match="ttl"):
        kill(store, "q", "a", ttl)


@pytest.mark.parametrize("grace", [-1, float("nan")])
def test_grace_is_a_number(store, grace):
    with pytest.raises(ValueError, match="grace"):
        RemoteKill(store, grace)


@pytest.mark.parametrize("task_id", [7, "x" * 5000, "é" * 127, "a:b", ""])
def test_ids_of_foreign_producers(rule, store, task_id):
    kill(store, "q", str(task_id))
    assert rule.admit_many(waiting(task_id, f"{task_id}!")) == [DROPPED, None]


def test_without_the_store_tasks_run_and_it_is_said_once(rule, store, caplog):
    kill(store, "q", "a")
    store.away = True
    with caplog.at_level(logging.INFO, "fsdf"):
        assert rule.admit_many(waiting("a")) == [None]
        assert rule.admit_many(waiting("b")) == [None]
        store.away = False
        assert rule.admit_many(waiting("c")) == [None]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "gone" in caplog.text


def test_what_was_let_in_unchecked_is_found_when_the_store_is_back(rule, store):
    kill(store, "q", "a")
    rule.tick(0)
    store.away = True
    (message,) = waiting("a")
    rule.admit_many([message])
    with pytest.raises(StateUnavailable):
        rule.tick(0.5)
    store.away = False
    rule.tick(1)
    with pytest.raises(TaskKilled):
        rule.around(lambda message: "ran")(message)


def test_a_tick_reads_one_key_while_nobody_kills(rule, store):
    rule.admit_many(waiting(*(str(number) for number in range(500))))
    kill(store, "q", "x")
    rule.tick(0)
    assert store.reads == [500, 1, 500]
    rule.tick(0.5)
    assert store.reads == [500, 1, 500, 1]


def test_what_has_left_is_forgotten(rule, store):
    messages = waiting("a", "b")
    rule.admit_many(messages)
    kill(store, "q", "a")
    rule.tick(0)
    rule.on_settle(messages)
    store.reads.clear()
    kill(store, "q", "b")
    rule.tick(0.5)
    assert store.reads == [1]


def test_a_task_that_waits_for_its_next_attempt_does_not_get_it(rule, store):
    messages = waiting("a", "b")
    rule.admit_many(messages)
    call = rule.around(lambda message: message.task_id)
    kill(store, "q", "a")
    rule.tick(0)
    with pytest.raises(TaskKilled):
        call(messages[0])
    assert call(messages[1]) == "b"


def test_a_killed_task_has_failed(rule):
    (message,) = waiting("a")
    assert rule.on_error(message, TaskKilled("killed"), 1) == Fail()
    assert rule.on_error(message, ValueError(), 1) is None


@pytest.mark.parametrize("pool", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_a_running_task_is_stopped_and_not_retried(queue, store, pool):
    started, runs, leavers = threading.Event(), [], Leavers()

    def task(endless):
        runs.append(endless)
        if endless:
            spin(started)

    with pool(max_workers=2) as workers:
        controls = [RemoteKill(store), Timeout(60), Retry(3, dead_letter=True), leavers]
        with Consumer(task, queue=queue, pool=workers, controls=controls) as consumer:
            consumer.start()
            Publisher(queue).publish({"endless": True}, {"task_id": "a"})
            Publisher(queue).publish({"endless": False}, {"task_id": "b"})
            assert started.wait(PATIENCE)
            kill(store, "q", "a")
            killed, other = leavers.expect("a", "b")
    assert isinstance(killed.outcome.error, TaskKilled)
    assert killed.settlement is None
    assert killed.outcome.attempts == 1
    assert other.outcome.success
    assert runs.count(True) == 1
    assert queue.size().total == 0


def test_another_queue_is_not_concerned(queue, store):
    started, leavers, go_on = threading.Event(), Leavers(), threading.Event()

    def task():
        started.set()
        return go_on.wait(PATIENCE)

    with ShrinkableThreadPoolExecutor(max_workers=1) as pool:
        rule = RemoteKill(store)
        with Consumer(task, queue=queue, pool=pool, controls=[rule, leavers]) as consumer:
            consumer.start()
            Publisher(queue).publish({}, {"task_id": "a"})
            assert started.wait(PATIENCE)
            kill(store, "another", "a")
            rule.tick(0)
            go_on.set()
            (left,) = leavers.expect("a")
    assert left.outcome.success


def test_the_rest_of_a_batch_runs_again_alone(queue, store):
    started, runs, leavers = threading.Event(), [], Leavers()

    def task(calls):
        runs.append(len(calls))
        if len(calls) > 1:
            spin(started)

    with ShrinkableThreadPoolExecutor(max_workers=2) as pool:
        controls = [RemoteKill(store), Retry(0), leavers]
        with Consumer(task, queue=queue, pool=pool, controls=controls, batch=Batch(3, 5)) as consumer:
            for task_id in "abc":
                Publisher(queue).publish({"x": 1}, {"task_id": task_id})
            consumer.start()
            assert started.wait(PATIENCE)
            kill(store, "q", "b")
            killed, *others = leavers.expect("b", "a", "c")
    assert isinstance(killed.outcome.error, TaskKilled)
    assert [each.outcome.success for each in others] == [True, True]
    assert runs == [3, 1, 1]


def test_members_of_a_killed_batch(rule, store):
    victim, other = waiting("a", "b")
    rule.admit_many([victim, other])
    kill(store, "q", "a")
    rule.tick(0)
    from fsdf_core.batch import BatchMessage

    with pytest.raises(TaskKilled) as caught:
        rule.around(lambda message: "ran")(BatchMessage([other, victim]))
    assert rule.on_error(victim, caught.value, 1) == Fail()
    assert rule.on_error(other, caught.value, 1) == RunAgain()


def test_a_coroutine_is_cancelled(rule, store):
    (message,) = waiting("a")
    rule.admit_many([message])

    async def task(message):
        kill(store, "q", "a")
        await asyncio.to_thread(rule.tick, 0)
        await asyncio.sleep(PATIENCE)

    with pytest.raises(TaskKilled):
        asyncio.run(rule.around_async(task)(message))
