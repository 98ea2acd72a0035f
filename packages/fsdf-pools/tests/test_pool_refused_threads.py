from __future__ import annotations

import threading

import pytest

from fsdf_pools import NoThreadError


@pytest.fixture
def refuse(monkeypatch):
    """Let the operating system refuse all threads but so many."""
    real = threading.Thread.start

    def limit(count):
        left = [1] * count

        def start(thread):
            if not left:
                msg = "can't start new thread"
                raise RuntimeError(msg)
            left.pop()
            real(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    return limit


def test_without_any_thread_the_caller_is_told(make_pool, refuse):
    pool = make_pool(5)
    refuse(0)
    for add in (
        lambda: pool.submit(int),
        lambda: pool.execute(int),
        lambda: pool.execute_many(int, 5),
    ):
        with pytest.raises(NoThreadError, match="refused"):
            add()
    assert (pool.queued, pool.workers, pool.busy) == (0, 0, 0)
    refuse(2)
    assert pool.submit(int).result(5) == 0


@pytest.mark.parametrize("threads", [1, 2, 3, 6])
def test_it_goes_on_with_the_threads_it_has(make_pool, refuse, until, caplog, threads):
    pool = make_pool(50)
    refuse(threads)
    go = threading.Event()
    ran = []
    for _ in range(30):
        pool.execute(lambda: (go.wait(10), ran.append(1)))
    until(lambda: any("fewer workers" in record.getMessage() for record in caplog.records))
    go.set()
    until(lambda: len(ran) == 30)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    refuse(100)
    barrier = threading.Barrier(20)
    until(lambda: pool.busy == 0)
    pool.execute_many(lambda: barrier.wait(10), 20)
    assert pool.close(10)
    assert not barrier.broken
