"""A dispatcher whose broker works on the next messages meanwhile."""

import threading

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.brokers.memory.queue import MemoryQueue
from fsdf_core.brokers.memory.subscription import MemorySubscription
from fsdf_core.consumer import Consumer
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.publisher import Publisher
from fsdf_core.waiting import wait_until

PATIENCE = 30.0
COUNT = 20_000


class AskingSubscription(MemorySubscription):
    """Takes what it is asked for at once, as a server does, and hands it over later."""

    asks_ahead = True

    def __init__(self, queue):
        super().__init__(queue)
        self.coming = None
        self.promised = 0
        self.asked = []
        self.has_asked = threading.Event()

    def ask_ahead(self, limit):
        assert self.coming is None
        self.coming = super().receive(limit, 0)
        self.promised = limit
        self.asked.append(len(self.coming))
        self.has_asked.set()
        return limit

    def receive(self, limit, timeout):
        assert limit >= self.promised
        coming, self.coming, self.promised = self.coming, None, 0
        return coming or super().receive(limit, timeout)


class AskingQueue(MemoryQueue):
    def subscribe(self, consumer_id, prefetch):
        self.subscription = AskingSubscription(self)
        self._subscriptions.add(self.subscription)
        return self.subscription


class FarBroker(MemoryBroker):
    prefetch_seconds = 1.0


@pytest.fixture
def queue():
    return AskingQueue(FarBroker(), "q", serialize=True)


class Gate(Control):
    allowed = UNLIMITED

    def credit(self, now):
        return self.allowed

    def next_credit(self, now):
        return 60.0

    def start(self, host):
        self.host = host


def publish(queue):
    Publisher(queue).publish_many({"x": x} for x in range(COUNT))


def empty(queue):
    return wait_until(lambda: not queue.size().total, PATIENCE, 0.01)


def test_every_message_runs_once(queue, pool):
    ran = []
    publish(queue)
    with Consumer(lambda x: ran.append(x), queue=queue, pool=pool) as consumer:
        consumer.start()
        assert empty(queue)
        assert sum(queue.subscription.asked) > COUNT / 10
        # What came with less than it was asked for is no end.
        publish(queue)
        assert empty(queue)
    assert sorted(ran) == sorted([*range(COUNT), *range(COUNT)])


def test_nothing_is_asked_for_that_few_workers_cannot_take(queue, one_thread):
    entered, release = threading.Event(), threading.Event()

    def task(x):
        entered.set()
        release.wait(PATIENCE)

    publish(queue)
    with Consumer(task, queue=queue, pool=one_thread) as consumer:
        consumer.start()
        assert entered.wait(PATIENCE)
        assert queue.size().ready == COUNT - 1
        queue.purge()
        release.set()
    assert queue.subscription.asked == []


def test_nothing_is_asked_for_under_a_limit(queue, pool):
    gate, ran = Gate(), []
    gate.allowed = 1000
    publish(queue)
    with Consumer(lambda x: ran.append(x), queue=queue, pool=pool, controls=[gate]) as consumer:
        consumer.start()
        assert empty(queue)
    assert len(ran) == COUNT
    assert queue.subscription.asked == []


@pytest.mark.parametrize("end", ["gate", "stop"])
def test_what_was_asked_for_is_given_back(queue, one_thread, end):
    gate, ran = Gate(), []
    entered, release = threading.Event(), threading.Event()

    def task(x):
        ran.append(x)
        if queue.subscription.has_asked.is_set():
            entered.set()
            release.wait(PATIENCE)

    publish(queue)
    consumer = Consumer(task, queue=queue, pool=one_thread, controls=[gate])
    consumer.start()
    assert entered.wait(PATIENCE)
    if end == "gate":
        gate.allowed = 0
        gate.host.wake()
        assert wait_until(lambda: queue.size().ready == COUNT - len(ran), PATIENCE, 0.01)
        gate.allowed = UNLIMITED
        release.set()
        gate.host.wake()
        assert empty(queue)
        assert sorted(ran) == list(range(COUNT))
        assert consumer.stop()
    else:
        stopping = threading.Thread(target=consumer.stop)
        stopping.start()
        release.set()
        stopping.join(PATIENCE)
        assert queue.size().ready == COUNT - len(ran)
