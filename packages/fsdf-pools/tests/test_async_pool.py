"""Coroutines in one loop."""

import asyncio
import gc
import os
import threading
import time

import pytest

from fsdf_pools import AsyncPool, PoolClosedError

PATIENCE = 30


@pytest.fixture(params=["own", "given", "running"])
def pool(request):
    """The pool on a loop of its own, on one it was given, on one that somebody runs."""
    if request.param == "own":
        with AsyncPool(max_workers=10) as made:
            yield made
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    if request.param == "running":
        thread.start()
    with AsyncPool(max_workers=10, loop=loop) as made:
        yield made
    assert not loop.is_closed()
    if request.param == "running":
        assert loop.is_running()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
    loop.close()


def test_results_and_errors(pool):
    async def divide(x, y):
        await asyncio.sleep(0)
        return x / y

    assert pool.submit(divide, 6, y=3).result(PATIENCE) == 2
    with pytest.raises(ZeroDivisionError):
        pool.submit(divide, 1, 0).result(PATIENCE)


def test_never_more_than_max_workers_at_a_time_and_all_of_them(pool):
    running = highest = 0
    done = threading.Semaphore(0)
    full = asyncio.Event()

    async def call():
        nonlocal running, highest
        running += 1
        highest = max(highest, running)
        if running == 10:
            full.set()
        await asyncio.wait_for(full.wait(), PATIENCE)
        await asyncio.sleep(0)
        running -= 1
        done.release()

    pool.execute_many(call, 50)
    for _ in range(50):
        assert done.acquire(timeout=PATIENCE)
    assert highest == 10


def test_free_slots_count_what_is_queued(pool):
    release = asyncio.Event()

    async def call():
        await asyncio.wait_for(release.wait(), PATIENCE)

    assert pool.free_slots() == 10
    pool.execute_many(call, 7)
    assert pool.free_slots() == 3
    pool.execute_many(call, 7)
    assert pool.free_slots() == 0
    pool.loop.call_soon_threadsafe(release.set)
    assert pool.close(PATIENCE)
    assert pool.free_slots() == 10


def test_a_larger_pool_starts_what_waits(pool):
    entered = threading.Semaphore(0)
    release = asyncio.Event()

    async def call():
        entered.release()
        await asyncio.wait_for(release.wait(), PATIENCE)

    pool.execute_many(call, 12)
    pool.resize(12)
    for _ in range(12):
        assert entered.acquire(timeout=PATIENCE)
    pool.loop.call_soon_threadsafe(release.set)


def test_a_smaller_pool_lets_tasks_end_between_their_calls(pool):
    running, seen, done = 0, [], threading.Event()

    async def call():
        nonlocal running
        running += 1
        await asyncio.sleep(0.001)
        seen.append((pool.max_workers, running))
        running -= 1
        if len(seen) == 100:
            pool.resize(2)
        if len(seen) == 200:
            done.set()

    pool.execute_many(call, 200)
    assert done.wait(PATIENCE)
    assert max(running for _, running in seen[:100]) > 2
    assert max(running for _, running in seen[120:]) <= 2


def test_each_call_has_a_context_of_its_own(pool):
    import contextvars

    variable = contextvars.ContextVar("variable", default=0)

    async def call():
        found = variable.get()
        variable.set(1)
        return found

    assert [pool.submit(call).result(PATIENCE) for _ in range(3)] == [0, 0, 0]


def test_a_failure_is_logged_and_the_pool_goes_on(pool, caplog):
    async def call():
        raise SystemExit(3)

    async def fine():
        return 1

    pool.execute_many(call, 1)
    assert pool.submit(fine).result(PATIENCE) == 1
    assert "SystemExit" in caplog.text


def test_a_closed_pool_refuses(pool):
    async def call(): ...

    pool.close()
    with pytest.raises(PoolClosedError):
        pool.execute_many(call, 1)


def test_close_cancels_what_does_not_end():
    pool = AsyncPool(thread_name_prefix="cancelling")
    entered, cancelled = threading.Event(), threading.Event()

    async def call():
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    pool.execute_many(call, 1)
    assert entered.wait(PATIENCE)
    assert not pool.close(0.05)
    assert cancelled.is_set()
    assert not any(thread.name == "cancelling-loop" for thread in threading.enumerate())


def test_a_closed_loop_is_a_clear_error():
    loop = asyncio.new_event_loop()
    loop.close()
    pool = AsyncPool(loop=loop)

    async def call(): ...

    with pytest.raises(PoolClosedError, match="closed"):
        pool.execute_many(call, 1)
    assert pool.free_slots() == 50


def test_a_loop_left_to_its_owner_runs_when_the_owner_runs_it():
    loop = asyncio.new_event_loop()
    pool = AsyncPool(loop=loop, run_loop=False)

    async def call():
        return threading.get_ident()

    future = pool.submit(call)
    loop.run_until_complete(asyncio.wait_for(asyncio.wrap_future(future, loop=loop), PATIENCE))
    assert future.result(0) == threading.get_ident()
    pool.close(0)
    loop.close()


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        AsyncPool(0)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_an_empty_pool_that_works():
    with AsyncPool() as pool:
        release = asyncio.Event()

        async def wait():
            await asyncio.wait_for(release.wait(), PATIENCE)

        async def fine():
            return 7

        pool.execute_many(wait, 3)
        child = os.fork()
        if not child:
            ok = pool.free_slots() == 50 and pool.submit(fine).result(PATIENCE) == 7
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        pool.loop.call_soon_threadsafe(release.set)


def test_the_interpreter_finishes_what_was_handed_over(tmp_path):
    import subprocess
    import sys

    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio\n"
        "from fsdf_pools import AsyncPool\n"
        "async def call():\n"
        "    await asyncio.sleep(0.3)\n"
        "    print('done', flush=True)\n"
        "AsyncPool().execute_many(call, 2)\n"
    )
    begun = time.monotonic()
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert ended.stdout == "done\ndone\n"
    assert time.monotonic() - begun < PATIENCE


def test_a_pool_that_is_dropped_ends_its_thread():
    done = threading.Event()

    async def call():
        done.set()

    pool = AsyncPool(thread_name_prefix="dropped")
    pool.execute_many(call, 1)
    assert done.wait(PATIENCE)
    threads = [thread for thread in threading.enumerate() if thread.name == "dropped-loop"]
    assert threads
    del pool
    deadline = time.monotonic() + PATIENCE
    while threads[0].is_alive():
        gc.collect()
        threads[0].join(0.01)
        assert time.monotonic() < deadline


def test_what_calls_leave_on_the_loop_ends_with_the_pool():
    ended, left = [], []

    async def soon():
        await asyncio.sleep(0.05)
        ended.append("soon")

    async def never():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("never")

    async def call():
        left.extend([asyncio.create_task(soon()), asyncio.create_task(never())])

    with AsyncPool() as pool:
        pool.submit(call).result(PATIENCE)
    assert ended == ["soon", "never"]
    assert [task.cancelled() for task in left] == [False, True]
