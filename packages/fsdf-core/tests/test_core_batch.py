"""Micro-batches: filling, failing alone, stopping; every message settled once."""

import logging
import threading
import time

import pytest

from fsdf_core.batch import Batch
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.host import Abandoned
from fsdf_core.publisher import Publisher
from fsdf_core.testing.spy import Spy
from fsdf_core.verdict import DeadLetter, Drop, Release, Requeue, Retry
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

PATIENCE = 30.0


class OnError(Control):
    def __init__(self, recover):
        self.recover = recover

    def on_error(self, message, error, attempt):
        return self.recover(message, error, attempt)


class Collected:
    """A task that remembers its batches."""

    def __init__(self, result=lambda calls: None):
        self.batches = []
        self.result = result
        self.called = threading.Condition()

    def __call__(self, calls):
        with self.called:
            self.batches.append([call["x"] for call in calls])
            self.called.notify_all()
        return self.result(calls)

    @property
    def numbers(self):
        return [number for batch in self.batches for number in batch]

    def expect(self, condition):
        with self.called:
            assert self.called.wait_for(lambda: condition(self.batches), PATIENCE), self.batches


def push(queue, numbers):
    Publisher(queue).publish_many({"x": x} for x in numbers)


def consume(task, queue, pool, batch, *controls):
    return Consumer(task, queue=queue, pool=pool, batch=batch, controls=controls)


@pytest.mark.parametrize(("size", "wait"), [(0, 1), (-1, 1), (1, -0.1)])
def test_numbers_out_of_range(size, wait):
    with pytest.raises(ValueError, match="size >= 1"):
        Batch(size, wait)


def test_what_is_there_fills_batches(queue, pool):
    push(queue, range(40))
    task, spy = Collected(), Spy()
    with consume(task, queue, pool, Batch(10, 60), spy) as consumer:
        consumer.start()
        spy.expect(40)
    assert sorted(task.numbers) == list(range(40))
    assert {len(batch) for batch in task.batches} == {10}
    assert len(spy.left) == 40


@pytest.mark.parametrize("workers", [1, 8])
def test_late_messages_join_a_batch_that_waits(queue, workers):
    push(queue, range(3))
    task = Collected()
    with (
        ShrinkableThreadPoolExecutor(max_workers=workers) as pool,
        consume(task, queue, pool, Batch(10, 60)) as consumer,
    ):
        consumer.start()
        for x in range(3, 10):
            assert wait_until(lambda taken=x: consumer.in_flight == taken, PATIENCE)
            push(queue, [x])
        task.expect(bool)
    assert task.batches == [list(range(10))]


def test_a_batch_that_does_not_fill_runs_after_its_wait(queue, one_thread):
    push(queue, range(3))
    task = Collected()
    with consume(task, queue, one_thread, Batch(10, 0.3)) as consumer:
        consumer.start()
        began = time.monotonic()
        task.expect(bool)
        assert 0.2 < time.monotonic() - began < 2
    assert task.batches == [[0, 1, 2]]


def test_a_single_thread_does_not_wait_in_vain(queue):
    push(queue, range(3))
    task = Collected()
    began = time.monotonic()
    with consume(task, queue, SoloExecutor(), Batch(10, 60)) as consumer:
        consumer.start()
        task.expect(lambda batches: sum(map(len, batches)) == 3)
    assert time.monotonic() - began < 5
    assert sorted(task.numbers) == [0, 1, 2]


def test_many_small_batches_do_not_nest_in_a_single_thread(queue):
    push(queue, range(5000))
    task, spy = Collected(), Spy()
    with consume(task, queue, SoloExecutor(), Batch(2, 60), spy) as consumer:
        consumer.start()
        spy.expect(5000)
    assert task.numbers == list(range(5000))


def test_one_bad_call_fails_alone(queue, pool, caplog):
    def spoil(calls):
        if any(call["x"] == 7 for call in calls):
            raise ValueError("seven")

    push(queue, range(10))
    task, spy = Collected(spoil), Spy()
    twice = OnError(lambda m, e, attempt: Retry() if attempt < 3 else None)
    with (
        caplog.at_level(logging.ERROR, "fsdf"),
        consume(task, queue, pool, Batch(10, 0.2), spy, twice) as consumer,
    ):
        consumer.start()
        spy.expect(10)
    failed = [message.arguments["x"] for message in spy.left if not message.outcome.success]
    assert failed == [7]
    assert task.batches.count([7]) == 2
    assert sorted(task.numbers) == sorted([*range(10)] * 2 + [7])
    assert caplog.text.count("ValueError: seven") == 1


