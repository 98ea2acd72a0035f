from __future__ import annotations

import logging
import threading

import pytest


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt(), IndexError()])
def test_a_failure_is_logged_and_the_worker_lives(make_pool, caplog, error):
    pool = make_pool(1)

    def fail():
        raise error

    name = pool.submit(lambda: threading.current_thread().name).result(5)
    pool.execute(fail)
    assert pool.submit(lambda: threading.current_thread().name).result(5) == name
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("fsdf.pools", logging.ERROR)
    assert "fail failed" in record.getMessage()
    assert record.exc_info[1] is error


def test_a_failure_of_execute_many_is_logged_each_time(make_pool, caplog):
    pool = make_pool(3)
    pool.execute_many(lambda: 1 / 0, 7)
    assert pool.close(5)
    assert len(caplog.records) == 7


def test_a_broken_log_handler_costs_no_worker(make_pool, caplog):
    class Broken(logging.Filter):
        def filter(self, record):
            if "disturbed" in record.getMessage():
                return True
            raise OSError

    pool = make_pool(1)
    logger, broken = logging.getLogger("fsdf.pools"), Broken()
    logger.addFilter(broken)
    try:
        name = pool.submit(lambda: threading.current_thread().name).result(5)
        pool.execute_many(lambda: 1 / 0, 3)
        assert pool.submit(lambda: threading.current_thread().name).result(5) == name
        assert pool.workers == 1
    finally:
        logger.removeFilter(broken)


def test_execute_passes_arguments(make_pool):
    pool, got = make_pool(1), []
    pool.execute(got.append, 1)
    pool.execute(got.extend, [2, 3])
    assert pool.close(5)
    assert got == [1, 2, 3]


@pytest.mark.parametrize("count", [-3, 0])
def test_execute_many_of_nothing_starts_nothing(make_pool, count):
    pool = make_pool(5)
    pool.execute_many(pytest.fail, count)
    assert (pool.workers, pool.queued) == (0, 0)


def test_execute_many_runs_exactly_count_calls(make_pool):
    pool = make_pool(8)
    tokens = []
    for count in range(40):
        pool.execute_many(lambda: tokens.append(1), count)
    assert pool.close(5)
    assert len(tokens) == sum(range(40))


def test_execute_many_wakes_all_who_sleep(make_pool, until):
    pool = make_pool(30)
    for _ in range(3):
        barrier = threading.Barrier(30)
        pool.execute_many(lambda barrier=barrier: barrier.wait(5), 30)
        until(lambda: pool.busy == 0 and pool.queued == 0)
        assert pool.idle == 30


def test_free_slots_count_what_runs_and_what_waits(make_pool, until):
    pool = make_pool(4)
    go = threading.Event()
    pool.execute_many(lambda: go.wait(10), 3)
    until(lambda: pool.busy == 3 and not pool.queued)
    assert pool.free_slots() == 1
    pool.execute_many(lambda: go.wait(10), 5)
    until(lambda: pool.queued == 4)
    assert pool.free_slots() == 0
    pool.resize(20)
    until(lambda: not pool.queued)
    assert (pool.busy, pool.free_slots()) == (8, 12)
    go.set()
    until(lambda: pool.idle == pool.workers)
    assert pool.free_slots() == 20


def test_an_exception_injected_from_outside_costs_no_worker(make_pool, until):
    inject = pytest.importorskip("ctypes").pythonapi.PyThreadState_SetAsyncExc
    pool = make_pool(1, min_workers=1)
    ident = pool.submit(threading.get_ident).result(5)
    ctypes = pytest.importorskip("ctypes")
    for _ in range(20):
        until(lambda: pool.idle == 1)
        inject(ctypes.c_ulong(ident), ctypes.py_object(ZeroDivisionError))
        # The exception hits the worker anywhere from its waking on, maybe inside this call.
        pool.submit(int).exception(5)
        assert pool.submit(threading.get_ident).result(5) == ident
    assert pool.workers == 1
