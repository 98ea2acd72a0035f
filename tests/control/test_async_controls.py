"""Controls around coroutines, as the whole consumer applies them."""

import asyncio
import threading
import time

import pytest

from fsdf_control.backoff import Constant
from fsdf_control.circuit_breaker import CircuitBreaker
from fsdf_control.expire import Expire
from fsdf_control.kill import RemoteKill, kill
from fsdf_control.pausing import Pause, pause, resume
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_control.run_report import RunReport
from fsdf_control.statistics import Statistics
from fsdf_control.timeout import Timeout
from fsdf_core.batch import Batch
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.errors import ConfigurationError, ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.waiting import wait_until
from fsdf_pools import AsyncPool

PATIENCE = 30


@pytest.fixture
def queue(embedded):
    return embedded.queue("q")


@pytest.fixture
def pool():
    with AsyncPool(max_workers=50) as pool:
        yield pool


def test_waits_between_attempts_do_not_hold_up_the_loop(queue, pool, emptied):
    turns, attempts, free = [], [], asyncio.Event()

    async def task(x):
        if x == 0:
            attempts.append(current_message.get().attempt)
            if len(attempts) == 1:
                raise ValueError
            free.set()
            return
        # Ends only because the other one's second attempt comes meanwhile.
        await asyncio.wait_for(free.wait(), PATIENCE)
        turns.append(x)

    Publisher(queue).publish_many({"x": x} for x in range(40))
    with Consumer(task, queue=queue, pool=pool, controls=[Retry(1, backoff=Constant(0.3))]) as consumer:
        consumer.start()
        assert emptied(queue)
    assert attempts == [1, 2]
    assert sorted(turns) == list(range(1, 40))


def test_a_stop_gives_back_what_waits_for_its_next_attempt(queue, pool):
    failed = threading.Event()

    async def task():
        failed.set()
        raise ValueError

    Publisher(queue).publish({})
    consumer = Consumer(task, queue=queue, pool=pool, controls=[Retry(1, backoff=Constant(60))])
    consumer.start()
    assert failed.wait(PATIENCE)
    assert consumer.stop(PATIENCE)
    assert (queue.size().total, queue.size().unacked) == (1, 0)


