from __future__ import annotations

import threading

import pytest

from fsdf_pools import PoolClosedError, SoloExecutor


def test_calls_run_in_the_caller():
    with SoloExecutor() as solo:
        future = solo.submit(threading.current_thread)
        assert future.done()
        assert future.result(0) is threading.current_thread()
        assert solo.submit_within(0, int, "7").result(0) == 7
        assert list(solo.map(abs, [-1, -2])) == [1, 2]
        ran = []
        solo.execute(ran.append, 1)
        solo.execute_many(lambda: ran.append(2), 3)
        assert ran == [1, 2, 2, 2]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1)])
def test_failures_go_to_the_future_or_to_the_log(caplog, error):
    def fail():
        raise error

    solo = SoloExecutor(max_workers=7)
    assert solo.submit(fail).exception(0) is error
    assert not caplog.records
    solo.execute(fail)
    solo.execute_many(fail, 2)
    assert [record.name for record in caplog.records] == ["fsdf.pools"] * 3
    assert caplog.records[0].exc_info[1] is error
    assert solo.free_slots() == 1


def test_ctrl_c_reaches_the_caller():
    def interrupt():
        raise KeyboardInterrupt

    solo = SoloExecutor()
    for run in (solo.submit, solo.execute):
        with pytest.raises(KeyboardInterrupt):
            run(interrupt)
    assert solo.free_slots() == 1


def test_the_numbers():
    solo = SoloExecutor()
    numbers = []
    solo.execute(lambda: numbers.append((solo.free_slots(), solo.busy, solo.workers)))
    assert numbers == [(0, 1, 1)]
    assert (solo.free_slots(), solo.busy, solo.workers, solo.idle, solo.queued) == (1, 0, 0, 0, 0)
    solo.resize(10)
    assert (solo.max_workers, solo.min_workers) == (1, 0)
    with pytest.raises(ValueError, match="max_workers"):
        solo.resize(0)


def test_closed_means_closed():
    solo = SoloExecutor()
    assert solo.submit(solo.close, 5).result(0) is False
    assert solo.close(0)
    for add in (solo.submit, solo.execute):
        with pytest.raises(PoolClosedError):
            add(int)


def test_close_waits_for_calls_in_other_threads():
    solo = SoloExecutor()
    begun, go = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: solo.execute(lambda: (begun.set(), go.wait(10))), daemon=True)
    thread.start()
    assert begun.wait(5)
    assert not solo.close(0.02)
    go.set()
    assert solo.close(5)
    thread.join(5)
