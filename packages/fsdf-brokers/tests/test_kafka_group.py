"""Kafka: what consumers of a group may expect of each other."""

import threading
import uuid

import pytest

from fsdf_brokers.kafka.broker import KafkaBroker, KafkaConfluentBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until


@pytest.fixture
def broker(kafka_bootstrap):
    broker = KafkaConfluentBroker(kafka_bootstrap, heartbeat_timeout=1)
    yield broker
    broker.close()


@pytest.fixture
def queue(broker):
    return broker.queue(f"group-{uuid.uuid4().hex}", group_id=uuid.uuid4().hex, num_partitions=4)


def send(queue, *numbers, key=None):
    queue.send([OutgoingMessage(b"%d" % number, key=key) for number in numbers])


def numbers(deliveries):
    return sorted(int(delivery.body) for delivery in deliveries)


def drain(subscription, seconds=1.0):
    found = []
    while batch := subscription.receive(100, seconds):
        found += batch
    return found


def test_a_successor_gets_only_what_is_unfinished_whatever_the_order_was(queue):
    send(queue, *range(40), key="one partition")
    first = queue.subscribe("first", 40)
    held = receive(first, 40)
    first.ack([each for each in held if int(each.body) % 3])
    first.close()
    second = queue.subscribe("second", 40)
    assert numbers(drain(second)) == list(range(0, 40, 3))
    second.close()


def test_a_consumer_that_joins_waits_for_what_runs(queue):
    send(queue, *range(40))
    first = queue.subscribe("first", 40)
    held = receive(first, 40)
    ended = threading.Event()

    def end_late():
        ended.wait(1.5)
        first.ack(held)

    worker = threading.Thread(target=end_late)
    worker.start()
    second = queue.subscribe("second", 40)
    assert drain(second, 3) == []
    worker.join()
    assert second._group.joined
    assert queue.size().total == 0
    send(queue, *range(40))
    seen = numbers(drain(first) + drain(second))
    assert seen == list(range(40))
    first.close()
    second.close()


def test_a_busy_consumer_stays_in_the_group_and_shares_it(kafka_bootstrap):
    # The client throws out who does not poll within the lease limit, here 1 s.
    broker = KafkaConfluentBroker(kafka_bootstrap, heartbeat_timeout=1, lease_limit=1)
    queue = broker.queue(f"busy-{uuid.uuid4().hex}", group_id=uuid.uuid4().hex, num_partitions=4)
    send(queue, *range(2000))
    busy = queue.subscribe("busy", 1)
    (held,) = receive(busy, 1)
    threading.Event().wait(2.5)
    assert not held.token[0].lost
    second = queue.subscribe("second", 100)
    assert wait_until(lambda: second.receive(1, 0.2) != [], 10)
    busy.ack([held])
    busy.close()
    second.close()
    broker.close()


def test_late_acks_of_a_lost_partition_do_not_count(queue):
    send(queue, 1)
    late = queue.subscribe("late", 1)
    held = receive(late, 1)
    late._group._on_lost(late._group._consumer, late._group._consumer.assignment())
    late.ack(held)
    late.requeue(held)
    late.close()
    heir = queue.subscribe("heir", 1)
    again = receive(heir, 1)
    heir.ack(again)
    heir.close()
    assert queue.size().total == 0


def test_keys_choose_the_partition_and_survive_a_requeue(queue):
    send(queue, *range(20), key="k")
    subscription = queue.subscribe("c", 20)
    held = receive(subscription, 20)
    subscription.requeue(held)
    again = receive(subscription, 20)
    assert {each.token[1].key() for each in again} == {b"k"}
    assert len({each.token[1].partition() for each in held + again}) == 1
    subscription.ack(again)
    subscription.close()


def test_without_keys_messages_are_spread(queue):
    send(queue, *range(200))
    subscription = queue.subscribe("c", 200)
    held = receive(subscription, 200)
    assert {each.token[1].partition() for each in held} == {0, 1, 2, 3}
    subscription.close()


def test_a_topic_that_was_deleted_begins_anew(queue, kafka_bootstrap):
    send(queue, 1, 2, key="k")
    subscription = queue.subscribe("c", 2)
    subscription.ack(receive(subscription, 2))
    server = queue._server
    server.answer(server.ask("delete_topics", [queue.name])[queue.name])
    send(KafkaConfluentBroker(kafka_bootstrap).queue(queue.name, num_partitions=4), 3, key="k")

    def arrived():
        try:
            found = subscription.receive(10, 0.5)
        except BrokerUnavailable:
            subscription.reconnect()
            return False
        subscription.ack(found)
        return numbers(found) == [3]

    assert wait_until(arrived, 20)
    subscription.close()


def test_at_most_once_is_committed_before_it_runs(kafka_bootstrap):
    broker = KafkaBroker(kafka_bootstrap, heartbeat_timeout=1)
    queue = broker.queue(f"once-{uuid.uuid4().hex}", group_id=uuid.uuid4().hex)
    send(queue, *range(20))
    subscription = queue.subscribe("c", 20)
    held = receive(subscription, 15)
    assert queue.size() == (5, 0, 0)
    subscription.release(held[:2])
    assert queue.size() == (7, 0, 0)
    subscription.close()
    heir = queue.subscribe("heir", 20)
    found = receive(heir, 7)
    assert heir.receive(1, 0.5) == []
    assert not set(numbers(found)) & set(numbers(held[2:]))
    heir.close()
    broker.close()


def test_a_group_that_moves_everything_at_once_is_joined_all_the_same(broker, kafka_bootstrap):
    from confluent_kafka import Consumer

    group, name = uuid.uuid4().hex, f"mixed-{uuid.uuid4().hex}"
    queue = broker.queue(name, group_id=group, num_partitions=4)
    send(queue, *range(100))
    other = Consumer(
        {"bootstrap.servers": kafka_bootstrap, "group.id": group, "heartbeat.interval.ms": 100, "log_level": 0}
    )
    other.subscribe([name])
    assert wait_until(lambda: other.poll(0.1) is None and other.assignment(), 10)
    subscription = queue.subscribe("c", 100)
    assert wait_until(lambda: other.poll(0.1) is None and subscription.receive(1, 0.1) != [], 20)
    assert subscription._group._settings["partition.assignment.strategy"] == "range,roundrobin"
    subscription.close()
    other.close()