def test_a_coroutine_that_takes_too_long_is_cancelled_and_becomes_a_dead_letter(queue, pool, emptied):
    seen = []

    async def endless():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(current_message.get().attempt)
            raise

    Publisher(queue).publish({}, {"task_id": "a"})
    rules = [Timeout(0.1), Retry(1, dead_letter=True)]
    with Consumer(endless, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        assert emptied(queue)
    (dead,) = DeadLetters(queue).list()
    assert (dead.task_id, dead.attempts, dead.error) == ("a", 2, "TaskTimeout: ran for longer than 0.1 s")
    assert seen == [1, 2]


def test_who_swallows_its_cancellation_is_settled_without_it(queue, emptied):
    release, runs, ended = asyncio.Event(), [], threading.Event()

    async def stubborn(x):
        attempt = current_message.get().attempt
        runs.append((x, attempt))
        if attempt > 1:
            return
        while not release.is_set():
            try:
                await asyncio.wait_for(release.wait(), PATIENCE)
            except asyncio.CancelledError:
                continue
        ended.set()

    Publisher(queue).publish_many({"x": x} for x in range(4))
    with (
        AsyncPool(max_workers=2) as pool,
        Consumer(stubborn, queue=queue, pool=pool, controls=[Timeout(0.2, grace=0.2), Retry(1)]) as consumer,
    ):
        consumer.start()
        assert emptied(queue)
        assert pool.max_workers == 6
        pool.loop.call_soon_threadsafe(release.set)
        assert ended.wait(PATIENCE)
        assert wait_until(lambda: pool.max_workers == 2, PATIENCE, 0.01)
        assert consumer.stop(PATIENCE)
    assert sorted(runs) == sorted((x, attempt) for x in range(4) for attempt in (1, 2))


def test_who_blocks_the_loop_fails_at_once_and_the_others_go_on_afterwards(queue, pool, emptied):
    statuses, blocked, release = [], threading.Event(), threading.Event()

    async def task(x):
        if x == 0:
            blocked.set()
            release.wait(PATIENCE)

    rules = [RunReport(lambda status: statuses.append((status.success, threading.current_thread()))), Timeout(0.2, 0.2)]
    with Consumer(task, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        Publisher(queue).publish({"x": 0})
        assert blocked.wait(PATIENCE)
        assert wait_until(lambda: statuses, PATIENCE, 0.01)  # while the loop is still blocked
        assert statuses[0][0] is False
        Publisher(queue).publish({"x": 1})
        release.set()
        assert emptied(queue)
        assert wait_until(lambda: len(statuses) == 2, PATIENCE, 0.01)
        assert statuses[1][0] is True


def test_a_killed_coroutine_ends_and_the_others_go_on(queue, pool, emptied):
    store, started, go, ended = MemoryStateStore(), threading.Semaphore(0), asyncio.Event(), []

    async def task(name):
        started.release()
        await asyncio.wait_for(go.wait(), PATIENCE)
        ended.append(name)

    for name in "abc":
        Publisher(queue).publish({"name": name}, {"task_id": name})
    failures = []
    rules = [
        RunReport(lambda s: s.success or failures.append((s.task_id, s.exception_type))),
        RemoteKill(store),
        Retry(3),
    ]
    with Consumer(task, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        for _ in range(3):
            assert started.acquire(timeout=PATIENCE)
        kill(store, "q", "b")
        assert wait_until(lambda: failures, PATIENCE, 0.01)
        pool.loop.call_soon_threadsafe(go.set)
        assert emptied(queue)
    assert failures == [("b", "TaskKilled")]
    assert sorted(ended) == ["a", "c"]


def test_pause_expire_requeue_and_statistics(queue, pool, emptied):
    store, runs, statistics = MemoryStateStore(), [], Statistics()

    async def task(x):
        await asyncio.sleep(0)
        runs.append(x)
        if runs.count(x) < 3:
            raise ExceptionForRequeue

    pause(store, "q")
    Publisher(queue).publish_many({"x": x} for x in range(5))
    Publisher(queue).publish({"x": 9}, {"publish_time": time.time() - 60})
    rules = [Pause(store), Expire(30), Requeue(0.01), Retry(0), statistics]
    with Consumer(task, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        assert wait_until(lambda: rules[0].paused, PATIENCE, 0.01)
        assert runs == []
        resume(store, "q")
        assert emptied(queue)
    assert sorted(runs) == sorted([*range(5)] * 3)
    seen = statistics.snapshot()
    assert (seen.succeeded, seen.requeued, seen.failed, seen.dropped) == (5, 10, 0, {"expired": 1})


@pytest.mark.parametrize("embedded", ["memory", "sqlite"], indirect=True)
def test_a_priority_queue_gives_the_highest_first(queue):
    ran, done = [], threading.Event()

    async def task(x):
        ran.append(x)
        if len(ran) == 9:
            done.set()

    for x in range(9):
        Publisher(queue).publish({"x": x}, priority=x)
    with AsyncPool(max_workers=1) as pool, Consumer(task, queue=queue, pool=pool) as consumer:
        consumer.start()
        assert done.wait(PATIENCE)
    assert ran == list(range(8, -1, -1))


def test_a_coroutine_stands_in_while_the_circuit_is_open(queue, pool, emptied):
    called, instead = [], []

    async def down(x):
        called.append(x)
        raise ConnectionError

    async def fallback(x):
        await asyncio.sleep(0)
        instead.append(x)

    breaker = CircuitBreaker(failure_threshold=1, recovery_timeout=60, fallback=fallback)
    Publisher(queue).publish_many({"x": x} for x in range(200))
    with Consumer(down, queue=queue, pool=pool, controls=[breaker]) as consumer:
        consumer.start()
        assert emptied(queue)
    assert sorted(called + instead) == list(range(200))
    assert len(called) <= 50


def test_reports_by_coroutines(queue, emptied):
    reports = []

    async def report(status):
        await asyncio.sleep(0.05)
        reports.append(status.result)

    async def task(x):
        return x * 2

    Publisher(queue).publish_many({"x": x} for x in range(20))
    with AsyncPool(max_workers=5) as pool, Consumer(task, queue=queue, pool=pool, controls=[RunReport(report)]) as one:
        one.start()
        assert emptied(queue)
        assert wait_until(lambda: len(reports) == 20, PATIENCE, 0.01)
    assert sorted(reports) == [x * 2 for x in range(20)]


def test_one_bad_call_of_a_batch_fails_alone(queue, pool, emptied):
    done, sizes = [], []

    async def task(calls):
        await asyncio.sleep(0)
        sizes.append(len(calls))
        if any(call["x"] == 7 for call in calls):
            raise ValueError("seven")
        done.extend(call["x"] for call in calls)
        return [None] * len(calls)

    Publisher(queue).publish_many({"x": x} for x in range(30))
    rules = [Retry(1, dead_letter=True)]
    with Consumer(task, queue=queue, pool=pool, controls=rules, batch=Batch(10, 0.2)) as consumer:
        consumer.start()
        assert emptied(queue)
    assert sorted(done) == [x for x in range(30) if x != 7]
    assert max(sizes) == 10
    assert [dead.error for dead in DeadLetters(queue).list()] == ["ValueError: seven"]


def test_a_control_that_wraps_plain_calls_only_is_one_clear_error(queue, pool):
    class Plain(Control):
        def around(self, call):
            return call

    async def task():
        """Nothing."""

    with pytest.raises(ConfigurationError, match="give Plain the method around_async"):
        Consumer(task, queue=queue, pool=pool, controls=[Plain()])
    with pytest.raises(ConfigurationError, match="use a pool of threads"):
        Consumer(print, queue=queue, pool=pool)
