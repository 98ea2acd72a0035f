"""Interrupted greenlets; run by `green_run.py`."""

import asyncio
import threading
import time

import pytest

from fsdf_control.backoff import Constant
from fsdf_control.kill import RemoteKill, kill
from fsdf_control.retry import Retry
from fsdf_control.run_report import RunReport
from fsdf_control.timeout import Timeout
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.dead_letters import DeadLetters
from fsdf_core.green.native import patched_by
from fsdf_core.publisher import Publisher
from fsdf_core.registry import pools
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.waiting import wait_until

PATIENCE = 30


@pytest.fixture
def queue(embedded):
    return embedded.queue("q")


@pytest.fixture
def pool():
    with pools.get(patched_by())(max_workers=2) as pool:
        yield pool


def test_a_greenlet_that_takes_too_long_becomes_a_dead_letter(queue, pool, emptied):
    cleaned, never = [], threading.Event()

    def endless():
        try:
            never.wait(PATIENCE)
        finally:
            cleaned.append(current_message.get().attempt)

    Publisher(queue).publish({}, {"task_id": "a"})
    rules = [Timeout(0.1), Retry(1, dead_letter=True)]
    with Consumer(endless, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        assert emptied(queue)
    (dead,) = DeadLetters(queue).list()
    assert (dead.task_id, dead.attempts, dead.error) == ("a", 2, "TaskTimeout: ran for longer than 0.1 s")
    assert cleaned == [1, 2]


def test_who_swallows_the_interrupt_is_settled_without_it_and_its_slot_is_not_lost(queue, pool, emptied, caplog):
    release, runs, ended = threading.Event(), [], threading.Semaphore(0)

    def stubborn(x):
        attempt = current_message.get().attempt
        runs.append((x, attempt))
        while attempt == 1 and not release.is_set():
            try:
                release.wait(PATIENCE)
            except BaseException:  # noqa: BLE001 - that is what it is about
                continue
        if attempt == 1:
            ended.release()

    Publisher(queue).publish_many({"x": x} for x in range(4))
    with Consumer(stubborn, queue=queue, pool=pool, controls=[Timeout(0.2, grace=0.2), Retry(1)]) as consumer:
        consumer.start()
        assert emptied(queue)
        assert pool.max_workers == 6
        assert "is stuck in" in caplog.text
        release.set()
        for _ in range(4):
            assert ended.acquire(timeout=PATIENCE)
        assert wait_until(lambda: pool.max_workers == 2, PATIENCE, 0.01)
    assert sorted(runs) == sorted((x, attempt) for x in range(4) for attempt in (1, 2))


def test_a_killed_greenlet_ends_and_the_other_goes_on(queue, pool, emptied):
    store, started, go, ended, failures = MemoryStateStore(), threading.Semaphore(0), threading.Event(), [], []

    def task(name):
        started.release()
        assert go.wait(PATIENCE)
        ended.append(name)

    for name in "ab":
        Publisher(queue).publish({"name": name}, {"task_id": name})
    rules = [RunReport(lambda s: s.success or failures.append((s.task_id, s.exception_type))), RemoteKill(store)]
    with Consumer(task, queue=queue, pool=pool, controls=[*rules, Retry(3)]) as consumer:
        consumer.start()
        for _ in range(2):
            assert started.acquire(timeout=PATIENCE)
        kill(store, "q", "b")
        assert wait_until(lambda: failures, PATIENCE, 0.01)
        go.set()
        assert emptied(queue)
    assert failures == [("b", "TaskKilled")]
    assert ended == ["a"]


def test_an_end_just_before_the_interrupt_does_not_pass_it_on(queue, pool, emptied):
    """Each greenlet runs calls that end about when their time does; no interrupt may hit the next call or the pool."""
    outcomes = []

    def task(x):
        time.sleep(0.05 + x % 7 * 0.001)

    Publisher(queue).publish_many({"x": x} for x in range(200))
    pool.resize(50)
    rules = [RunReport(lambda status: outcomes.append(status.exception_type)), Timeout(0.053)]
    with Consumer(task, queue=queue, pool=pool, controls=rules) as consumer:
        consumer.start()
        assert emptied(queue)
    assert len(outcomes) == 200
    assert set(outcomes) <= {None, "TaskTimeout"}


def test_a_stop_gives_back_what_waits_for_its_next_attempt(queue, pool):
    failed = threading.Event()

    def task():
        failed.set()
        raise ValueError

    Publisher(queue).publish({})
    consumer = Consumer(task, queue=queue, pool=pool, controls=[Retry(1, backoff=Constant(60))])
    consumer.start()
    assert failed.wait(PATIENCE)
    assert consumer.stop(PATIENCE)
    assert (queue.size().total, queue.size().unacked) == (1, 0)


def test_reports_by_coroutines(queue, pool, emptied):
    reports = []

    async def report(status):
        await asyncio.sleep(0.05)
        reports.append(status.params["x"])

    pool.resize(20)
    Publisher(queue).publish_many({"x": x} for x in range(40))
    with Consumer(lambda x: time.sleep(0.01), queue=queue, pool=pool, controls=[RunReport(report)]) as consumer:
        consumer.start()
        assert emptied(queue)
        assert wait_until(lambda: len(reports) == 40, PATIENCE, 0.01)
    assert sorted(reports) == list(range(40))
