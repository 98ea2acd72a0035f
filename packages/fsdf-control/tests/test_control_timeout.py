"""Timeouts: calls that end in time, are stopped, swallow it, or are stuck."""

import logging
import threading
import time

import pytest

from fsdf_control import Retry, Timeout
from fsdf_control.interruption import Interrupted
from fsdf_core.batch import BatchMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import Control
from fsdf_core.errors import TaskTimeout
from fsdf_core.message import Message
from fsdf_core.publisher import Publisher
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

pytestmark = pytest.mark.usefixtures("no_destructors")

PATIENCE = 30.0


class Outcomes(Control):
    """Remembers what left the consumer."""

    def __init__(self):
        self.left = []
        self.changed = threading.Condition()

    def on_settle(self, messages):
        with self.changed:
            self.left += [(message.arguments.get("x"), message.outcome) for message in messages]
            self.changed.notify_all()

    def expect(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.left) >= count, PATIENCE), self.left
        return self.left


@pytest.fixture
def queue():
    return MemoryBroker().queue("q", serialize=True)


def spin():
    while True:
        pass


def run(queue, task, *controls, workers=1, pool=ShrinkableThreadPoolExecutor, expected=1):
    outcomes = Outcomes()
    with pool(max_workers=workers) as workers_pool:
        consumer = Consumer(task, queue=queue, pool=workers_pool, controls=[outcomes, *controls])
        with consumer:
            consumer.start()
            return outcomes.expect(expected)


