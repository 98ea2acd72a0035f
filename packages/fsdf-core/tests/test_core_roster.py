"""Who works, who is dead, and what is ordered."""

import doctest

import pytest

from fsdf_core import orders, roster
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.orders import Pace, set_pace
from fsdf_core.roster import WORKERS, KnownQueue, Roster, Worker
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(clock):
    return MemoryStateStore(clock)


@pytest.fixture
def known(store):
    return Roster(store)


def enlist(known, consumer_id, queue="sums", **facts):
    worker = Worker(consumer_id, queue, **facts)
    known.enlist(worker, KnownQueue(queue, function="app.add"))
    return worker


@pytest.mark.parametrize("qps", [-1, float("nan"), float("inf"), True])
def test_a_rate_that_is_none(store, qps):
    with pytest.raises(ConfigurationError, match="qps"):
        set_pace(store, "sums", qps=qps)


@pytest.mark.parametrize("concurrency", [0, -3, 1.5, True])
def test_a_concurrency_that_is_none(store, concurrency):
    with pytest.raises(ConfigurationError, match="concurrency"):
        set_pace(store, "sums", concurrency=concurrency)


def test_ending_a_worker_that_is_not_there_names_the_nearest(known):
    enlist(known, "alpha-1")
    with pytest.raises(UnknownName, match="Did you mean 'alpha-1'"):
        known.shut_down("alpha-2")


def test_a_silent_worker_is_dead_and_forgotten_and_may_come_back(known, store, clock):
    sleeper, other = enlist(known, "a"), enlist(known, "b")
    clock.advance(9)
    known.report(other)
    clock.advance(2)
    assert [worker.consumer_id for worker in known.workers()] == ["b"]
    assert list(store.hash_get(WORKERS)) == ["b"]
    known.report(sleeper)
    assert [worker.consumer_id for worker in known.workers()] == ["a", "b"]


def test_facts_that_another_version_wrote_or_a_stranger_broke(known, store):
    enlist(known, "a", host="alpha", pid=7)
    store.hash_set(WORKERS, {"a": b'{"queue":"sums","host":"alpha","pid":7,"new":1}', "b": b"\xff"})
    store.set({"fsdf:worker:b": b"[]"})
    broken, whole = known.workers()
    assert (whole.host, whole.pid, broken.consumer_id, broken.queue) == ("alpha", 7, "b", "")


def test_an_unreadable_pace_orders_nothing(known, store):
    store.set({"fsdf:qps:sums": b"fast", "fsdf:concurrency:sums": b"-1"})
    assert known.pace("sums") == Pace()


def test_workers_by_queue_and_by_host(known):
    enlist(known, "a", "mails", host="beta")
    enlist(known, "b", "sums", host="alpha", broker_kind="REDIS", broker_options={"maxsize": 3})
    enlist(known, "c", "sums", host="beta")
    assert {queue: [w.consumer_id for w in group] for queue, group in known.by_queue().items()} == {
        "mails": ["a"],
        "sums": ["b", "c"],
    }
    assert {host: len(group) for host, group in known.by_host().items()} == {"alpha": 1, "beta": 2}
    assert known.worker("b").broker_options == {"maxsize": 3}
    assert [worker.consumer_id for worker in known.workers("mails")] == ["a"]


def test_orders_reach_the_worker_and_survive_it(known):
    worker = enlist(known, "a")
    assert not known.report(worker).end
    known.set_pace("sums", qps=0.5)
    known.set_pace("sums", concurrency=4)
    known.shut_down("a")
    told = known.report(worker)
    assert (told.pace, told.end) == (Pace(0.5, 4), True)
    known.strike_off("a")
    again = known.report(enlist(known, "a2"))
    assert (again.pace, again.end) == (Pace(0.5, 4), False)
    known.reset_pace("sums")
    assert known.pace("sums") == Pace()


def test_numbers_are_the_last_told_and_a_queue_outlives_its_workers(known):
    worker = enlist(known, "a")
    known.report(Worker(worker.consumer_id, worker.queue, running=3, beat=2, memory=None))
    assert (known.worker("a").running, known.worker("a").beat) == (3, 2)
    known.strike_off("a")
    assert [queue.function for queue in known.queues()] == ["app.add"]
    known.forget_queue("sums")
    assert known.queues() == []


@pytest.mark.parametrize("module", [orders, roster])
def test_examples(module):
    assert doctest.testmod(module).failed == 0
