"""What a consumer tells the roster, and how it obeys."""

import doctest
import logging
import threading

import pytest

from fsdf_control import RateLimit, SharedRateLimit, Statistics
from fsdf_control import enlist as enlist_module
from fsdf_control.enlist import EVERY, Enlist
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.control import UNLIMITED
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.publisher import Publisher
from fsdf_core.roster import Roster, Worker
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

NEVER = threading.Event()


class Store(MemoryStateStore):
    """A store that may be away, and counts what it is asked."""

    away = False
    asked = 0

    def get(self, keys):
        self.asked += 1
        if self.away:
            raise StateUnavailable("gone")
        return super().get(keys)

    def hash_set(self, key, fields):
        if self.away:
            raise StateUnavailable("gone")
        super().hash_set(key, fields)

    def hash_delete(self, key, fields):
        if self.away:
            raise StateUnavailable("gone")
        return super().hash_delete(key, fields)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def store(clock):
    return Store(clock)


@pytest.fixture
def roster(store):
    return Roster(store)


@pytest.fixture
def pool():
    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        yield pool


@pytest.fixture
def host(pool, clock):
    return make_host(pool, clock)


def make_host(pool, clock, consumer_id="c1"):
    return Host(
        queue=MemoryBroker().queue("sums"),
        consumer_id=consumer_id,
        pool=pool,
        clock=clock,
        logger=logging.getLogger("fsdf.sums"),
        stopping=threading.Event(),
        wake=lambda: None,
        abandon=lambda message, error: None,
    )


def started(store, host, **options):
    rule = Enlist(store, Worker("", "sums", "MEMORY_QUEUE", function="app.add"), **options)
    rule.start(host)
    rule.tick(0.0)
    return rule


def test_a_store_that_is_away_changes_nothing_and_the_consumer_enlists_later(store, host, roster):
    store.away = True
    rule = Enlist(store, Worker("", "sums"))
    rule.start(host)
    with pytest.raises(StateUnavailable):
        rule.tick(0.0)
    assert rule.credit(0.0) == UNLIMITED
    store.away = False
    rule.tick(0.5)
    assert [worker.consumer_id for worker in roster.workers()] == ["c1"]


def test_a_stop_while_the_store_is_away_does_not_raise(store, host, caplog):
    rule = started(store, host)
    store.away = True
    rule.stop()
    assert "cannot sign off" in caplog.text


def test_the_last_ordered_pace_counts_while_the_store_is_away(store, host, roster):
    rule = started(store, host)
    roster.set_pace("sums", qps=2)
    rule.tick(EVERY)
    store.away = True
    with pytest.raises(StateUnavailable):
        rule.tick(2 * EVERY)
    rule.spend(1, 10.0)
    assert rule.credit(10.1) == 0


def test_nobody_to_stop_it_is_said(store, host, roster, caplog):
    rule = started(store, host)
    roster.shut_down("c1")
    rule.tick(EVERY)
    assert "nobody here can stop it" in caplog.text


def test_one_worker_pools_stay_as_they_are(store, clock, roster):
    with SoloExecutor() as pool:
        rule = started(store, make_host(pool, clock))
        roster.set_pace("sums", concurrency=7)
        rule.tick(EVERY)
        assert pool.max_workers == 1


def test_a_shared_pool_is_left_alone(store, host, roster, pool):
    rule = started(store, host, resize=False)
    roster.set_pace("sums", concurrency=7)
    rule.tick(EVERY)
    assert pool.max_workers == 4


def test_it_looks_no_more_often_than_it_says(store, host):
    rule = started(store, host)
    asked = store.asked
    for tick in (0.5, 1.0, 1.4):
        rule.tick(tick)
    assert store.asked == asked
    rule.tick(EVERY)
    assert store.asked == asked + 1


def test_what_is_told(store, host, roster, clock):
    statistics = Statistics(clock=clock)
    statistics.start(host)
    rule = started(store, host, statistics=statistics, memory=lambda: 42, limit=RateLimit(3))
    worker = roster.worker("c1")
    assert (worker.queue, worker.broker_kind, worker.function) == ("sums", "MEMORY_QUEUE", "app.add")
    assert (worker.concurrency, worker.qps, worker.running, worker.memory, worker.beat) == (4, 3, 0, 42, 1)
    assert worker.pid
    assert worker.host
    assert worker.ip
    assert worker.started == worker.seen == clock.time()
    rule.tick(EVERY)
    assert roster.worker("c1").beat == 2
    rule.stop()
    assert roster.workers() == []
    assert [queue.function for queue in roster.queues()] == ["app.add"]


@pytest.mark.parametrize("kind", [RateLimit, lambda qps: SharedRateLimit(qps, MemoryStateStore())])
def test_an_ordered_rate_replaces_the_own_one_until_it_is_reset(store, host, roster, kind):
    limit = kind(3)
    rule = started(store, host, limit=limit)
    roster.set_pace("sums", qps=7)
    rule.tick(EVERY)
    assert limit.qps == 7
    roster.set_pace("sums", qps=0)
    rule.tick(2 * EVERY)
    assert limit.qps > 1e6
    roster.reset_pace("sums")
    rule.tick(3 * EVERY)
    assert limit.qps == 3


def test_a_consumer_without_a_limit_gets_one_and_loses_it(store, host, roster):
    rule = started(store, host)
    roster.set_pace("sums", qps=0.5, concurrency=2)
    rule.tick(EVERY)
    assert (roster.worker("c1").concurrency, host.pool.max_workers) == (4, 2)
    rule.tick(EVERY + 0.5)
    assert (roster.worker("c1").concurrency, roster.worker("c1").qps) == (2, 0.5)
    assert rule.credit(10.0) == 1
    rule.spend(1, 10.0)
    assert (rule.credit(10.5), rule.next_credit(10.5)) == (0, 1.5)
    roster.reset_pace("sums")
    rule.tick(3 * EVERY)
    assert (rule.credit(10.5), host.pool.max_workers) == (UNLIMITED, 4)


def test_a_restarted_consumer_begins_at_the_ordered_pace(store, host, roster, pool, clock):
    roster.set_pace("sums", qps=1, concurrency=2)
    rule = Enlist(store, Worker("", "sums"))
    rule.start(host)
    assert pool.max_workers == 2
    rule.spend(1, 10.0)
    assert rule.credit(10.5) == 0
    rule.stop()
    rule.start(make_host(pool, clock, "c2"))
    roster.reset_pace("sums")
    rule.tick(1.0)
    assert pool.max_workers == 4


def test_a_running_consumer_obeys_and_ends(pool):
    store = MemoryStateStore()
    roster, runs = Roster(store), []
    queue = MemoryBroker().queue("sums")
    consumer = Consumer(lambda: runs.append(1), queue=queue, pool=pool)
    rule = Enlist(store, Worker("", "sums"), stop=consumer.stop)
    consumer.controls = (rule,)
    consumer.start()
    assert wait_until(roster.workers, 30)
    roster.set_pace("sums", qps=0.001)
    assert wait_until(lambda: roster.workers()[0].qps == 0.001, 30)
    Publisher(queue).publish_many([{}] * 5)
    assert wait_until(lambda: runs, 30)
    assert not NEVER.wait(0.3)
    assert len(runs) == 1
    roster.shut_down(roster.workers()[0].consumer_id)
    assert wait_until(lambda: not consumer.running, 30)
    assert roster.workers() == []
    assert queue.size().ready == 4


def test_examples():
    assert doctest.testmod(enlist_module).failed == 0
