"""`AsyncResult`: what `push` returns knows how the task ends."""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fsdf import AsyncResult, ConcurrentModeEnum, HasNotAsyncResult, TaskFailed, TaskOptions
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import get_settings
from fsdf_core.verdict import Drop

PATIENCE = 60


@pytest.fixture
def task(decorate, kind):
    """Divides, with results."""

    def divide(x, y=1):
        """Returns 100 x / y."""
        return 100 * x // y

    made = decorate(divide, broker_kind=kind, is_using_rpc_mode=True, max_retry_times=0)
    yield made
    made.stop(PATIENCE)


def test_nobody_consumes(task):
    result = task.push(1).set_timeout(0.05)
    assert result.is_pending()
    for ask in (result.get, result.is_success, result.wait_rpc_data_or_raise, lambda: result.result):
        with pytest.raises(HasNotAsyncResult, match=rf"{result.task_id} has no result after 0.05 s"):
            ask()
    with pytest.raises(TimeoutError):
        result.get(0)
    assert result.status_and_result is None
    assert result.status_and_result_obj is None
    assert result.wait_rpc_data_or_raise(raise_exception=False) is None


def test_a_failed_task(task):
    task.consume()
    result = task.push(1, y=0)
    with pytest.raises(TaskFailed, match="ZeroDivisionError") as caught:
        result.get(PATIENCE)
    error = caught.value
    assert (error.task_id, error.state, error.remote_type) == (result.task_id, "failed", "ZeroDivisionError")
    assert "in divide\n" in error.traceback
    assert error.traceback.rstrip() in str(error)
    with pytest.raises(TaskFailed):
        _ = result.result
    with pytest.raises(TaskFailed):
        result.wait_rpc_data_or_raise()
    assert not result.is_success()
    assert result.wait_rpc_data_or_raise(raise_exception=False).exception_type == "ZeroDivisionError"
    status = result.status_and_result
    assert (status["success"], status["result"], status["params"]) == (False, None, {"x": 1, "y": 0})
    assert status["exception"].startswith("ZeroDivisionError    ")


def test_a_result(task):
    result = task.push(1, y=3)
    assert result.is_pending()
    task.consume()
    assert result.get(PATIENCE) == result.result == 33
    assert result.is_success()
    assert not result.is_pending()
    status = result.status_and_result_obj
    assert (status.result, status.function, status.queue_name) == (33, "divide", task.queue_name)
    assert status.time_start <= status.time_end
    assert result.rpc_data == status


def test_another_handle_by_the_id_alone(task):
    known = task.publish({"x": 2}, task_id=4711)
    task.consume()
    by_id = AsyncResult(4711)
    assert by_id.get(PATIENCE) == 200
    assert known.get(PATIENCE) == 200
    assert AsyncResult("nobody", timeout=0.05).status_and_result is None


def test_many_readers(task):
    result = task.push(3)
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(AsyncResult(result.task_id).get, PATIENCE) for _ in range(8)]
        task.consume()
        assert [read.result(PATIENCE) for read in reads] == [300] * 8


def test_many_at_once(task):
    results = task.push_many([(x,) for x in range(300)])
    with pytest.raises(HasNotAsyncResult, match="300 tasks"):
        AsyncResult.batch_wait_rpc_data_or_raise(results, timeout=0.05)
    task.consume()
    statuses = AsyncResult.batch_wait_rpc_data_or_raise(results, timeout=PATIENCE)
    assert [status.result for status in statuses] == [100 * x for x in range(300)]
    mixed = [task.push(1), task.push(1, y=0), results[0]]
    with pytest.raises(TaskFailed, match=mixed[1].task_id):
        AsyncResult.batch_wait_rpc_data_or_raise(mixed)
    statuses = AsyncResult.batch_wait_rpc_data_or_raise(mixed, raise_exception=False)
    assert [status.success for status in statuses] == [True, False, True]
    assert AsyncResult.batch_wait_rpc_data_or_raise([]) == []


def test_results_of_several_queues_at_once(decorate):
    tasks = [
        decorate(lambda x: x, is_using_rpc_mode=True, broker_kind=kind) for kind in ("MEMORY_QUEUE", "SQLITE_QUEUE")
    ]
    results = [each.push(place) for place, each in enumerate(tasks)]
    for each in tasks:
        each.consume()
    statuses = AsyncResult.batch_wait_rpc_data_or_raise(results, timeout=PATIENCE)
    assert [status.result for status in statuses] == [0, 1]


def test_callbacks(task, caplog):
    told = queue.SimpleQueue()
    late = task.push(9).set_timeout(0.05)
    late.set_callback(told.put)
    assert told.get(timeout=PATIENCE) is None
    task.consume()

    def fail(status):
        told.put("failing")
        raise ValueError("mine")

    with caplog.at_level(logging.ERROR, "fsdf.results"):
        task.push(1).set_callback(fail)
        assert told.get(timeout=PATIENCE) == "failing"
        bad = task.push(1, y=0).set_callback(told.put)
        status = told.get(timeout=PATIENCE)
    assert (status["task_id"], status["success"]) == (bad.task_id, False)
    bad.set_callback(told.put)
    assert told.get(timeout=PATIENCE) == status
    assert "the callback that waited for its result failed" in caplog.text