def test_results_and_exceptions_belong_to_their_calls(queue, pool):
    push(queue, range(6))
    task = Collected(lambda calls: [ValueError(call["x"]) if call["x"] % 2 else call["x"] * 10 for call in calls])
    spy = Spy()
    with consume(task, queue, pool, Batch(6, 0.2), spy) as consumer:
        consumer.start()
        spy.expect(6)
    outcomes = {message.arguments["x"]: message.outcome for message in spy.left}
    assert {x: outcome.result for x, outcome in outcomes.items() if outcome.success} == {0: 0, 2: 20, 4: 40}
    assert {x: str(outcome.error) for x, outcome in outcomes.items() if not outcome.success} == {
        1: "1",
        3: "3",
        5: "5",
    }
    assert len(task.batches) == 1


def test_a_call_retried_alone_may_return_its_exception(queue, pool):
    push(queue, [1])
    runs = iter([[OSError("first")], [OSError("second")], ["fine"]])
    task, spy = Collected(lambda calls: next(runs)), Spy()
    with consume(task, queue, pool, Batch(5, 0), spy, OnError(lambda *_: Retry())) as consumer:
        consumer.start()
        spy.expect(1)
    assert (spy.left[0].outcome.result, spy.left[0].outcome.attempts) == ("fine", 3)


def test_each_call_has_its_own_fate(queue, pool):
    fates = {0: None, 1: DeadLetter("no", "no"), 2: Requeue(3600), 3: None}
    push(queue, range(4))
    task = Collected(lambda calls: [ValueError("x") if call["x"] in (1, 2) else None for call in calls])
    spy = Spy()
    with consume(task, queue, pool, Batch(4, 0.2), spy, OnError(lambda m, *_: fates[m.arguments["x"]])) as consumer:
        consumer.start()
        spy.expect(4)
    assert queue.size() == (0, 1, 0)
    assert queue.broker.queue("q_dlx").size().ready == 1


def test_refused_messages_are_in_no_batch(queue, pool):
    class Odd(Control):
        def admit(self, message):
            return Drop("expired") if message.arguments["x"] % 2 else None

    push(queue, range(20))
    task, spy = Collected(), Spy()
    with consume(task, queue, pool, Batch(5, 0.2), spy, Odd()) as consumer:
        consumer.start()
        spy.expect(20)
    assert sorted(task.numbers) == list(range(0, 20, 2))


def test_stopping_runs_a_half_filled_batch(queue, one_thread):
    push(queue, range(3))
    task = Collected()
    consumer = consume(task, queue, one_thread, Batch(10, 60))
    consumer.start()
    assert wait_until(lambda: consumer.in_flight == 3, PATIENCE)
    began = time.monotonic()
    assert consumer.stop()
    assert time.monotonic() - began < 5
    assert len(task.numbers) + queue.size().ready == 3
    assert queue.size().unacked == 0


def test_waiting_for_another_attempt_holds_no_other_call_back(queue):
    def fail(calls):
        if len(calls) > 1 or calls[0]["x"] == 0:
            raise ValueError("no")

    push(queue, range(5))
    task, spy = Collected(fail), Spy()
    slow = OnError(lambda message, *_: Retry(3600 if message.arguments["x"] == 0 else 0))
    with ShrinkableThreadPoolExecutor(max_workers=2) as pool:
        consumer = consume(task, queue, pool, Batch(5, 1), spy, slow)
        consumer.start()
        assert sorted(message.arguments["x"] for message in spy.expect(4)) == [1, 2, 3, 4]
        assert consumer.stop()
    assert isinstance(spy.expect(5)[-1].settlement, Release)
    assert queue.size() == (1, 0, 0)


def test_a_batch_that_hangs_is_settled_without_it(queue, one_thread):
    class Stuck(Control):
        def start(self, host):
            self.host = host
            self.release = threading.Event()

        def around(self, call):
            def limited(message):
                if not self.release.is_set():
                    self.host.abandon(message, TimeoutError("too long"))
                    self.release.wait(PATIENCE)
                    raise Abandoned
                return call(message)

            return limited

    push(queue, range(3))
    task, spy, stuck = Collected(), Spy(), Stuck()
    with consume(task, queue, one_thread, Batch(3, 60), spy, stuck) as consumer:
        consumer.start()
        assert [str(message.outcome.error) for message in spy.expect(3)] == ["too long"] * 3
        stuck.release.set()
        push(queue, range(3, 6))
        task.expect(bool)
        spy.expect(6)
    assert [sorted(batch) for batch in task.batches] == [[3, 4, 5]]
    assert len(spy.left) == 6
    assert wait_until(lambda: one_thread.max_workers == 1, PATIENCE)


def test_the_current_message_is_the_batch_then_the_call(queue, one_thread):
    seen = []

    def note(calls):
        seen.append(current_message.get().task_id)
        raise ValueError("again")

    Publisher(queue).publish({"x": 1}, {"task_id": "a"})
    Publisher(queue).publish({"x": 2}, {"task_id": "b"})
    spy = Spy()
    once = OnError(lambda m, e, attempt: Retry() if attempt < 2 else None)
    with consume(note, queue, one_thread, Batch(2, 5), spy, once) as consumer:
        consumer.start()
        spy.expect(2)
    assert seen == ["a", "a", "b"]