@pytest.mark.parametrize("pool", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_a_loop_is_stopped_and_has_failed(queue, pool):
    Publisher(queue).publish({"x": 1})
    ((_, outcome),) = run(queue, lambda x: spin(), Timeout(0.05), pool=pool)
    assert not outcome.success
    assert isinstance(outcome.error, TaskTimeout)
    assert "0.05 s" in str(outcome.error)


@pytest.mark.parametrize("pool", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_what_ends_in_time_is_left_alone(queue, pool):
    Publisher(queue).publish_many({"x": x} for x in range(200))
    left = run(queue, lambda x: x * 2, Timeout(30), pool=pool, expected=200)
    assert sorted(outcome.result for _, outcome in left) == [x * 2 for x in range(200)]


def test_its_own_errors_pass(queue):
    Publisher(queue).publish({"x": 1})

    def task(x):
        raise TimeoutError("mine")

    ((_, outcome),) = run(queue, task, Timeout(30))
    assert not isinstance(outcome.error, TaskTimeout)
    assert str(outcome.error) == "mine"


def test_the_message_goes_first(queue):
    Publisher(queue).publish({"x": 1}, {"function_timeout": 0})
    Publisher(queue).publish({"x": 2}, {"function_timeout": 0.05})
    Publisher(queue).publish({"x": 3}, {"function_timeout": "soon"})
    waited = threading.Event()

    def task(x):
        if x == 1:
            waited.wait(0.3)  # longer than the control allows
            return "done"
        return spin()

    left = dict(run(queue, task, Timeout(0.1), workers=3, expected=3))
    assert left[1].result == "done"
    assert isinstance(left[2].error, TaskTimeout)
    assert "0.05" in str(left[2].error)
    assert "0.1" in str(left[3].error)


def test_without_a_limit_only_messages_that_carry_one_are_stopped(queue):
    Publisher(queue).publish({"x": 1})
    Publisher(queue).publish({"x": 2}, {"function_timeout": 0.05})
    left = dict(run(queue, lambda x: x if x == 1 else spin(), Timeout(None), expected=2))
    assert left[1].success
    assert isinstance(left[2].error, TaskTimeout)


def test_a_timeout_is_retried_like_any_error(queue):
    attempts = []
    Publisher(queue).publish({"x": 1})

    def task(x):
        attempts.append(current_message.get().attempt)
        if len(attempts) < 3:
            spin()
        return "at last"

    ((_, outcome),) = run(queue, task, Timeout(0.05), Retry(5))
    assert outcome.result == "at last"
    assert attempts == [1, 2, 3]


def test_code_that_swallows_errors_is_stopped_all_the_same(queue):
    Publisher(queue).publish({"x": 1})

    def task(x):
        while True:
            try:
                spin()
            except Exception:  # noqa: BLE001
                continue

    ((_, outcome),) = run(queue, task, Timeout(0.05))
    assert isinstance(outcome.error, TaskTimeout)


def test_code_that_swallows_even_that_is_stopped_again(queue):
    swallowed = []
    Publisher(queue).publish({"x": 1})

    def task(x):
        for _ in range(3):
            try:
                spin()
            except BaseException as error:  # noqa: BLE001
                swallowed.append(type(error))
        spin()

    ((_, outcome),) = run(queue, task, Timeout(0.05))
    assert isinstance(outcome.error, TaskTimeout)
    assert [issubclass(kind, Interrupted) for kind in swallowed] == [True] * 3


def test_a_stuck_call_keeps_neither_message_nor_slot(queue, caplog):
    """A wait in C hears of it only when it ends."""
    release, second = threading.Lock(), threading.Event()
    release.acquire()
    Publisher(queue).publish({"x": 1})

    def task(x):
        if x == 1:
            release.acquire(timeout=30)
        else:
            second.set()

    outcomes = Outcomes()
    with ShrinkableThreadPoolExecutor(max_workers=1) as pool, caplog.at_level(logging.WARNING, "fsdf"):
        consumer = Consumer(task, queue=queue, pool=pool, controls=[outcomes, Timeout(0.05, grace=0.2)])
        with consumer:
            consumer.start()
            ((_, outcome),) = outcomes.expect(1)
            assert isinstance(outcome.error, TaskTimeout)
            Publisher(queue).publish({"x": 2})
            assert second.wait(PATIENCE)
            assert pool.max_workers == 2
            release.release()
            pause = threading.Event()
            for _ in range(500):
                if pool.max_workers == 1:
                    break
                pause.wait(0.01)
            assert pool.max_workers == 1
            assert queue.size().total == 0
        assert len(outcomes.left) == 2
    assert "is stuck in" in caplog.text
    assert "task" in caplog.text


def test_a_stop_does_not_wait_for_what_is_stuck(queue):
    release, entered = threading.Lock(), threading.Event()
    release.acquire()
    Publisher(queue).publish({"x": 1})

    def task(x):
        entered.set()
        release.acquire(timeout=30)

    outcomes = Outcomes()
    pool = ShrinkableThreadPoolExecutor(max_workers=1)
    consumer = Consumer(task, queue=queue, pool=pool, controls=[outcomes, Timeout(0.05, grace=0.1)])
    consumer.start()
    assert entered.wait(PATIENCE)
    outcomes.expect(1)
    began = time.monotonic()
    assert not consumer.stop(10)  # settled, but the task still runs
    assert time.monotonic() - began < 5
    assert queue.size().total == 0
    release.release()
    assert pool.close(PATIENCE)


def test_nothing_rises_after_the_call(host):
    """Calls that end about when they are stopped: the result or the error, never both, never later."""
    leaked, counts = [], {"done": 0, "stopped": 0}
    control = Timeout(0.002, grace=5)
    control.start(host())

    def work(message):
        until = time.perf_counter() + message.arguments["seconds"]
        while time.perf_counter() < until:
            pass
        return "done"

    call = control.around(work)

    def hammer(offset):
        for turn in range(400):
            message = Message({"seconds": 0.0015 + (turn * 7 % 10) * 0.0001 + offset}, {})
            try:
                try:
                    counts[call(message)] += 1
                except TaskTimeout:
                    counts["stopped"] += 1
                for _ in range(50):
                    str(turn)
            except BaseException as error:  # noqa: BLE001
                leaked.append(error)

    threads = [threading.Thread(target=hammer, args=(offset * 0.0003,), name="fsdf-test") for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    control.stop()
    assert leaked == []
    assert counts["done"] + counts["stopped"] == 1200
    assert counts["done"]
    assert counts["stopped"]


def test_the_watchdog_comes_with_the_first_limit_and_goes_with_the_consumer(queue):
    def watchdogs():
        return [thread for thread in threading.enumerate() if thread.name == "fsdf-watchdog-q"]

    seen = []
    Publisher(queue).publish({"x": 1})
    run(queue, lambda x: seen.append(len(watchdogs())), Timeout(None))
    Publisher(queue).publish({"x": 1})
    run(queue, lambda x: seen.append(len(watchdogs())), Timeout(5))
    assert seen == [0, 1]
    assert watchdogs() == []


@pytest.mark.parametrize("arguments", [{"seconds": -1}, {"seconds": 1, "grace": -1}])
def test_nonsense_is_refused(arguments):
    with pytest.raises(ValueError, match="a timeout needs"):
        Timeout(**arguments)


@pytest.mark.parametrize(
    ("own", "limit"),
    [([0, None], 10), ([None, 0], 10), ([0, 0], 0), ([60, 0, 3], 3), ([60, None], 10), ([20, 30], 20)],
)
def test_the_shortest_limit_of_its_members_is_that_of_a_batch(own, limit):
    members = [Message({}, {} if seconds is None else {"function_timeout": seconds}) for seconds in own]
    assert Timeout(10).limit(BatchMessage(members)) == limit
