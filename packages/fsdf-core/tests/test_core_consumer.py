"""The consumer's own promises, on the memory broker."""

import logging
import threading

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import ConsumerError, UnsupportedFeature
from fsdf_core.publisher import Publisher
from fsdf_core.verdict import DeadLetter, Drop, Retry
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


@pytest.fixture
def pool():
    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        yield pool


class Ask(Control):
    """Answers what it is given; remembers outcomes."""

    def __init__(self, admission=None, recovery=None):
        self.admission = admission
        self.recovery = recovery
        self.outcomes = []
        self.seen = threading.Event()

    def admit(self, message):
        return self.admission

    def on_error(self, message, error, attempt):
        return self.recovery if attempt < 3 or not isinstance(self.recovery, Retry) else None

    def on_outcome(self, message, outcome):
        self.outcomes.append(outcome)
        self.seen.set()


def settle(queue):
    pause = threading.Event()
    for _ in range(500):
        if not queue.size().total:
            return
        pause.wait(0.01)
    raise AssertionError(queue.size())


def run(queue, pool, task, *controls):
    with Consumer(task, queue=queue, pool=pool, controls=controls) as consumer:
        consumer.start()
        settle(queue)


def test_dropped_messages_do_not_run(queue, pool):
    Publisher(queue).publish({})
    ran = []
    run(queue, pool, lambda: ran.append(1), Ask(admission=Drop("no")))
    assert ran == []


def test_retry_then_fail(queue, pool, caplog):
    Publisher(queue).publish({})
    ask = Ask(recovery=Retry(0.001))
    runs = []

    def fail():
        runs.append(1)
        raise ValueError("broken")

    with caplog.at_level(logging.WARNING, "fsdf"):
        run(queue, pool, fail, ask)
    assert len(runs) == 3
    assert [(outcome.success, outcome.attempts) for outcome in ask.outcomes] == [(False, 3)]
    assert "ValueError: broken" in caplog.text


def test_dead_letter_keeps_arguments_and_says_why(queue, pool):
    Publisher(queue).publish({"x": [1]}, {"task_id": "t"})

    def spoil(x):
        x.append(2)
        raise ValueError("broken")

    run(queue, pool, spoil, Ask(recovery=DeadLetter("told so", "broken")))
    subscription = queue.broker.queue("q_dlx", serialize=False).subscribe("r", 1)
    (dead,) = subscription.receive(1, 1)
    assert dead.body["x"] == [1]
    assert dead.body["extra"]["task_id"] == "t"
    assert dead.body["extra"]["dead_letter"]["reason"] == "told so"
    assert dead.body["extra"]["dead_letter"]["queue"] == "q"


def test_a_message_that_kills_its_workers_is_taken_out(queue, pool):
    Publisher(queue).publish({})
    for _ in range(5):
        dying = queue.subscribe("dying", 1)
        assert dying.receive(1, 1)
        dying.close()
    ran = []
    run(queue, pool, lambda: ran.append(1))
    assert ran == []
    assert queue.broker.queue("q_dlx").size().ready == 1


def test_around_wraps_once_first_outermost(queue, pool):
    calls = []

    class Wrap(Control):
        def __init__(self, name):
            self.name = name

        def around(self, call):
            calls.append(f"made {self.name}")
            return lambda message: calls.append(self.name) or call(message)

    Publisher(queue).publish_many([{}, {}])
    run(queue, pool, lambda: calls.append("task"), Wrap("a"), Wrap("b"))
    assert sorted(calls[:2]) == ["made a", "made b"]
    assert calls.count("a") == calls.count("b") == calls.count("task") == 2
    assert calls.index("a") < calls.index("b") < calls.index("task")


def test_a_broken_outcome_hook_harms_nothing(queue, pool, caplog):
    class Broken(Control):
        def on_outcome(self, message, outcome):
            raise RuntimeError("hook")

    Publisher(queue).publish({})
    with caplog.at_level(logging.ERROR, "fsdf"):
        run(queue, pool, lambda: None, Broken())
    assert "outcome hook" in caplog.text


def test_receiving_goes_on_after_trouble(queue, pool, caplog):
    class Away(ConnectionError):
        pass

    subscription = queue.subscribe("c", 1)
    receive = subscription.receive
    failures = [Away("gone")] * 3
    reconnects = []

    def flaky(limit, timeout):
        if failures:
            raise failures.pop()
        return receive(limit, timeout)

    subscription.receive = flaky
    subscription.reconnect = lambda: reconnects.append(1)
    queue.subscribe = lambda consumer_id, prefetch: subscription
    Publisher(queue).publish({})
    with caplog.at_level(logging.INFO, "fsdf"):
        run(queue, pool, lambda: None)
    assert len(reconnects) == 3
    assert caplog.text.count("cannot receive") == 1


def test_state_errors(queue, pool):
    consumer = Consumer(lambda: None, queue=queue, pool=pool)
    assert consumer.stop()
    consumer.start()
    with pytest.raises(ConsumerError, match="runs already"):
        consumer.start()
    assert consumer.stop()

    class Needs(Control):
        requires = frozenset({"cross_machine"})

    with pytest.raises(UnsupportedFeature, match="Needs needs a broker with cross_machine"):
        Consumer(lambda: None, queue=queue, pool=pool, controls=[Needs()])


def test_tasks_that_outlast_the_grace_are_given_back(queue, pool):
    Publisher(queue).publish({})
    started, release = threading.Event(), threading.Event()
    consumer = Consumer(lambda: (started.set(), release.wait(20)), queue=queue, pool=pool)
    consumer.start()
    assert started.wait(10)
    assert consumer.stop(timeout=0.1) is False
    assert queue.size() == (1, 0, 0)
    release.set()


def test_prefetched_messages_are_given_back_when_nothing_finishes(queue):
    release = threading.Event()

    def task(wait):
        if wait:
            release.wait(30)

    Publisher(queue).publish_many([{"wait": False}] * 3000 + [{"wait": True}] + [{"wait": False}] * 50)
    consumer = Consumer(task, queue=queue, pool=SoloExecutor())
    consumer.start()
    pause = threading.Event()
    for _ in range(600):
        if queue.size() == (50, 0, 1):
            break
        pause.wait(0.01)
    assert queue.size() == (50, 0, 1)
    release.set()
    settle(queue)
    assert consumer.stop()


def test_garbage_beside_good_messages(queue, pool):
    queue.send([OutgoingMessage(b"garbage"), OutgoingMessage(b'{"x": 1}'), OutgoingMessage(b"")])
    ran = []
    run(queue, pool, lambda x: ran.append(x))
    assert ran == [1]
    assert queue.broker.queue("q_dlx").size().ready == 2
