"""The user's function that is told how each task went."""

import asyncio
import doctest
import logging
import os
import threading

import pytest

from fsdf_control import run_report
from fsdf_control.retry import Retry
from fsdf_control.run_report import RunReport
from fsdf_core.batch import Batch
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.message import Message
from fsdf_core.outcome import Outcome
from fsdf_core.publisher import Publisher
from fsdf_core.task_status import FunctionResultStatus
from fsdf_core.testing.clock import ManualClock
from fsdf_core.verdict import Release
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


class Told:
    """Collects statuses; `expect(n)` waits for n."""

    def __init__(self):
        self.statuses = []
        self.changed = threading.Condition()

    def __call__(self, status):
        with self.changed:
            self.statuses.append(status)
            self.changed.notify_all()

    def expect(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.statuses) >= count, 10)
        return {status.params["x"]: status for status in self.statuses}


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor])
def pool(request):
    with request.param(max_workers=4) as pool:
        yield pool


def consume(task, callback, pool, numbers, *controls, batch=None):
    queue = MemoryBroker().queue("q", serialize=True)
    Publisher(queue).publish_many({"x": x} for x in numbers)
    report = RunReport(callback, "task")
    return Consumer(task, queue=queue, pool=pool, controls=[report, *controls], batch=batch), queue


def test_a_callback_that_cannot_be_called():
    with pytest.raises(TypeError, match="FunctionResultStatus"):
        RunReport("print")


def test_success_and_failure_are_told_with_all_fields(pool):
    told = Told()

    def task(x):
        if x:
            raise ValueError("bad x")
        return x * 2

    consumer, queue = consume(task, told, pool, [0, 1], Retry(1))
    with consumer:
        consumer.start()
        statuses = told.expect(2)
    good, bad = statuses[0], statuses[1]
    assert (good.success, good.result, good.exception, good.run_times) == (True, 0, None, 1)
    assert (bad.success, bad.result, bad.run_times) == (False, None, 2)
    assert (bad.exception, bad.exception_type, bad.exception_msg) == ("ValueError    bad x", "ValueError", "bad x")
    assert (bad.queue_name, bad.function, bad.run_status, bad.params_str) == ("q", "task", "finish", '{"x":1}')
    assert bad.msg_dict["extra"]["task_id"] == bad.task_id
    assert bad.publish_time == bad.msg_dict["extra"]["publish_time"]
    assert bad.publish_time <= bad.time_start <= bad.time_end
    assert bad.time_cost == bad.time_end - bad.time_start
    assert bad.process_id == os.getpid()
    assert bad.host_process == f"{bad.host_name} - {os.getpid()}"
    assert bad.get_status_dict()["exception_msg"] == "bad x"
    assert queue.size().total == 0


def test_an_async_callback_is_run_to_its_end(pool):
    told = Told()

    async def later(status):
        await asyncio.sleep(0)
        told(status)

    consumer, _ = consume(lambda x: x, later, pool, [1])
    with consumer:
        consumer.start()
        assert told.expect(1)[1].result == 1


@pytest.mark.parametrize("is_async", [False, True])
def test_a_callback_that_fails_is_logged_and_harms_nothing(pool, caplog, is_async):
    def broken(status):
        raise RuntimeError("hook")

    async def broken_later(status):
        raise RuntimeError("hook")

    done = threading.Event()
    consumer, queue = consume(lambda x: x, broken_later if is_async else broken, pool, [1])
    with caplog.at_level(logging.ERROR, "fsdf"), consumer:
        consumer.start()
        for _ in range(1000):
            if not queue.size().total:
                break
            done.wait(0.01)
        assert queue.size().total == 0
    assert caplog.text.count("RuntimeError: hook") == 1


def test_a_callback_on_a_running_loop_becomes_a_task_there(caplog):
    statuses = []

    async def later(status):
        await asyncio.sleep(0)
        statuses.append(status)
        raise RuntimeError("hook")

    async def main():
        report = RunReport(later)
        report.on_outcome(Message({}, {"task_id": "t"}), Outcome(True, 1, None, 1, None))
        assert statuses == []
        while report._reports:
            await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, "fsdf"):
        asyncio.run(main())
    assert statuses[0].success
    assert "RuntimeError: hook" in caplog.text


def test_time_is_that_of_the_last_run_and_nothing_is_kept():
    clock, statuses = ManualClock(1000.0), []
    report = RunReport(statuses.append, clock=clock)
    call = report.around(lambda message: clock.advance(message.arguments["seconds"]))
    message = Message({"seconds": 3}, {"task_id": "t"})
    call(message)
    clock.advance(10)
    call(message)
    clock.advance(1)
    report.on_outcome(message, Outcome(True, None, None, 2, None))
    assert (statuses[0].time_start, statuses[0].time_end, statuses[0].time_cost) == (1013, 1016, 3)
    call(message)
    message.settlement = Release()
    report.on_settle([message])
    assert not report._times


def test_arguments_that_are_no_json_and_a_task_that_never_ran_here():
    statuses = []
    RunReport(statuses.append).on_outcome(Message({"x": {1}}, {"task_id": 7}), Outcome(True, {2}, None, 1, None))
    (status,) = statuses
    assert isinstance(status, FunctionResultStatus)
    assert (status.params_str, status.result, status.task_id) == ('{"x":"{1}"}', {2}, "7")
    assert (status.time_start, status.time_cost) == (None, None)
    RunReport(statuses.append).on_outcome(Message({"x": 2**70}, {"task_id": "t"}), Outcome(True, 1, None, 1, None))
    assert statuses[1].params_str == f'{{"x": {2**70}}}'


def test_async_functions():
    statuses = []
    report = RunReport(statuses.append)

    async def function(message):
        return "fine"

    message = Message({}, {"task_id": "t"})
    assert asyncio.run(report.around_async(function)(message)) == "fine"
    report.on_outcome(message, Outcome(True, "fine", None, 1, None))
    assert statuses[0].time_cost >= 0


def test_each_call_of_a_batch_is_told():
    told = Told()
    with ShrinkableThreadPoolExecutor(max_workers=2) as pool:
        consumer, _ = consume(lambda calls: [call["x"] for call in calls], told, pool, range(5), batch=Batch(5, 1))
        with consumer:
            consumer.start()
            statuses = told.expect(5)
    assert {x: status.result for x, status in statuses.items()} == {x: x for x in range(5)}
    assert all(status.time_cost is not None for status in statuses.values())


def test_docstrings_tell_the_truth():
    result = doctest.testmod(run_report)
    assert result.attempted
    assert not result.failed
