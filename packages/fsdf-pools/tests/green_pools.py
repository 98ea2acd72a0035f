"""What pools of greenlets must do: `green_pools.py LIBRARY`. Prints "done"."""

import os
import sys

if sys.argv[1] == "gevent":
    from gevent import monkey

    monkey.patch_all()
    from fsdf_pools.gevent_pool import GeventPool as Pool
else:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import eventlet
    eventlet.monkey_patch()
    from fsdf_pools.eventlet_pool import EventletPool as Pool

import logging
import threading
import time
import tracemalloc

import pytest

from fsdf_pools import PoolClosedError

PATIENCE = 30
logged = []
logging.getLogger("fsdf.pools").addHandler(handler := logging.Handler())
handler.emit = lambda record: logged.append(record.getMessage())


def refused(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def sizes():
    refused(lambda: Pool(0), ValueError, "at least 1")
    pool = Pool(2)
    refused(lambda: pool.resize(0), ValueError, "at least 1")
    go, ran = threading.Event(), []

    def call():
        ran.append(1)
        go.wait(PATIENCE)

    assert (pool.busy, pool.free_slots(), pool.max_workers) == (0, 2, 2)
    pool.execute_many(call, 0)
    assert pool.free_slots() == 2
    pool.execute_many(call, 5)
    time.sleep(0)
    assert pool.free_slots() == 0
    until(lambda: len(ran) == 2)
    pool.resize(4)
    until(lambda: len(ran) == 4)
    pool.resize(1)
    go.set()
    assert pool.close(PATIENCE)
    assert (len(ran), pool.busy, pool.quiet()) == (5, 0, True)
    refused(lambda: pool.execute_many(call, 1), PoolClosedError, "closed")


def outcomes():
    with Pool(3) as pool:
        assert pool.submit(pow, 2, exp=3).result(PATIENCE) == 8
        assert isinstance(pool.submit(lambda: 1 / 0).exception(PATIENCE), ZeroDivisionError)
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        pool.execute_many(lambda: sys.exit(3), 1)  # ends neither the hub nor the process
        until(lambda: len(logged) == 1)
        assert pool.submit(int).result(PATIENCE) == 0


def a_close_waits_no_longer_than_told():
    pool, go = Pool(1), threading.Event()
    pool.execute_many(lambda: go.wait(PATIENCE), 1)
    assert not pool.close(0.05)
    go.set()
    assert pool.close(PATIENCE)
    inner = Pool(1)
    assert inner.submit(lambda: inner.close(PATIENCE)).result(PATIENCE) is False  # it would wait for itself


def who_never_waits_lets_others_have_a_turn():
    pool, other = Pool(1), threading.Event()
    threading.Thread(target=other.set).start()
    turns = []

    def busy():
        until = time.monotonic() + 0.02
        while time.monotonic() < until:
            pass
        turns.append(other.is_set())

    pool.execute_many(busy, 5)
    assert pool.close(PATIENCE)
    assert turns[-1]


def ten_thousand_at_once():
    pool, go = Pool(10_000), threading.Event()
    entered = []
    tracemalloc.start()

    def call():
        entered.append(1)
        go.wait()

    pool.execute_many(call, 10_000)
    until(lambda: len(entered) == 10_000)
    each = tracemalloc.get_traced_memory()[0] / 10_000
    tracemalloc.stop()
    assert each < 10_000, each
    go.set()
    assert pool.close(PATIENCE)


def calls_that_do_not_wait_share_one_greenlet():
    pool, seen = Pool(100), set()
    pool.execute_many(lambda: seen.add(id(pool.current())), 100)
    assert pool.close(PATIENCE)
    assert len(seen) == 1


def interrupts():
    pool, seen, here = Pool(1), [], []

    class Stop(BaseException):
        """Ends a call."""

    def call():
        here.append(pool.current())
        try:
            time.sleep(PATIENCE)
        except Stop:
            seen.append("stopped")
        time.sleep(0.05)  # what was taken back would arrive here
        seen.append("ended")

    pool.execute_many(call, 1)
    until(lambda: here)
    assert pool.innermost(here[0]) is not None
    assert pool.interrupt(here[0], Stop) == 1
    until(lambda: seen)
    assert pool.interrupt(here[0], Stop) == 1
    assert pool.interrupt(here[0], None) == 1
    assert pool.close(PATIENCE)
    assert seen == ["stopped", "ended"]
    assert pool.interrupt(here[0], Stop) == 0


def forks():
    if not hasattr(os, "fork") or sys.argv[1] == "eventlet":
        return  # eventlet's hub shares its epoll with the parent
    pool, go = Pool(1), threading.Event()
    pool.execute_many(lambda: go.wait(PATIENCE), 2)
    time.sleep(0)
    if (child := os.fork()) == 0:
        status = 0 if (pool.free_slots(), pool.busy) == (1, 0) else 3
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    go.set()
    assert pool.close(PATIENCE)


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


if __name__ == "__main__":
    sizes()
    outcomes()
    a_close_waits_no_longer_than_told()
    who_never_waits_lets_others_have_a_turn()
    ten_thousand_at_once()
    calls_that_do_not_wait_share_one_greenlet()
    interrupts()
    forks()
    last = Pool(1)
    last.execute_many(lambda: (time.sleep(0.1), print("done")), 1)
