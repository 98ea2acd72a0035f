"""`specify_async_loop`: the user's own loop, whoever runs it."""

import asyncio
import threading

import pytest

from fsdf import ConcurrentModeEnum
from fsdf_core.waiting import wait_until

PATIENCE = 30
MODES = [ConcurrentModeEnum.ASYNC, ConcurrentModeEnum.THREADING, ConcurrentModeEnum.SINGLE_THREAD]


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def foreign_loop():
    """A loop that somebody runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(PATIENCE)
    loop.close()


def take(ran, count):
    return [ran.get(timeout=PATIENCE) for _ in range(count)]


def test_a_running_loop_of_the_user_is_used_and_left_running(decorate, ran, foreign_loop, mode):
    async def task():
        ran.put(asyncio.get_running_loop())

    task = decorate(task, concurrent_mode=mode, specify_async_loop=foreign_loop)
    for _ in range(2):
        task.push_many([()] * 3)
        task.consume()
        assert set(take(ran, 3)) == {foreign_loop}
        assert task.stop()
    assert foreign_loop.is_running()


def test_a_loop_that_nobody_runs_is_run(decorate, ran, mode):
    loop = asyncio.new_event_loop()

    async def task():
        ran.put(asyncio.get_running_loop())

    task = decorate(task, concurrent_mode=mode, specify_async_loop=loop)
    for _ in range(2):
        task.push()
        task.consume()
        assert take(ran, 1) == [loop]
        assert task.stop()
    assert not loop.is_running()
    assert not loop.is_closed()
    loop.close()


def test_a_loop_that_the_user_will_run_waits_for_the_user(decorate, ran, mode):
    loop = asyncio.new_event_loop()

    async def task():
        ran.put(threading.current_thread())
        loop.call_soon(loop.stop)

    options = {"specify_async_loop": loop, "is_auto_start_specify_async_loop_in_child_thread": False}
    task = decorate(task, concurrent_mode=mode, **options)
    task.push()
    task.consume()
    assert ran.empty()
    loop.run_forever()
    assert take(ran, 1) == [threading.current_thread()]
    loop.call_later(1, loop.stop)  # until the message is settled
    loop.run_forever()
    assert task.stop()
    loop.close()


def new_threads(before, queue_name):
    return [thread for thread in set(threading.enumerate()) - before if queue_name in thread.name]


def test_a_stop_does_not_leave_threads_waiting_for_a_loop_that_has_ended(decorate):
    loop, entered = asyncio.new_event_loop(), threading.Event()

    async def stay():
        entered.set()
        await asyncio.Event().wait()

    before = set(threading.enumerate())
    task = decorate(stay, specify_async_loop=loop)
    task.push()
    task.consume()
    assert entered.wait(PATIENCE)
    assert new_threads(before, task.queue_name)
    assert not task.stop(timeout=0.1)
    assert task.get_message_count() == 1
    assert wait_until(lambda: not new_threads(before, task.queue_name), PATIENCE, 0.01), threading.enumerate()
    task.clear()
    for left in asyncio.all_tasks(loop):
        left.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
