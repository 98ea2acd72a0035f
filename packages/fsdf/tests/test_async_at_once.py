"""Coroutines run one after the other in one asyncio task; nobody may notice."""

import asyncio
import contextvars

import pytest

from fsdf import ConcurrentModeEnum, get_current_taskid

PATIENCE = 30
ASYNC = ConcurrentModeEnum.ASYNC

variable = contextvars.ContextVar("variable", default=None)


def take(ran, count):
    return [ran.get(timeout=PATIENCE) for _ in range(count)]


def run(task, count):
    """Push, then consume, so that the tasks are there together; return the ids by argument."""
    pushed = {x: task.push(x).task_id for x in range(count)}
    task.consume()
    return pushed


def test_context_variables_of_one_task_are_not_the_next_ones(decorate, ran):
    async def f(x):
        ran.put(variable.get())
        variable.set(x)

    run(decorate(f, concurrent_mode=ASYNC), 200)
    assert take(ran, 200) == [None] * 200


def test_what_a_task_leaves_on_the_loop_remembers_it(decorate, ran):
    left = []

    async def later(x):
        await asyncio.sleep(0.01)
        ran.put((x, get_current_taskid()))

    async def f(x):
        left.append(asyncio.create_task(later(x)))

    pushed = run(decorate(f, concurrent_mode=ASYNC), 200)
    assert dict(take(ran, 200)) == pushed


def test_timeouts_and_groups_that_begin_before_the_first_wait_end_the_right_task(decorate, ran):
    async def slow():
        await asyncio.Event().wait()

    async def f(x):
        if x % 2:
            return
        try:
            await asyncio.wait_for(asyncio.gather(slow(), slow()), 0.02)
        except asyncio.TimeoutError:
            ran.put((x, get_current_taskid()))

    pushed = run(decorate(f, concurrent_mode=ASYNC), 40)
    assert dict(take(ran, 20)) == {x: pushed[x] for x in range(0, 40, 2)}


@pytest.mark.parametrize("waits", [False, True])
def test_failures_are_tried_again(decorate, ran, emptied, waits):
    async def f(x):
        if waits:
            await asyncio.sleep(0)
        ran.put(x)
        if x == 3:
            raise ValueError("three")

    task = decorate(f, concurrent_mode=ASYNC, max_retry_times=2)
    run(task, 6)
    assert sorted(take(ran, 8)) == [0, 1, 2, 3, 3, 3, 4, 5]
    assert emptied(task)


def test_a_task_may_cancel_itself(decorate, ran, emptied):
    async def f(x):
        if x == 1:
            asyncio.current_task().cancel()
        ran.put(x)

    task = decorate(f, concurrent_mode=ASYNC, max_retry_times=0)
    run(task, 20)
    assert take(ran, 20) == list(range(20))
    assert emptied(task)


def test_tasks_that_wait_side_by_side_keep_their_own(decorate, ran):
    async def f(x):
        variable.set(x)
        await asyncio.sleep(0)
        first = get_current_taskid()
        await asyncio.sleep(0.001)
        ran.put((x, variable.get(), first, get_current_taskid()))

    pushed = run(decorate(f, concurrent_mode=ASYNC, concurrent_num=20), 200)
    assert sorted(take(ran, 200)) == [(x, x, pushed[x], pushed[x]) for x in range(200)]


def test_one_asyncio_task_serves_many_that_wait(decorate, ran):
    async def f(x):
        name = asyncio.current_task().get_name()
        await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.sleep(0), 5)
        assert asyncio.current_task().get_name() == name
        ran.put(name)

    run(decorate(f, concurrent_mode=ASYNC, concurrent_num=5), 300)
    assert len(set(take(ran, 300))) < 200


def test_as_many_as_may_run_at_once_do(decorate, ran):
    async def f(x):
        nonlocal running, most
        running += 1
        most = max(most, running)
        if x == 6:
            everybody.set()
        await asyncio.wait_for(everybody.wait(), PATIENCE)
        running -= 1
        ran.put(x)

    running = most = 0
    everybody = asyncio.Event()
    run(decorate(f, concurrent_mode=ASYNC, concurrent_num=7), 100)
    assert sorted(take(ran, 100)) == list(range(100))
    assert most == 7


def test_none_waits_for_another_while_there_is_room(decorate, ran):
    async def f(x):
        ran.put(x)
        await asyncio.wait_for(everybody.wait(), PATIENCE)
        ran.put(x)

    everybody = asyncio.Event()
    task = decorate(f, concurrent_mode=ASYNC, concurrent_num=2000)
    run(task, 1)
    for first in range(1, 2000, 100):
        task.push_many({"x": x} for x in range(first, min(first + 100, 2000)))
    assert sorted(take(ran, 2000)) == list(range(2000))
    task.consumer._consumer.pool.loop.call_soon_threadsafe(everybody.set)
    assert sorted(take(ran, 2000)) == list(range(2000))
