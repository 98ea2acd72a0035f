from __future__ import annotations

import gc
import threading
import time

import pytest

from fsdf_pools import ShrinkableThreadPoolExecutor


def occupy(pool, count):
    barrier = threading.Barrier(count)
    pool.execute_many(lambda: barrier.wait(10), count)
    deadline = time.monotonic() + 10
    while pool.queued or pool.busy:
        assert time.monotonic() < deadline
        time.sleep(0.002)


def processor_time(pool):
    """Return the seconds of the pool's threads, or of the process where the system does not tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.process_time()
    threads = [member.thread.ident for member in pool._crew.members]
    return sum(time.clock_gettime(time.pthread_getcpuclockid(thread)) for thread in threads)


@pytest.mark.parametrize("least", [0, 1, 3])
def test_idle_workers_end_down_to_the_minimum(make_pool, until, least):
    pool = make_pool(10, min_workers=least, keep_alive=0.1)
    occupy(pool, 10)
    assert pool.workers == 10
    until(lambda: pool.workers == least, timeout=2)
    time.sleep(0.2)
    assert (pool.workers, pool.idle, pool.busy) == (least, least, 0)
    occupy(pool, 10)


def test_the_oldest_idle_workers_end_although_there_is_some_work(make_pool, until):
    pool = make_pool(10, keep_alive=0.1)
    occupy(pool, 10)
    deadline = time.monotonic() + 3
    while pool.workers > 2:
        assert time.monotonic() < deadline
        pool.submit(int).result(5)
        time.sleep(0.01)
    assert pool.workers >= 1


def test_no_keep_alive_at_all(make_pool, until):
    pool = make_pool(5, keep_alive=0)
    for _ in range(200):
        assert pool.submit(int).result(5) == 0
    occupy(pool, 5)
    until(lambda: pool.workers == 0)


def test_a_minimum_without_keep_alive_does_not_spin(make_pool, until):
    pool = make_pool(5, keep_alive=0, min_workers=2)
    occupy(pool, 5)
    until(lambda: pool.workers == 2)
    used = processor_time(pool)
    time.sleep(0.3)
    assert processor_time(pool) - used < 0.15


def test_an_endless_keep_alive(make_pool):
    pool = make_pool(2, keep_alive=float("inf"))
    occupy(pool, 2)
    occupy(pool, 2)
    assert pool.workers == 2


def test_shrinking_ends_idle_workers_at_once(make_pool, until):
    pool = make_pool(10)
    occupy(pool, 10)
    pool.resize(4)
    until(lambda: pool.workers == 4)
    assert pool.max_workers == 4
    occupy(pool, 4)


def test_shrinking_lets_busy_workers_finish_their_call(make_pool, until):
    pool = make_pool(8)
    go, ran = threading.Event(), []
    pool.execute_many(lambda: (go.wait(10), ran.append(1)), 20)
    until(lambda: pool.busy == 8)
    pool.resize(2)
    assert pool.workers == 8
    assert pool.free_slots() == 0
    go.set()
    until(lambda: len(ran) == 20)
    assert pool.workers == 2


def test_growing_serves_what_waits(make_pool, until):
    pool = make_pool(1)
    barrier = threading.Barrier(6)
    pool.execute_many(lambda: barrier.wait(10), 6)
    until(lambda: pool.busy == 1)
    time.sleep(0.1)
    assert pool.workers == 1
    pool.resize(6)
    until(lambda: not pool.queued and not pool.busy)


def test_a_size_below_the_minimum_wins(make_pool, until):
    pool = make_pool(5, min_workers=3)
    occupy(pool, 5)
    pool.resize(1)
    until(lambda: pool.workers == 1)
    with pytest.raises(ValueError, match="max_workers"):
        pool.resize(0)


def test_the_workers_of_a_forgotten_pool_end(until):
    pool = ShrinkableThreadPoolExecutor(4, min_workers=4, keep_alive=1000, thread_name_prefix="forgotten")
    occupy(pool, 4)
    ran = []
    pool.execute_many(lambda: (time.sleep(0.02), ran.append(1)), 12)
    del pool
    gc.collect()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("forgotten")])
    assert len(ran) == 12
