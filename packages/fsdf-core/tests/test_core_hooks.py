"""What the consumer promises to controls, on the memory broker."""

import logging
import threading

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.host import Abandoned
from fsdf_core.publisher import Publisher
from fsdf_core.verdict import DeadLetter, Delay, Drop, Release, Requeue, Retry
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

PATIENCE = 5


@pytest.fixture
def queue():
    return MemoryBroker().queue("q", serialize=True)


@pytest.fixture(params=[ShrinkableThreadPoolExecutor, SoloExecutor])
def pool(request):
    with request.param(max_workers=4) as pool:
        yield pool


@pytest.fixture
def threads():
    with ShrinkableThreadPoolExecutor(max_workers=1) as pool:
        yield pool


class Spy(Control):
    """Remembers what left the consumer; `expect(n)` waits for n messages."""

    def __init__(self):
        self.left = []
        self.changed = threading.Condition()

    def on_settle(self, messages):
        with self.changed:
            self.left += messages
            self.changed.notify_all()

    def expect(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.left) >= count, PATIENCE), self.left
        return self.left


def holds(condition):
    pause = threading.Event()
    for _ in range(PATIENCE * 100):
        if condition():
            return True
        pause.wait(0.01)
    return False


def empty(queue):
    return holds(lambda: not queue.size().total)


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

    consumer = Consumer(print, queue=queue, pool=pool, controls=[Fine(), Broken()])
    with pytest.raises(OSError, match="store is away"):
        consumer.start()
    assert stopped == [1]
    assert not consumer.running
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fsdf-")]


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


def test_what_arrives_after_the_credit_has_gone_is_given_back(queue, pool):
    class Gate(Control):
        def __init__(self):
            self.open = True
            self.asked = threading.Event()

        def credit(self, now):
            self.asked.set()
            return UNLIMITED if self.open else 0

        def next_credit(self, now):
            return 60.0

        def start(self, host):
            self.host = host

    gate, spy, ran = Gate(), Spy(), []
    with Consumer(lambda: ran.append(1), queue=queue, pool=pool, controls=[gate, spy]) as consumer:
        consumer.start()
        assert gate.asked.wait(PATIENCE)
        # The dispatcher waits for messages now, allowed to take them.
        gate.open = False
        Publisher(queue).publish({})
        left = spy.expect(1)
        assert isinstance(left[0].settlement, Release)
        assert ran == []
        gate.open = True
        gate.host.wake()
        assert empty(queue)
    assert ran == [1]


def test_a_gate_that_closes_gives_back_what_was_fetched_ahead(queue, threads):
    class Gate(Control):
        def __init__(self):
            self.allowed = UNLIMITED

        def credit(self, now):
            return self.allowed

        def start(self, host):
            self.host = host

    gate, spy = Gate(), Spy()
    quick, entered, release = threading.Event(), threading.Event(), threading.Event()

    def task(x):
        if x == 3000:
            quick.set()
        if x > 3000:
            entered.set()
            release.wait(PATIENCE)

    Publisher(queue).publish_many({"x": x} for x in range(20_000))
    with Consumer(task, queue=queue, pool=threads, controls=[gate, spy]) as consumer:
        consumer.start()
        assert quick.wait(PATIENCE)
        assert entered.wait(PATIENCE)
        assert holds(lambda: consumer.in_flight > 1)  # fetched ahead: there is one worker
        gate.allowed = 0
        gate.host.wake()
        assert holds(lambda: consumer.in_flight == 1)
        assert queue.size().ready + 1 == 20_000 - sum(not isinstance(m.settlement, Release) for m in spy.left)
        release.set()
        gate.allowed = UNLIMITED
        gate.host.wake()
        assert empty(queue)


def test_only_those_who_give_no_credit_are_waited_for(queue, pool):
    """A control that lets everything pass must not slow down one that gives a little at a time."""

    class Open(Control):
        def credit(self, now):
            return UNLIMITED

        def next_credit(self, now):
            return 60.0

    class Trickle(Control):
        def __init__(self):
            self.next = 0.0

        def credit(self, now):
            return 1 if now >= self.next else 0

        def next_credit(self, now):
            return max(0.0, self.next - now)

        def spend(self, count, now):
            self.next = now + 0.01

    ran, last = [], threading.Event()

    def task(x):
        ran.append(x)
        if len(ran) == 50:
            last.set()

    Publisher(queue).publish_many({"x": x} for x in range(50))
    with Consumer(task, queue=queue, pool=pool, controls=[Open(), Trickle()]) as consumer:
        consumer.start()
        assert last.wait(PATIENCE)


class Abandon(Control):
    """Gives up every call that asks for it, as a timeout would."""

    def start(self, host):
        self.host = host

    def around(self, call):
        def wrapped(message):
            try:
                return call(message)
            finally:
                if message.arguments.get("stuck") and message.attempt == 1:
                    raise Abandoned

        return wrapped


@pytest.mark.parametrize(
    ("recovery", "settlement"),
    [
        (None, None),
        (DeadLetter("stuck"), DeadLetter("stuck")),
        (Retry(0.0), Requeue(0.0, {"_advanced_retry_count": 1})),
    ],
)
def test_a_stuck_call_loses_neither_its_message_nor_its_worker(queue, threads, recovery, settlement):
    class Decide(Control):
        def on_error(self, message, error, attempt):
            return recovery if attempt == 1 else None

    abandon, spy = Abandon(), Spy()
    entered, release, others = threading.Event(), threading.Event(), threading.Event()
    running = []

    def task(stuck):
        if stuck and current_message.get().attempt == 1:
            running.append(current_message.get())
            entered.set()
            release.wait(PATIENCE)
        else:
            others.set()

    Publisher(queue).publish({"stuck": True})
    consumer = Consumer(task, queue=queue, pool=threads, controls=[abandon, spy, Decide()])
    with consumer:
        consumer.start()
        assert entered.wait(PATIENCE)
        abandon.host.abandon(running[0], TimeoutError("stuck"))
        assert spy.expect(1)[0].settlement == settlement
        Publisher(queue).publish({"stuck": False})
        assert others.wait(PATIENCE)
        release.set()
        assert empty(queue)
        assert holds(lambda: threads.max_workers == 1)
    assert len([message for message in spy.left if message is running[0]]) == 1


def test_delay_is_emulated_with_control_data_kept(queue, pool, monkeypatch):
    class NoDelay(type(queue.broker)):
        capabilities = type(queue.broker).capabilities.__class__(
            **{name: getattr(queue.broker.capabilities, name) for name in queue.broker.capabilities.__slots__}
            | {"delay": False}
        )

    monkeypatch.setattr(queue, "broker", NoDelay(), raising=True)
    monkeypatch.setattr(NoDelay, "queue", lambda self, name, **options: queue, raising=False)
    seen = []

    class Later(Control):
        def admit(self, message):
            return None if "note" in message.extra or message.arguments["plain"] else Delay(0.05)

        def on_error(self, message, error, attempt):
            return Requeue(0.05, {"note": 1})

    def task(plain):
        if "note" not in current_message.get().extra:
            raise ValueError
        seen.append(plain)

    Publisher(queue).publish({"plain": True})
    with Consumer(task, queue=queue, pool=pool, controls=[Later()]) as consumer:
        consumer.start()
        assert empty(queue)
    assert seen == [True]
