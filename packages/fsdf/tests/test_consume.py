"""consume and stop: tasks run, fail, come back, end."""

from __future__ import annotations

import logging
import threading
import time

import pytest

from fsdf import (
    ConcurrentModeEnum,
    get_consumer,
)
from fsdf.assembly import worker_count
from fsdf_core.control import Control
from fsdf_pools import ShrinkableThreadPoolExecutor

WAIT = 30.0


def take(ran, count):
    return [ran.get(timeout=WAIT) for _ in range(count)]


def test_tasks_run_with_their_arguments(decorate, ran):
    task = decorate(lambda x, y=1: ran.put((x, y)))
    task.push(1, y=2)
    task.push(3)
    task.consume()
    task.publish({"x": 4})
    assert sorted(take(ran, 3)) == [(1, 2), (3, 1), (4, 1)]
    assert task.stop()
    assert task.get_message_count() == 0


def test_positional_only_parameters_arrive(decorate, ran):
    def task(a, /, b, c=3):
        ran.put((a, b, c))

    task = decorate(task)
    task.push(1, 2)
    task.publish({"a": 4, "b": 5, "c": 6})
    task.consume()
    assert sorted(take(ran, 2)) == [(1, 2, 3), (4, 5, 6)]


def dispatchers(task):
    names = [thread.name for thread in threading.enumerate() if task.queue_name in thread.name]
    return [name for name in names if "dispatch" in name]


def test_the_main_thread_goes_on_and_a_second_consume_only_warns(decorate, ran, caplog):
    task = decorate(lambda: ran.put(1))
    assert task.consume() is None
    before = dispatchers(task)
    assert len(before) == 1
    task.start()
    task.start_consuming_message()
    assert caplog.text.count("is being consumed already") == 2
    assert dispatchers(task) == before
    task.push()
    take(ran, 1)


def test_whoever_stops_the_consumer_its_own_pool_is_closed(decorate, ran):
    task = decorate(lambda: ran.put(1))
    task.consume()
    consumer = task.consumer._consumer
    consumer.stop()
    with pytest.raises(RuntimeError):
        consumer.pool.submit(print)
    task.push()
    task.consume()
    take(ran, 1)


def test_a_stop_that_fails_closes_the_tasks_own_pool_too(decorate, monkeypatch):
    task = decorate(lambda: None)
    task.consume()
    consumer = task.consumer._consumer
    stop = consumer._run.stop

    def fail(timeout):
        stop(timeout)
        raise OSError("the disk is gone")

    monkeypatch.setattr(consumer._run, "stop", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        consumer.stop()
    with pytest.raises(RuntimeError):
        consumer.pool.submit(print)


def test_stop_then_consume_again(decorate, ran):
    task = decorate(lambda x: ran.put(x))
    assert task.stop()
    for round_ in range(3):
        task.consume()
        assert task.consumer.running
        task.push(round_)
        assert take(ran, 1) == [round_]
        assert task.stop()
        assert task.stop()
        assert not task.consumer.running
        task.push(99)
        assert task.get_message_count() == 1
        task.clear()
    names = [thread.name for thread in threading.enumerate()]
    assert not [name for name in names if task.queue_name in name]


def test_stop_gives_back_what_does_not_end(decorate):
    entered, leave = threading.Event(), threading.Event()

    def stay():
        entered.set()
        leave.wait(WAIT)

    task = decorate(stay)
    task.push()
    task.consume()
    assert entered.wait(WAIT)
    assert not task.stop(timeout=0.1)
    assert task.get_message_count() == 1
    leave.set()
    task.clear()


def test_qps_spaces_the_starts(decorate, ran):
    task = decorate(lambda: ran.put(time.monotonic()), qps=50)
    task.push_many([()] * 6)
    task.consume()
    starts = take(ran, 6)
    assert starts[-1] - starts[0] >= 0.08


def test_concurrent_num_is_a_bound(decorate, ran):
    barrier = threading.Barrier(3)

    def meet():
        barrier.wait(WAIT)
        ran.put(threading.current_thread().name)

    task = decorate(meet, concurrent_num=3)
    task.push_many([()] * 9)
    task.consume()
    names = set(take(ran, 9))
    assert len(names) == 3
    assert all(name.startswith(f"fsdf-{task.queue_name}") for name in names)


def test_single_thread_runs_one_after_the_other(decorate, ran):
    task = decorate(lambda x: ran.put((x, threading.get_ident())), concurrent_mode=ConcurrentModeEnum.SOLO)
    task.push_many((x,) for x in range(20))
    task.consume()
    numbers, threads = zip(*take(ran, 20), strict=True)
    assert list(numbers) == list(range(20))
    assert len(set(threads)) == 1


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({}, 50),
        ({"qps": 5}, 500),
        ({"qps": 5, "concurrent_num": 50}, 50),
        ({"qps": 5, "concurrent_num": 7}, 7),
        ({"concurrent_mode": 5, "concurrent_num": 7}, 1),
    ],
)
def test_the_number_of_workers(decorate, params, count):
    assert worker_count(decorate(lambda: 0, **params).boost_params) == count


