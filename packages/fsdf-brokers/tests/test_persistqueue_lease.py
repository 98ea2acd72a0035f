"""PERSISTQUEUE: when a consumer's items may be taken though the kernel does not call it dead."""

import os
import threading
import time

import pytest

from fsdf_brokers.persistqueue import PersistQueueBroker, lease
from fsdf_brokers.process_lock import Life
from fsdf_core.broker import OutgoingMessage


@pytest.fixture
def broker(tmp_path):
    broker = PersistQueueBroker(tmp_path / "home", lease_limit=100)
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


@pytest.fixture
def slow(queue):
    """A living consumer that holds one item."""
    queue.send([OutgoingMessage(b"1")])
    slow = queue.subscribe("slow", 1)
    slow.held = slow.receive(1, 1)
    slow._lease._ended.set()
    slow._lease._thread.join(10)
    yield slow
    slow.close()


def silent_for(broker, seconds):
    then = time.time() - seconds
    os.utime(broker.folder / "alive" / "slow.lock", (then, then))


def taken(queue):
    """What a new consumer gets."""
    heir = queue.subscribe("heir", 1)
    got = heir.receive(1, 0.1)
    heir.close()
    return [delivery.body for delivery in got]


@pytest.mark.parametrize(
    ("life", "silence", "expected"),
    [
        (Life.ALIVE, 90, []),
        (Life.ALIVE, 110, [b"1"]),
        (Life.UNKNOWN, 20, []),
        (Life.UNKNOWN, 40, [b"1"]),
        (Life.DEAD, 0, [b"1"]),
    ],
    ids=lambda value: str(value),
)
def test_the_limit_depends_on_what_is_known(broker, queue, slow, monkeypatch, life, silence, expected):
    silent_for(broker, silence)
    monkeypatch.setattr(lease, "is_alive", lambda folder, owner: life)
    assert taken(queue) == expected


def test_a_file_that_cannot_be_looked_at_counts_from_the_first_look(queue, slow, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(lease, "is_alive", lambda folder, owner: Life.UNKNOWN)
    monkeypatch.setattr(lease, "beat_age", lambda folder, owner: None)
    heir = queue.subscribe("heir", 1)
    monkeypatch.setattr(lease.time, "monotonic", lambda: now[0])
    heir._lease._first_missed.clear()
    assert heir._lease.dead(["slow"]) == []
    now[0] += 29
    assert heir._lease.dead(["slow"]) == []
    now[0] += 2
    assert heir._lease.dead(["slow", "heir"]) == ["slow"]
    monkeypatch.undo()
    heir.close()


def test_late_acks_of_a_lost_lease_change_nothing(broker, queue, slow):
    silent_for(broker, 110)
    heir = queue.subscribe("heir", 1)
    (again,) = heir.receive(1, 1)
    slow.ack(slow.held)
    slow.requeue(slow.held)
    slow.release(slow.held)
    assert queue.size() == (0, 0, 1)
    heir.ack([again])
    assert queue.size().total == 0
    heir.close()


def test_heartbeats_keep_a_lease(tmp_path):
    broker = PersistQueueBroker(tmp_path / "home", lease_limit=0.6)
    queue = broker.queue("q")
    queue.send([OutgoingMessage(b"1")])
    subscription = queue.subscribe("slow", 1)
    subscription.receive(1, 1)
    heir = queue.subscribe("heir", 1)
    assert heir.receive(1, 2) == []
    heir.close()
    subscription.close()
    assert not {thread.name for thread in threading.enumerate()} & {"fsdf-lease-slow", "fsdf-lease-heir"}
    broker.close()
