"""A forked child's memory queues are empty, and nothing of its parent's threads holds them up."""

import os
import signal
import threading

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture
def queue():
    return MemoryBroker().queue("q")


def send(queue, *bodies, **options):
    queue.send([OutgoingMessage({"x": body}, **options) for body in bodies])


def take(subscription, count):
    return [delivery.body["x"] for delivery in subscription.receive(count, 0.2)]


def in_child(action):
    """Run it in a forked child; False if it fails or takes more than 10 s."""
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10)
            os._exit(0 if action() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_messages_stay_with_the_parent(queue):
    send(queue, 1, 2)
    send(queue, 3, priority=5)
    send(queue, 4, delay=60)
    subscription = queue.subscribe("parent", 10)
    assert take(subscription, 1) == [3]
    assert in_child(lambda: queue.size() == (0, 0, 0) and take(queue.subscribe("child", 10), 10) == [])
    assert queue.size() == (2, 1, 1)
    subscription.close()


def test_closing_the_parents_subscription_in_the_child_brings_nothing_back(queue):
    send(queue, 1)
    subscription = queue.subscribe("parent", 10)
    held = subscription.receive(1, 1)
    assert in_child(lambda: (subscription.requeue(held), subscription.close()) and queue.size().total == 0)
    subscription.close()
    assert queue.size() == (1, 0, 0)


def test_locks_that_threads_of_the_parent_hold_are_free_in_the_child(queue):
    held, release = threading.Event(), threading.Event()

    def hold():
        with queue.broker._lock, queue._lock:
            held.set()
            release.wait(30)

    def use():
        send(queue.broker.queue("q"), 1)
        send(queue.broker.queue("new"), 2)
        return take(queue.subscribe("child", 10), 10) == [1]

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        assert in_child(use)
    finally:
        release.set()
        thread.join(10)


def test_the_process_wide_queues_work_in_a_child_while_they_are_busy(tmp_path):
    queue = brokers.get("MEMORY_QUEUE").from_settings(Settings(home=tmp_path)).queue("fork-busy")
    ended = threading.Event()

    def push():
        while not ended.is_set():
            send(queue, 0)
            queue.purge()

    def use():
        send(queue, 1)
        return take(queue.subscribe("child", 10), 10) == [1]

    threads = [threading.Thread(target=push) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert all(in_child(use) for _ in range(30))
    finally:
        ended.set()
        for thread in threads:
            thread.join(10)
        queue.purge()