def test_tasks_may_share_a_pool(decorate, ran):
    pool = ShrinkableThreadPoolExecutor(2, thread_name_prefix="shared")
    tasks = [decorate(lambda: ran.put(threading.current_thread().name), specify_concurrent_pool=pool) for _ in "ab"]
    for task in tasks:
        task.push()
        task.consume()
    assert all(name.startswith("shared") for name in take(ran, 2))
    assert all(task.stop() for task in tasks)
    assert pool.submit(lambda: 5).result(WAIT) == 5
    assert pool.close(WAIT)


def test_a_task_can_start_with_its_decoration(decorate, ran):
    task = decorate(lambda x: ran.put(x), is_auto_start_consuming_message=True)
    assert task.consumer.running
    task.push(1)
    assert take(ran, 1) == [1]


def test_a_task_may_push_itself_and_others(decorate, ran):
    second = decorate(lambda y: ran.put(y))

    def step(x):
        second.push(x * 10)
        if x < 3:
            first.push(x + 1)

    first = decorate(step)
    first.push(0)
    first.consume()
    second.consume()
    assert sorted(take(ran, 4)) == [0, 10, 20, 30]


def test_the_users_decorator_wraps_the_consumed_function_only(decorate, ran):
    def doubled(function):
        return lambda x: function(x * 2)

    task = decorate(lambda x: ran.put(x), consuming_function_decorator=doubled)
    task(1)
    task.push(1)
    task.consume()
    assert take(ran, 2) == [1, 2]


def test_the_users_controls_are_outermost(decorate, ran):
    class Note(Control):
        def around(self, call):
            def noted(message):
                ran.put("before")
                return call(message)

            return noted

        def on_outcome(self, message, outcome):
            ran.put(outcome.ok if hasattr(outcome, "ok") else "after")

    task = decorate(lambda: ran.put("run"), controls=[Note()])
    task.push()
    task.consume()
    assert take(ran, 2) == ["before", "run"]
    take(ran, 1)


def test_messages_are_shown_if_asked_for(decorate, ran, caplog):
    task = decorate(lambda x: ran.put(x), is_show_message_get_from_broker=True)
    task.push("hello")
    task.consume()
    take(ran, 1)
    assert "received {'x': 'hello'}" in caplog.text


def test_levels_and_names_of_loggers(decorate):
    quiet = decorate(lambda: 0, log_level=logging.ERROR, logger_prefix="a-")
    quiet.consume()
    assert logging.getLogger(f"fsdf.a-{quiet.queue_name}").level == logging.ERROR
    usual = decorate(lambda: 0)
    usual.consume()
    assert logging.getLogger(f"fsdf.{usual.queue_name}").level == logging.INFO
    named = decorate(lambda: 0, logger_name="mine.own", log_level="DEBUG")
    named.consume()
    assert logging.getLogger("mine.own").level == logging.DEBUG


def test_waiting_for_all_tasks(decorate):
    done = []
    gate = threading.Event()

    def slow(x):
        gate.wait(WAIT)
        done.append(x)

    task = decorate(slow)
    task.push_many((x,) for x in range(5))
    assert not task.wait_for_possible_has_finish_all_tasks(0.001, timeout=0.2)
    task.consume()
    assert not task.wait_for_possible_has_finish_all_tasks(0.001, timeout=0.2)
    gate.set()
    assert task.wait_for_possible_has_finish_all_tasks(minutes=0.002)
    assert sorted(done) == [0, 1, 2, 3, 4]


def test_consuming_in_the_calling_thread_ends_with_stop(decorate, ran):
    task = decorate(lambda: ran.put(1), schedule_tasks_on_main_thread=True)
    caller = threading.Thread(target=task.consume)
    caller.start()
    task.push()
    take(ran, 1)
    assert caller.is_alive()
    assert task.stop()
    caller.join(WAIT)
    assert not caller.is_alive()


def test_a_consumer_without_decorator_runs(queue_name, ran):
    consumer = get_consumer(queue_name, consuming_function=lambda a, b: ran.put(a + b), broker_kind=3)
    consumer.publisher_of_same_queue.publish({"a": 1, "b": 2})
    consumer.publisher_of_same_queue.push(3, b=4)
    consumer.start_consuming_message()
    assert sorted(take(ran, 2)) == [3, 7]
    assert consumer.wait_for_possible_has_finish_all_tasks(0.001)
    assert consumer.stop()
