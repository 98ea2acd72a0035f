"""`async def` functions through the decorator: in ASYNC mode, in threads, on the user's own loop."""

import asyncio
import functools
import threading
import time
import tracemalloc

import pytest

from fsdf import BoosterParams, ConcurrentModeEnum, FctContextThread, fct, get_current_taskid
from fsdf_core.waiting import wait_until

PATIENCE = 30
MODES = [ConcurrentModeEnum.ASYNC, ConcurrentModeEnum.THREADING, ConcurrentModeEnum.SINGLE_THREAD]


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def take(ran, count):
    return [ran.get(timeout=PATIENCE) for _ in range(count)]


def test_thousands_of_coroutines_are_in_flight_at_once(decorate, emptied):
    running, most, full = 0, 0, asyncio.Event()

    async def task(x):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 3000:
            full.set()
        await asyncio.wait_for(full.wait(), PATIENCE)

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC, concurrent_num=3000)
    task.push_many({"x": x} for x in range(3000))
    task.consume()
    assert wait_until(lambda: task.consumer.statistics().succeeded == 3000, PATIENCE, 0.01)
    assert most == 3000


def test_all_modes_run_plain_and_async_functions(decorate, ran, mode):
    async def coroutine(x):
        await asyncio.sleep(0)
        ran.put((x, get_current_taskid()))

    def plain(x):
        ran.put((x, get_current_taskid()))

    for function in (coroutine, plain):
        task = decorate(function, concurrent_mode=mode)
        pushed = {x: task.push(x).task_id for x in range(20)}
        task.consume()
        assert dict(take(ran, 20)) == pushed
        assert task.stop()


def test_coroutines_run_in_one_thread_and_plain_functions_do_not_hold_each_other_up(decorate, ran):
    async def coroutine():
        ran.put(threading.get_ident())

    task = decorate(coroutine, concurrent_mode=ConcurrentModeEnum.ASYNC)
    task.push_many([()] * 20)
    task.consume()
    assert len(set(take(ran, 20))) == 1
    barrier = threading.Barrier(3)
    plain = decorate(lambda: ran.put(barrier.wait(PATIENCE)), concurrent_mode=ConcurrentModeEnum.ASYNC)
    plain.push_many([()] * 3)
    plain.consume()
    assert sorted(take(ran, 3)) == [0, 1, 2]


def test_pushes_and_publishes_from_a_running_loop(decorate, ran):
    async def task(x, y=0):
        ran.put((x, y))
        if x < 3:
            await task_.aio_push(x + 1, y=y)

    task_ = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC)

    async def main():
        pushed = await task_.aio_push(1, y=5)
        published = await task_.aio_publish({"x": 3}, task_id="mine")
        return pushed.task_id, published.task_id

    pushed, published = asyncio.run(main())
    assert pushed
    assert published == "mine"
    task_.consume()
    assert sorted(take(ran, 4)) == [(1, 5), (2, 5), (3, 0), (3, 5)]


def test_wrong_arguments_are_the_callers_error(decorate):
    async def task(x):
        """Nothing."""

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC)

    async def main():
        await task.aio_push(1, 2)

    with pytest.raises(TypeError):
        asyncio.run(main())


def test_positional_only_parameters_partials_and_decorators(decorate, ran, mode):
    async def positional(x, /, y):
        ran.put((x, y))

    def doubling(function):
        @functools.wraps(function)
        def call(*args, **arguments):
            ran.put("around")
            return function(*args, **arguments)

        return call

    task = decorate(positional, concurrent_mode=mode, consuming_function_decorator=doubling)
    task.push(1, y=2)
    task.consume()
    assert take(ran, 2) == ["around", (1, 2)]


class Shop:
    ran = None

    def __init__(self, name):
        self.name = name
        self.obj_init_params = {"name": name}

    @BoosterParams(queue_name="aio-instance", broker_kind="MEMORY_QUEUE", concurrent_mode="ASYNC")
    async def sell(self, what):
        await asyncio.sleep(0)
        self.ran.put((type(self), self.name, what))

    @BoosterParams(queue_name="aio-class", broker_kind="MEMORY_QUEUE", concurrent_mode="ASYNC")
    @classmethod
    async def open(cls, what):
        cls.ran.put((cls, what))

    @staticmethod
    @BoosterParams(queue_name="aio-static", broker_kind="MEMORY_QUEUE", concurrent_mode="ASYNC")
    async def ring(what):
        Shop.ran.put(what)


def test_methods(ran, monkeypatch):
    monkeypatch.setattr(Shop, "ran", ran)
    shop = Shop("corner")
    for method, calls in ((Shop.sell, lambda: Shop.sell.push(shop, "tea")), (Shop.open, lambda: Shop.open.push("now"))):
        calls()
        method.consume()
    Shop.ring.push("bell")
    Shop.ring.consume()
    found = take(ran, 3)
    assert {(Shop, "corner", "tea"), (Shop, "now"), "bell"} == set(found)


def test_each_coroutine_and_the_threads_it_starts_see_their_own_task(decorate, ran):
    all_in = asyncio.Event()
    inside = 0

    async def task(x):
        nonlocal inside
        inside += 1
        if inside == 3:
            all_in.set()
        await asyncio.wait_for(all_in.wait(), PATIENCE)
        in_thread = await asyncio.to_thread(get_current_taskid)
        child = await asyncio.create_task(nested())
        threads = []
        other = FctContextThread(target=lambda: threads.append(get_current_taskid()))
        other.start()
        other.join(PATIENCE)
        ran.put((x, {fct.task_id, get_current_taskid(), in_thread, child, *threads}))

    async def nested():
        await asyncio.sleep(0)
        return fct.task_id

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC)
    pushed = {x: {task.push(x).task_id} for x in range(3)}
    task.consume()
    assert dict(take(ran, 3)) == pushed


def test_the_memory_of_waiting_coroutines(decorate, record_property):
    entered, release = threading.Semaphore(0), asyncio.Event()

    async def task():
        entered.release()
        await release.wait()

    task = decorate(task, concurrent_mode=ConcurrentModeEnum.ASYNC, concurrent_num=5000)
    task.push_many([()] * 5000)
    tracemalloc.start()
    task.consume()
    deadline = time.monotonic() + PATIENCE
    for _ in range(5000):
        assert entered.acquire(timeout=max(0, deadline - time.monotonic()))
    each = tracemalloc.get_traced_memory()[0] / 5000
    tracemalloc.stop()
    print(f"{each * 10_000 / 2**20:.0f} MB for 10 000 waiting coroutines")
    record_property("bytes", each)
    task.consumer._consumer.pool.loop.call_soon_threadsafe(release.set)
    assert task.stop()
    assert each < 10_000
