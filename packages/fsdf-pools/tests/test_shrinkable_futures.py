from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import CancelledError, Executor, wait

import pytest

from fsdf_pools import PoolClosedError, ShrinkableThreadPoolExecutor


def test_it_is_an_executor(make_pool):
    pool = make_pool(4)
    assert isinstance(pool, Executor)
    assert pool.submit(divmod, 7, 2).result(5) == (3, 1)
    assert pool.submit(int, "11", base=2).result(5) == 3
    assert list(pool.map(pow, range(50), range(50), timeout=5)) == [n**n for n in range(50)]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_every_exception_goes_to_the_future_and_the_worker_lives(make_pool, error):
    pool = make_pool(1, min_workers=1)

    def fail():
        raise error

    name = pool.submit(lambda: threading.current_thread().name).result(5)
    assert pool.submit(fail).exception(5) is error
    assert pool.submit(lambda: threading.current_thread().name).result(5) == name


def test_a_queued_future_can_be_cancelled_and_a_running_one_cannot(make_pool):
    pool = make_pool(1)
    started, go = threading.Event(), threading.Event()
    running = pool.submit(lambda: (started.set(), go.wait(5)))
    assert started.wait(5)
    assert running.running()
    queued = pool.submit(pytest.fail, "ran")
    assert not running.cancel()
    assert queued.cancel()
    go.set()
    running.result(5)
    assert pool.submit(int).result(5) == 0
    with pytest.raises(CancelledError):
        queued.result(5)


def test_leaving_the_with_statement_waits_for_the_work():
    done = []
    with ShrinkableThreadPoolExecutor(3, thread_name_prefix="with") as pool:
        for number in range(100):
            pool.submit(done.append, number)
    assert sorted(done) == list(range(100))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("with-")]


def test_shutdown_can_drop_what_has_not_begun(make_pool):
    pool = make_pool(1)
    started, go, ran = threading.Event(), threading.Event(), []
    running = pool.submit(lambda: (started.set(), go.wait(5)))
    assert started.wait(5)
    futures = [pool.submit(ran.append, 1) for _ in range(5)]
    futures[0].cancel()
    pool.execute(ran.append, 2)
    pool.shutdown(wait=False, cancel_futures=True)
    assert not wait(futures, timeout=5).not_done
    go.set()
    pool.shutdown()
    assert running.done()
    assert not ran
    assert all(future.cancelled() for future in futures)


def test_nothing_is_accepted_after_shutdown(make_pool):
    pool = make_pool(2)
    pool.shutdown()
    for add in (
        lambda: pool.submit(int),
        lambda: pool.submit_within(1, int),
        lambda: pool.execute(int),
        lambda: pool.execute_many(int, 2),
    ):
        with pytest.raises(PoolClosedError, match="accepts no more work"):
            add()
    assert issubclass(PoolClosedError, RuntimeError)


def test_close_tells_whether_all_ended(make_pool):
    pool = make_pool(2)
    go = threading.Event()
    future = pool.submit(go.wait, 5)
    assert not pool.close(0.02)
    go.set()
    assert pool.close(5)
    assert future.result(0)
    assert pool.workers == 0
    assert pool.close(0)


def test_a_task_may_shut_its_pool_down(make_pool):
    pool = make_pool(2)
    assert pool.submit(pool.close, 0.2).result(5) is False
    assert pool.close(5)


def test_a_pool_may_be_resized_and_used_by_its_tasks(make_pool):
    pool = make_pool(2)
    assert pool.submit(lambda: pool.submit(lambda: pool.submit(int)).result(5).result(5)).result(5) == 0


def test_neither_results_nor_arguments_are_kept(make_pool):
    class Thing:
        def fail(self) -> None:
            raise ValueError

    pool = make_pool(1)
    thing = Thing()
    gone = weakref.ref(thing)
    gc.disable()
    try:
        assert pool.submit(thing.fail).exception(5)
        pool.submit(id, thing).result(5)
        del thing
        pool.submit(int).result(5)
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    "options",
    [
        {"max_workers": 0},
        {"max_workers": -1},
        {"min_workers": -1},
        {"max_workers": 2, "min_workers": 3},
        {"keep_alive": -0.1},
        {"keep_alive": float("nan")},
        {"queue_size": -1},
    ],
)
def test_numbers_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=r"workers|keep_alive|queue_size"):
        ShrinkableThreadPoolExecutor(**options)


def test_the_defaults():
    pool = ShrinkableThreadPoolExecutor()
    assert (pool.max_workers, pool.min_workers, pool.workers, pool.idle, pool.busy, pool.queued) == (
        50,
        0,
        0,
        0,
        0,
        0,
    )
    assert pool.free_slots() == 50
    assert ShrinkableThreadPoolExecutor(min_workers=70).max_workers == 70
