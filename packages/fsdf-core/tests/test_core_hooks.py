"""What the consumer promises to controls, on the memory broker."""

import logging
import threading

import pytest

from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.publisher import Publisher
from fsdf_core.testing.spy import Spy
from fsdf_core.verdict import Drop, Requeue, Retry
from fsdf_core.waiting import wait_until

PATIENCE = 30.0


def empty(queue):
    return wait_until(lambda: not queue.size().total, PATIENCE, 0.01)


def test_start_and_stop_come_in_pairs_and_in_order(queue, pool):
    calls = []

    class Told(Control):
        def __init__(self, name):
            self.name = name

        def start(self, host):
            assert host.queue is queue
            calls.append(f"start {self.name}")

        def stop(self):
            calls.append(f"stop {self.name}")

    consumer = Consumer(print, queue=queue, pool=pool, controls=[Told("a"), Told("b")])
    for _ in range(2):
        consumer.start()
        consumer.stop()
    assert calls == ["start a", "start b", "stop b", "stop a"] * 2


def test_a_control_that_cannot_start_keeps_the_consumer_from_starting(queue, pool):
    stopped = []

    class Fine(Control):
        def stop(self):
            stopped.append(1)

    class Broken(Control):
        def start(self, host):
            raise OSError("store is away")

    before = set(threading.enumerate())
    consumer = Consumer(print, queue=queue, pool=pool, controls=[Fine(), Broken()])
    with pytest.raises(OSError, match="store is away"):
        consumer.start()
    assert stopped == [1]
    assert not consumer.running
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("fsdf-")]


def test_ticks_go_on_after_a_failure_that_is_logged_once(queue, pool, caplog):
    class Tock(Control):
        def __init__(self):
            self.times = 0
            self.thrice = threading.Event()

        def tick(self, now):
            self.times += 1
            if self.times >= 3:
                self.thrice.set()
            raise OSError("away")

    tock = Tock()
    with caplog.at_level(logging.WARNING, "fsdf"), Consumer(print, queue=queue, pool=pool, controls=[tock]) as consumer:
        consumer.start()
        assert [t.name for t in threading.enumerate()].count("fsdf-tick-q") == 1
        assert tock.thrice.wait(PATIENCE)
    assert caplog.text.count("Tock fails") == 1
    assert "fsdf-tick-q" not in [t.name for t in threading.enumerate()]


def test_no_tick_no_thread(queue, pool):
    with Consumer(print, queue=queue, pool=pool) as consumer:
        consumer.start()
        assert "fsdf-tick-q" not in [t.name for t in threading.enumerate()]


def test_batches_are_admitted_together(queue, pool):
    class Odd(Spy):
        def __init__(self):
            super().__init__()
            self.batches = []

        def admit_many(self, messages):
            self.batches.append(len(messages))
            return [None if message.arguments["x"] % 2 else Drop("even") for message in messages]

    odd, ran = Odd(), []
    Publisher(queue).publish_many({"x": x} for x in range(40))
    with Consumer(lambda x: ran.append(x), queue=queue, pool=pool, controls=[odd]) as consumer:
        consumer.start()
        left = odd.expect(40)
    assert sorted(ran) == list(range(1, 40, 2))
    assert sum(odd.batches) == 40
    assert sum(isinstance(message.settlement, Drop) for message in left) == 20
    assert all(message.outcome.success for message in left if message.settlement is None)


def test_admission_that_fails_loses_nothing(queue, pool, caplog):
    class Flaky(Control):
        def __init__(self):
            self.times = 0

        def admit_many(self, messages):
            self.times += 1
            if self.times < 3:
                raise OSError("store is away")
            return [None] * len(messages)

    ran = []
    Publisher(queue).publish_many({"x": x} for x in range(10))
    with Consumer(lambda x: ran.append(x), queue=queue, pool=pool, controls=[Flaky()]) as consumer:
        consumer.start()
        assert empty(queue)
    assert sorted(ran) == list(range(10))
    assert "store is away" in caplog.text


def test_effects_come_before_the_acknowledgement_and_are_insisted_on(queue, pool):
    class Store(Control):
        retryable_errors = (ConnectionError,)

        def __init__(self):
            self.away = 2
            self.unacked = []

        def on_settle(self, messages):
            self.unacked.append(queue.size().unacked)
            if self.away:
                self.away -= 1
                raise ConnectionError("gone")

    store = Store()
    Publisher(queue).publish({})
    with Consumer(dict, queue=queue, pool=pool, controls=[store]) as consumer:
        consumer.start()
        assert empty(queue)
    assert store.unacked == [1, 1, 1]


def test_a_faulty_effect_is_logged_and_does_not_loop(queue, pool, caplog):
    class Faulty(Control):
        def on_settle(self, messages):
            raise ZeroDivisionError

    Publisher(queue).publish({})
    with Consumer(dict, queue=queue, pool=pool, controls=[Faulty()]) as consumer:
        consumer.start()
        assert empty(queue)
    assert "an effect of Faulty failed" in caplog.text


def test_a_requeue_may_change_control_data(queue, pool):
    seen = []

    class Again(Control):
        def on_error(self, message, error, attempt):
            return Requeue(0.01, {"_advanced_retry_count": attempt, "note": "again"}) if attempt < 3 else None

    def task(**arguments):
        message = current_message.get()
        seen.append((arguments.pop("items"), message.attempt, message.extra.get("note"), message.task_id))
        arguments["items"] = "changed by the task"
        raise ValueError

    task_id = Publisher(queue).publish({"items": [1]}).task_id
    with Consumer(task, queue=queue, pool=pool, controls=[Again()]) as consumer:
        consumer.start()
        assert empty(queue)
    assert seen == [([1], 1, None, task_id), ([1], 2, "again", task_id), ([1], 3, "again", task_id)]


@pytest.mark.parametrize("count", ["x", -3, None, 2.5, [1]])
def test_a_foreign_attempt_count_is_no_trouble(queue, pool, count):
    attempts = []
    Publisher(queue).publish({}, {"_advanced_retry_count": count})
    with Consumer(lambda: attempts.append(current_message.get().attempt), queue=queue, pool=pool) as consumer:
        consumer.start()
        assert empty(queue)
    assert attempts == [1]


def test_each_attempt_raises_its_own_error_only(queue, pool):
    class Again(Control):
        def on_error(self, message, error, attempt):
            errors.append(error)
            return Retry(0) if attempt < 3 else None

    errors = []

    def task():
        raise ValueError(len(errors))

    Publisher(queue).publish({})
    with Consumer(task, queue=queue, pool=pool, controls=[Again()]) as consumer:
        consumer.start()
        assert empty(queue)
    assert [str(error) for error in errors] == ["0", "1", "2"]
    assert [error.__context__ for error in errors] == [None, None, None]
