"""Tasks that begin at once, where Python can."""

import asyncio
import threading

import pytest

from fsdf_pools import AsyncPool

PATIENCE = 30


@pytest.fixture
def pool():
    with AsyncPool(max_workers=10) as made:
        yield made


def test_calls_that_never_wait_leave_others_their_turn(pool):
    ended, seen, done = 0, [], threading.Event()

    def look():
        seen.append(ended)

    async def call():
        nonlocal ended
        if not ended:
            asyncio.get_running_loop().call_soon(look)
        ended += 1
        if ended == 10_000:
            done.set()

    pool.execute_many(call, 10_000)
    assert done.wait(PATIENCE)
    assert seen[0] < 1000


def test_a_call_knows_its_task_from_its_first_step_on(pool):
    async def call():
        first = asyncio.current_task()
        await asyncio.sleep(0)
        return first is not None and first is asyncio.current_task()

    assert pool.submit(call).result(PATIENCE)


def test_a_loop_with_a_task_factory_makes_the_tasks():
    made = []

    def factory(loop, coroutine, **options):
        made.append(coroutine)
        return asyncio.Task(coroutine, loop=loop, **options)

    loop = asyncio.new_event_loop()
    loop.set_task_factory(factory)
    with AsyncPool(max_workers=10, loop=loop) as pool:
        pool.submit(asyncio.sleep, 0).result(PATIENCE)
        assert len(made) == 1
    loop.close()
