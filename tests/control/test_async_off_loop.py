"""Broker and state store are never asked in the thread that runs the coroutines."""

import asyncio
import threading

import pytest

from fsdf_control.circuit_breaker import CircuitBreaker
from fsdf_control.delay import Delay
from fsdf_control.expire import Expire
from fsdf_control.filter import Filter
from fsdf_control.key_concurrency import KeyConcurrency
from fsdf_control.kill import RemoteKill, kill
from fsdf_control.pausing import Pause
from fsdf_control.quota import Quota
from fsdf_control.requeue import Requeue
from fsdf_control.retry import Retry
from fsdf_control.statistics import Statistics
from fsdf_control.timeout import Timeout
from fsdf_core.brokers.memory import MemoryBroker, MemoryQueue, MemorySubscription
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_pools import AsyncPool


@pytest.fixture
def asked(monkeypatch):
    """The names of (method, thread) of what was asked."""
    asked = set()

    def spy(kind):
        for name, method in list(vars(kind).items()):
            if callable(method) and not name.startswith("_"):

                def noting(self, *args, _name=f"{kind.__name__}.{name}", _method=method, **options):
                    asked.add((_name, threading.current_thread().name))
                    return _method(self, *args, **options)

                monkeypatch.setattr(kind, name, noting)

    for kind in (MemoryStateStore, MemoryQueue, MemorySubscription):
        spy(kind)
    return asked


def test_nothing_of_the_framework_blocks_the_loop(asked, emptied):
    queue, store = MemoryBroker().queue("q"), MemoryStateStore()
    tries = {}

    async def task(n):
        await asyncio.sleep(0.001)
        tries[n] = tries.get(n, 0) + 1
        if tries[n] == 1:
            if n % 5 == 0:
                raise ExceptionForRequeue
            if n % 5 == 1:
                raise ValueError
            if n % 5 == 2:
                await asyncio.sleep(60)

    rules = [
        Statistics(),
        RemoteKill(store),
        Pause(store),
        Quota(100_000, "d", store=store),
        KeyConcurrency("n", 2, store=store),
        Expire(60),
        Delay(),
        Filter(store),
        CircuitBreaker(failure_threshold=20, recovery_timeout=0.05, store=store),
        Timeout(0.3),
        Requeue(0.01),
        Retry(2, dead_letter=True),
    ]
    Publisher(queue).publish_many({"n": n} for n in range(100))
    with AsyncPool(max_workers=20, thread_name_prefix="watched") as pool:
        consumer = Consumer(task, queue=queue, pool=pool, controls=rules)
        consumer.start()
        kill(store, "q", "nobody")
        assert emptied(queue)
        assert consumer.stop()
    assert sum(count > 1 for count in tries.values()) > 30
    names = {name.partition(".")[0] for name, _ in asked}
    assert names == {"MemoryStateStore", "MemoryQueue", "MemorySubscription"}
    assert [name for name, thread in asked if thread == "watched-loop"] == []
