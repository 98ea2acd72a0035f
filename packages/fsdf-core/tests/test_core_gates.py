"""Gates, stuck calls and delays in a consumer, on the memory broker."""

import threading

import pytest

from fsdf_core.consumer import Consumer
from fsdf_core.context import current_message
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.host import Abandoned
from fsdf_core.publisher import Publisher
from fsdf_core.testing.spy import Spy
from fsdf_core.verdict import DeadLetter, Delay, Release, Requeue, Retry
from fsdf_core.waiting import wait_until

PATIENCE = 30.0


def empty(queue):
    return wait_until(lambda: not queue.size().total, PATIENCE, 0.01)


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


def test_a_gate_that_closes_gives_back_what_was_fetched_ahead(queue, one_thread):
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
    with Consumer(task, queue=queue, pool=one_thread, controls=[gate, spy]) as consumer:
        consumer.start()
        assert quick.wait(PATIENCE)
        assert entered.wait(PATIENCE)
        assert wait_until(lambda: consumer.in_flight > 1, PATIENCE, 0.01)  # fetched ahead: there is one worker
        gate.allowed = 0
        gate.host.wake()
        assert wait_until(lambda: consumer.in_flight == 1, PATIENCE, 0.01)

        def all_others_are_back():
            ran = sum(not isinstance(message.settlement, Release) for message in spy.left)
            return queue.size().ready + 1 == 20_000 - ran

        assert wait_until(all_others_are_back, PATIENCE, 0.01)
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
def test_a_stuck_call_loses_neither_its_message_nor_its_worker(queue, one_thread, recovery, settlement):
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
    consumer = Consumer(task, queue=queue, pool=one_thread, controls=[abandon, spy, Decide()])
    with consumer:
        consumer.start()
        assert entered.wait(PATIENCE)
        abandon.host.abandon(running[0], TimeoutError("stuck"))
        assert spy.expect(1)[0].settlement == settlement
        Publisher(queue).publish({"stuck": False})
        assert others.wait(PATIENCE)
        release.set()
        assert empty(queue)
        assert wait_until(lambda: one_thread.max_workers == 1, PATIENCE, 0.01)
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
