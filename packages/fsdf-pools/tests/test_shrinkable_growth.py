from __future__ import annotations

import itertools
import threading
import time

import pytest


def noop():
    pass


@pytest.mark.parametrize("way", ["execute", "execute_many", "small batches"])
def test_a_burst_of_quick_calls_needs_a_handful_of_threads(make_pool, way):
    pool = make_pool(1000, thread_name_prefix=f"burst {way}")
    most = 0
    total = 1_000_000
    if way == "execute_many":
        pool.execute_many(noop, total)
    else:
        add = pool.execute if way == "execute" else (lambda call: pool.execute_many(call, 10))
        for number in range(total if way == "execute" else total // 10):
            add(noop)
            if not number % 1000:
                most = max(most, pool.workers)
    ended = threading.Event()
    pool.execute(ended.set)
    while not ended.wait(0.01):
        most = max(most, pool.workers)
    assert max(most, pool.workers) <= 8


def test_a_thousand_blocking_calls_run_side_by_side(make_pool):
    pool = make_pool(1000)
    start = time.monotonic()
    for _ in range(500):
        pool.execute(time.sleep, 1)
    pool.execute_many(lambda: time.sleep(1), 500)
    assert pool.close(10)
    # 1.25 s on a free machine with two cores; where others take the cores, starting threads is slow.
    assert time.monotonic() - start < 3.0


@pytest.mark.realtime
def test_sporadic_blocking_calls_start_at_once(make_pool):
    pool = make_pool(1000)
    go, delays = threading.Event(), []

    def block(added):
        delays.append(time.perf_counter() - added)
        go.wait(10)

    for _ in range(50):
        pool.execute(block, time.perf_counter())
        time.sleep(0.01)
    go.set()
    assert pool.close(10)
    assert len(delays) == 50
    assert sorted(delays)[25] < 0.002


@pytest.mark.parametrize("before", [0, 1, 20_000])
def test_calls_that_wait_for_each_other_all_get_a_thread(make_pool, before):
    pool = make_pool(64)
    pool.execute_many(noop, before)
    barrier = threading.Barrier(64)
    pool.execute_many(lambda: barrier.wait(10), 63)
    pool.submit(barrier.wait, 10).result(10)


def test_quick_calls_behind_slow_ones_are_not_stranded(make_pool):
    pool = make_pool(20)
    go = threading.Event()
    numbers = itertools.count()
    for _ in range(15):
        pool.execute_many(lambda: next(numbers), 500)
        pool.execute(go.wait, 20)
    pool.submit(int).result(5)
    go.set()
    assert pool.close(10)
    assert next(numbers) == 15 * 500


@pytest.mark.parametrize(("seconds", "count", "limit"), [(0.001, 4000, 2.0), (0.1, 200, 1.0)])
def test_short_sleeps_are_overlapped(make_pool, seconds, count, limit):
    pool = make_pool(200)
    start = time.monotonic()
    pool.execute_many(lambda: time.sleep(seconds), count)
    assert pool.close(20)
    assert time.monotonic() - start < limit


def test_never_more_than_max_workers(make_pool):
    pool = make_pool(7)
    running, most = set(), []

    def call():
        running.add(threading.get_ident())
        most.append(len(running))
        time.sleep(0.002)
        running.discard(threading.get_ident())

    pool.execute_many(call, 300)
    assert pool.close(10)
    assert max(most) == 7


@pytest.mark.realtime
def test_a_million_workers_cost_nothing_by_themselves(make_pool):
    start = time.perf_counter()
    pool = make_pool(1_000_000)
    assert pool.submit(int).result(5) == 0
    assert pool.workers == 1
    assert time.perf_counter() - start < 0.5


def test_no_grower_stays(make_pool, until):
    pool = make_pool(10, thread_name_prefix="watched")
    pool.execute_many(lambda: time.sleep(0.01), 20)
    until(lambda: "watched-grower" in {thread.name for thread in threading.enumerate()})
    until(lambda: "watched-grower" not in {thread.name for thread in threading.enumerate()})