def test_callbacks_that_wait_for_each_other(task):
    task.consume()
    barrier = threading.Barrier(5)
    told = queue.SimpleQueue()
    for x in range(5):
        task.push(x).set_callback(lambda status: told.put((barrier.wait(PATIENCE) >= 0, status["result"])))
    assert sorted(told.get(timeout=PATIENCE) for _ in range(5)) == [(True, 100 * x) for x in range(5)]


def test_a_message_decides_for_itself(decorate, kind):
    plain = decorate(lambda x: x, broker_kind=kind)
    talking = decorate(lambda x: x, broker_kind=kind, is_using_rpc_mode=True)
    asked = plain.publish({"x": 1}, task_options=TaskOptions(is_using_rpc_mode=True))
    old = plain.publish({"x": 2}, task_options=TaskOptions(other_extra_params={"is_using_rpc_mode": True}))
    silent = talking.publish({"x": 3}, task_options=TaskOptions(is_using_rpc_mode=False))
    plain.consume()
    talking.consume()
    assert (asked.get(PATIENCE), old.get(PATIENCE)) == (1, 2)
    assert talking.push(4).get(PATIENCE) == 4
    with pytest.raises(ConfigurationError, match="sends no result back"):
        silent.get()


def test_whoever_wants_no_results_opens_no_state_store(decorate, ran):
    task = decorate(ran.put, broker_kind="SQLITE_QUEUE")
    task.push(1)
    task.consume()
    assert ran.get(timeout=PATIENCE) == 1
    assert task.stop(PATIENCE)
    assert not (get_settings().home / "state.sqlite").exists()


def test_a_message_that_was_never_sent_has_answered(decorate):
    class Refuse(Control):
        def on_publish(self, message):
            return Drop("not on Sundays")

    result = decorate(lambda x: x, is_using_rpc_mode=True, controls=[Refuse()]).push(1)
    assert not result.is_pending()
    with pytest.raises(TaskFailed, match="not on Sundays"):
        result.get()


def test_a_filtered_task(task, decorate, kind):
    filtering = decorate(lambda x: x, broker_kind=kind, is_using_rpc_mode=True, do_task_filtering=True)
    filtering.consume()
    assert filtering.push(1).get(PATIENCE) == 1
    with pytest.raises(TaskFailed, match="filtered") as caught:
        filtering.push(1).get(PATIENCE)
    assert (caught.value.state, caught.value.remote_type) == ("dropped", "")


@pytest.mark.parametrize("mode", [ConcurrentModeEnum.SINGLE_THREAD, ConcurrentModeEnum.ASYNC])
def test_other_modes(decorate, kind, mode):
    async def double(x):
        return 2 * x

    def square(x):
        return x * x

    tasks = [
        decorate(function, broker_kind=kind, concurrent_mode=mode, is_using_rpc_mode=True, max_retry_times=0)
        for function in (double, square)
    ]
    for each in tasks:
        each.consume()
    assert [each.push(5).get(PATIENCE) for each in tasks] == [10, 25]
    with pytest.raises(TaskFailed, match="TypeError"):
        tasks[0].push(None).get(PATIENCE)


def test_micro_batches(decorate, kind):
    def total(calls):
        return [call["x"] + 1 for call in calls]

    batches = decorate(total, broker_kind=kind, is_using_rpc_mode=True, micro_batch_size=3, micro_batch_timeout=0.1)
    results = batches.push_many([{"x": x} for x in range(4)])
    batches.consume()
    assert [result.get(PATIENCE) for result in results] == [1, 2, 3, 4]


def test_results_go_when_their_time_is_over(decorate):
    brief = decorate(lambda x: x, broker_kind="SQLITE_QUEUE", is_using_rpc_mode=True, rpc_result_expire_seconds=0.3)
    brief.consume()
    result = brief.push(1)
    assert result.get(PATIENCE) == 1
    gone = threading.Event()
    for _ in range(600):
        if AsyncResult(result.task_id).is_pending():
            break
        gone.wait(0.1)
    assert AsyncResult(result.task_id).is_pending()
    assert result.result == 1


def test_a_task_may_wait_for_another_one(decorate, kind):
    inner = decorate(lambda x: x + 1, broker_kind=kind, is_using_rpc_mode=True)
    outer = decorate(lambda x: inner.push(x).get(PATIENCE) * 2, broker_kind=kind, is_using_rpc_mode=True)
    inner.consume()
    outer.consume()
    assert [each.get(PATIENCE) for each in outer.push_many([(x,) for x in range(20)])] == [2 * x + 2 for x in range(20)]


@pytest.mark.parametrize(
    ("name", "value"), [("rpc_result_expire_seconds", 0), ("rpc_result_expire_seconds", -1), ("rpc_timeout", -1)]
)
def test_wrong_numbers(decorate, name, value):
    with pytest.raises(ConfigurationError, match=name):
        decorate(lambda: None, **{name: value})


def test_the_default_wait_is_the_tasks_own(decorate):
    assert decorate(lambda: None, is_using_rpc_mode=True, rpc_timeout=7).push().timeout == 7
    assert AsyncResult("a").timeout == 1800
