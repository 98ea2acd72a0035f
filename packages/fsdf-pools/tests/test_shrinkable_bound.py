from __future__ import annotations

import queue
import threading
import time

import pytest

from fsdf_pools import PoolClosedError, PoolFullError


@pytest.fixture
def full(make_pool, until):
    """A pool with one busy worker and a full queue of 2."""
    pool = make_pool(1, queue_size=2)
    go = threading.Event()
    pool.execute(go.wait, 20)
    until(lambda: pool.queued == 0)
    pool.submit(int)
    pool.execute(int)
    yield pool, go
    go.set()


def test_submit_within_gives_up(full):
    pool, _ = full
    for timeout in (0, 0.05):
        start = time.monotonic()
        with pytest.raises(PoolFullError, match="no room"):
            pool.submit_within(timeout, int)
        assert timeout <= time.monotonic() - start < timeout + 1
    assert pool.queued == 2
    assert issubclass(PoolFullError, queue.Full)


@pytest.mark.parametrize("method", ["submit", "execute"])
def test_a_full_queue_blocks_until_there_is_room(full, until, method):
    pool, go = full
    added = threading.Event()
    thread = threading.Thread(target=lambda: (getattr(pool, method)(int), added.set()), daemon=True)
    thread.start()
    assert not added.wait(0.05)
    go.set()
    assert added.wait(5)
    thread.join(5)


@pytest.mark.parametrize("end", ["shutdown", "close"])
def test_closing_ends_the_wait_with_an_error(full, end):
    pool, go = full
    caught, waiting = [], threading.Event()

    def add():
        waiting.set()
        with pytest.raises(PoolClosedError) as info:
            pool.submit(int)
        caught.append(info.value)

    threads = [threading.Thread(target=add, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert waiting.wait(5)
    pool.shutdown(wait=False) if end == "shutdown" else pool.close(0)
    for thread in threads:
        thread.join(5)
    assert len(caught) == 3
    go.set()
    assert pool.close(5)


def test_execute_many_passes_over_the_bound(full):
    pool, _ = full
    pool.execute_many(int, 10)
    assert pool.queued == 12


def test_the_bound_is_exact_with_many_producers(make_pool):
    pool = make_pool(3, queue_size=4)
    seen, ran = [], []

    def produce():
        for _ in range(200):
            pool.submit(ran.append, 1)
            seen.append(pool.queued)

    producers = [threading.Thread(target=produce, daemon=True) for _ in range(6)]
    for thread in producers:
        thread.start()
    for thread in producers:
        thread.join(20)
    assert pool.close(10)
    assert len(ran) == 1200
    assert max(seen) <= 4


def test_a_small_queue_does_not_hinder_growth(make_pool):
    pool = make_pool(40, queue_size=1)
    barrier = threading.Barrier(40)
    futures = [pool.submit(barrier.wait, 10) for _ in range(40)]
    assert sorted(future.result(10) for future in futures) == list(range(40))
