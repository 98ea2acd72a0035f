"""MONGOMQ: names, order, leases, and what is left of claims that went wrong."""

import threading

import pytest
from tests.servers.messages import send

from fsdf_brokers.mongodb.broker import MongoBroker
from fsdf_brokers.mongodb.clock import ServerClock
from fsdf_brokers.mongodb.layout import CLAIMED, collection_of
from fsdf_core.broker import QueueSize


@pytest.fixture
def broker(mongodb_url):
    broker = MongoBroker(mongodb_url, heartbeat_timeout=0.6, lease_limit=1.5)
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue("q")


def claim_as(queue, owner):
    """What a claim leaves behind whose owner is no longer known."""
    queue.messages.update_many({}, {"$set": {"state": CLAIMED, "owner": owner, "claim": 7}, "$inc": {"count": 1}})


def wait_for(condition):
    pause = threading.Event()
    for _ in range(3000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("in vain")


def test_collections_of_different_queues_differ():
    names = ["", "q", "Q", "a.b", "a$b", "a%24b", "a\0b", "你好", "x" * 300, "x" * 299 + "y", "system.q", ".."]
    collections = {collection_of(name) for name in names}
    assert len(collections) == len(names)
    assert all(len(each) <= 100 and "$" not in each and "\0" not in each for each in collections)


@pytest.mark.parametrize("name", ["a.b$c", "你好 ✓", "x" * 300])
def test_queues_of_any_name(broker, name):
    queue, other = broker.queue(name), broker.queue(name + "!")
    send(queue, b"1")
    assert (queue.size().total, other.size().total) == (1, 0)


@pytest.mark.parametrize("priorities", [(0, 1, 255), (9, 10, 100), (-5, 3, 1000)])
def test_higher_priorities_come_first(queue, priorities):
    for priority in priorities:
        send(queue, str(priority).encode(), priority=priority)
    subscription = queue.subscribe("consumer", 10)
    got = [int(delivery.body) for delivery in subscription.receive(3, 5)]
    assert got == sorted(priorities, reverse=True)
    subscription.close()


def test_what_comes_back_keeps_its_priority(queue):
    send(queue, b"high", priority=9)
    subscription = queue.subscribe("consumer", 10)
    subscription.requeue(subscription.receive(1, 5))
    send(queue, b"low")
    assert [each.body for each in subscription.receive(2, 5)] == [b"high", b"low"]
    subscription.close()


def test_delayed_messages_are_not_delivered_early_nor_counted_ready(queue):
    send(queue, b"later", delay=60)
    send(queue, b"now")
    subscription = queue.subscribe("consumer", 10)
    assert [each.body for each in subscription.receive(9, 5)] == [b"now"]
    assert queue.size() == QueueSize(0, 1, 1)
    assert subscription.receive(9, 0.05) == []
    subscription.close()
    assert queue.purge() == 2


def test_a_claim_of_nobody_is_found_by_the_next_consumer(queue):
    send(queue, b"1", b"2")
    claim_as(queue, 12345)
    subscription = queue.subscribe("consumer", 10)
    got = subscription.receive(2, 5)
    assert [(each.body, each.delivery_count) for each in got] == [(b"1", 2), (b"2", 2)]
    subscription.close()


def test_a_consumer_elsewhere_loses_its_messages_when_its_heartbeat_stops(queue):
    send(queue, b"1")
    subscription = queue.subscribe("consumer", 10)
    queue.consumers.update_one(
        {"_id": 77},
        {"$set": {"queue": "q", "name": "far", "place": "another host"}, "$currentDate": {"beat": True}},
        upsert=True,
    )
    claim_as(queue, 77)
    assert subscription.receive(1, 0.3) == []
    (got,) = subscription.receive(1, 30)
    assert (got.body, got.delivery_count) == (b"1", 2)
    assert queue.consumers.count_documents({"queue": "q"}) == 1
    subscription.close()


def test_a_buried_owner_harms_nothing_and_goes_on(queue):
    send(queue, b"1", b"2")
    owner = queue.subscribe("owner", 10)
    held = owner.receive(2, 5)
    number = owner._lease.held.number
    queue.consumers.delete_one({"_id": number})
    rival = queue.subscribe("rival", 10)
    again = rival.receive(2, 5)
    assert [each.body for each in again] == [b"1", b"2"]
    wait_for(lambda: owner._lease.held.number != number)
    owner.ack(held[:1])
    owner.requeue(held[1:])
    assert queue.size() == QueueSize(0, 0, 2)
    rival.ack(again)
    send(queue, b"3")
    (third,) = owner.receive(1, 5)
    owner.ack([third])
    assert queue.size().total == 0
    owner.close()
    rival.close()


def test_what_a_claim_took_whose_answer_was_lost_comes_again_uncounted(queue):
    send(queue, b"1")
    subscription = queue.subscribe("consumer", 10)
    (kept,) = subscription.receive(1, 5)
    send(queue, b"2")
    queue.messages.update_one(
        {"body": b"2"},
        {"$set": {"state": CLAIMED, "owner": subscription._lease.held.number, "claim": 99}, "$inc": {"count": 1}},
    )
    subscription.reconnect()
    (lost,) = subscription.receive(5, 5)
    assert (lost.body, lost.delivery_count) == (b"2", 1)
    subscription.ack([kept, lost])
    assert queue.size().total == 0
    subscription.close()


def test_numbers_of_the_clock_grow_even_if_the_server_is_set_back():
    answers = iter([1_000_000_000.0, 999_999_000.0])
    clock = ServerClock(lambda: next(answers))
    first = clock.ticks(3)
    clock._asked = float("-inf")
    second = clock.ticks(2)
    assert clock.now() < 1_000_000_000
    assert list(second) == [first[-1] + 1, first[-1] + 2]
