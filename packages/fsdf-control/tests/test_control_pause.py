"""Pause and resume, from elsewhere, over restarts, and without the store."""

import doctest
import threading
import time

import pytest

from fsdf_control import pausing as pause_module
from fsdf_control.pausing import Pause, is_paused, pause, resume
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import StateUnavailable
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

POOLS = {"THREADING": lambda: ShrinkableThreadPoolExecutor(max_workers=4), "SINGLE_THREAD": SoloExecutor}


class Away(MemoryStateStore):
    away = False

    def get(self, keys):
        if self.away:
            raise StateUnavailable("gone")
        return super().get(keys)


@pytest.fixture(params=POOLS.values(), ids=POOLS)
def workers(request):
    with request.param() as pool:
        yield pool


@pytest.fixture
def queue():
    return MemoryBroker().queue("q")


def test_a_queue_paused_before_the_start_stays_so_until_resumed(queue, workers):
    store = MemoryStateStore()
    pause(store, "q")
    ran = threading.Event()
    Publisher(queue).publish({})
    with Consumer(ran.set, queue=queue, pool=workers, controls=[Pause(store)]) as consumer:
        for _ in range(2):
            consumer.start()
            assert not ran.wait(0.3)
            assert queue.size().ready == 1
            consumer.stop()
        consumer.start()
        resume(store, "q")
        assert ran.wait(1)


def test_a_pause_takes_effect_within_a_second_and_running_tasks_end(queue, workers):
    store = MemoryStateStore()
    starts, running, go_on, ended = [], threading.Event(), threading.Event(), threading.Event()

    def task(kind):
        starts.append(time.monotonic())
        if kind == "long":
            running.set()
            assert go_on.wait(10)
            ended.set()

    publisher = Publisher(queue)
    with Consumer(task, queue=queue, pool=workers, controls=[Pause(store)]) as consumer:
        consumer.start()
        publisher.publish({"kind": "long"})
        assert running.wait(5)
        pause(store, "q")
        threading.Event().wait(1)
        publisher.publish_many([{"kind": "short"}] * 20)
        go_on.set()
        assert ended.wait(1)
        threading.Event().wait(0.3)
        assert len(starts) == 1
        assert queue.size().ready == 20
        resume(store, "q")
        resumed = time.monotonic()
        while len(starts) < 21 and time.monotonic() < resumed + 5:
            threading.Event().wait(0.01)
        assert len(starts) == 21
        assert starts[-1] - resumed < 1


def test_a_busy_queue_stops_within_a_second(queue, workers):
    store = MemoryStateStore()
    starts, stopped = [], threading.Event()
    Publisher(queue).publish_many([{}] * 20_000)

    def task():
        starts.append(time.monotonic())
        stopped.wait(0.001)

    with Consumer(task, queue=queue, pool=workers, controls=[Pause(store)]) as consumer:
        consumer.start()
        threading.Event().wait(0.5)
        pause(store, "q")
        paused = time.monotonic()
        threading.Event().wait(1.5)
        assert starts
        assert max(starts) - paused < 1
        stopped.set()


def test_without_the_store_the_last_known_state_counts(queue, workers):
    store = Away()
    ran = threading.Semaphore(0)
    control = Pause(store)
    with Consumer(ran.release, queue=queue, pool=workers, controls=[control]) as consumer:
        consumer.start()
        store.away = True
        with pytest.raises(StateUnavailable):
            control.tick(0.0)
        Publisher(queue).publish({})
        assert ran.acquire(timeout=2)
        store.away = False
        pause(store, "q")
        control.tick(0.0)
        store.away = True
        Publisher(queue).publish({})
        assert not ran.acquire(timeout=0.8)
        assert control.paused
        store.away = False
        resume(store, "q")
        assert ran.acquire(timeout=2)
        consumer.stop()
        store.away = True
        with pytest.raises(StateUnavailable):
            consumer.start()
        assert not consumer.running


def test_queues_are_paused_one_by_one():
    store = MemoryStateStore()
    pause(store, "a")
    pause(store, "a")
    assert is_paused(store, "a")
    assert not is_paused(store, "b")
    resume(store, "a")
    resume(store, "a")
    assert not is_paused(store, "a")


def test_docstrings_tell_the_truth():
    result = doctest.testmod(pause_module)
    assert result.attempted
    assert not result.failed
