"""REDIS on a real server: the wire, order, delay, who loses what."""

import threading
import time

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.at_most_once import RedisBroker
from fsdf_core.broker import QueueSize
from fsdf_core.consumer import Consumer
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor


@pytest.fixture
def kind():
    return "REDIS"


@pytest.fixture
def subscription(queue):
    subscription = queue.subscribe("me", 10)
    yield subscription
    subscription.close()


def test_the_entry_point_leads_here():
    assert brokers.get("REDIS") is RedisBroker


def test_plain_push_of_any_client_is_a_task_and_ours_is_one_of_the_list(redis_server, queue, subscription):
    redis_server.command("RPUSH", "sums", '{"x":1,"y":2}')
    assert bodies(subscription.receive(10, 5)) == [b'{"x":1,"y":2}']
    send(queue, b'{"x":1}')
    assert redis_server.command("LRANGE", "sums", "0", "-1") == b'*1\r\n$7\r\n{"x":1}\r\n'


def test_takes_from_the_head_and_no_more_than_asked_for(redis_server, queue, subscription):
    taken = []
    taker = threading.Thread(target=lambda: taken.extend(subscription.receive(3, 30)))
    taker.start()
    assert wait_until(lambda: b"cmd=blpop" in redis_server.command("CLIENT", "LIST"), 20)
    send(queue, *numbered(8))
    taker.join(30)
    while len(taken) < 6:
        batch = subscription.receive(3, 5)
        assert 0 < len(batch) <= 3
        taken += batch
    assert bodies(taken) == numbered(8)[: len(taken)]
    assert queue.size() == QueueSize(8 - len(taken), 0, 0)


def test_what_was_taken_is_gone(queue, subscription):
    send(queue, *numbered(3))
    taken = subscription.receive(3, 5)
    assert queue.size().total == 0
    subscription.ack(taken)
    subscription.close()
    assert queue.size().total == 0


def test_release_goes_to_the_front_in_the_old_order(queue, subscription):
    send(queue, *numbered(5))
    subscription.release(subscription.receive(3, 5)[::-1])
    assert bodies(subscription.receive(5, 5)) == numbered(5)


def test_requeue_goes_to_the_end_or_waits(queue, subscription):
    send(queue, *numbered(3))
    one, two = subscription.receive(2, 5)
    subscription.requeue([one])
    subscription.requeue([two], 60)
    assert queue.size() == QueueSize(2, 1, 0)
    assert bodies(subscription.receive(5, 5)) == [b'{"n":2}', b'{"n":0}']


def test_what_waits_for_its_time_outlives_consumers(broker, queue, subscription):
    send(queue, *numbered(20), delay=0.4)
    send(queue, b"shared", delay=0.4)
    subscription.close()
    started = time.monotonic()
    heir = queue.subscribe("heir", 30)
    got = []
    while len(got) < 21:
        batch = heir.receive(30, 10)
        assert batch
        got += bodies(batch)
    assert time.monotonic() - started > 0.2
    assert got == [*numbered(20), b"shared"]
    heir.close()


def test_due_messages_come_although_the_list_is_never_empty(queue, subscription):
    send(queue, b"due", delay=0.05)
    send(queue, *numbered(3))
    seen = []
    deadline = time.monotonic() + 30
    while b"due" not in seen:
        assert time.monotonic() < deadline
        seen += bodies(subscription.receive(1, 5))
        send(queue, b"{}")


def test_a_queue_shared_with_ack_able_consumers(redis_url, queue, subscription):
    send(queue, *numbered(2))
    other = RedisAckAbleBroker(redis_url).queue("sums").subscribe("other", 1)
    send(queue, *numbered(2))
    assert bodies(other.receive(1, 5) + subscription.receive(9, 5)) == numbered(2) * 2
    other.close()
    assert bodies(subscription.receive(9, 0)) == []


def test_large_bodies_come_in_several_batches(queue, subscription):
    for number in range(40):
        send(queue, b"%02d" % number + b"x" * 2**20)
    seen = []
    while len(seen) < 40:
        deliveries = subscription.receive(1000, 1)
        assert 0 < len(deliveries) <= 16
        seen += [delivery.body[:2] for delivery in deliveries]
    assert seen == [b"%02d" % number for number in range(40)]


def test_many_small_bodies_come_in_large_batches(queue, subscription):
    send(queue, *numbered(12_000))
    taken, batches = [], 0
    while batch := subscription.receive(100_000, 0):
        taken += batch
        batches += 1
    assert batches <= 4
    subscription.release(taken)
    assert bodies(subscription.receive(100_000, 0)) == numbered(10_000)


def test_a_consumer_that_stops_gives_back_what_it_has_not_started(queue):
    started, gate = threading.Event(), threading.Event()
    ran = []

    def task(n):
        started.set()
        ran.append(n)
        gate.wait(30)

    Publisher(queue).publish_many({"n": number} for number in range(100))
    with ShrinkableThreadPoolExecutor(max_workers=3) as pool:
        consumer = Consumer(task, queue=queue, pool=pool)
        consumer.start()
        assert started.wait(30)
        threading.Timer(0.2, gate.set).start()
        assert consumer.stop()
    assert queue.size().total == 100 - len(ran)
    rest = queue.subscribe("rest", 100)
    first = rest.receive(1, 5)[0].body
    assert b'"n":%d' % len(ran) in first  # in front, in order
    rest.close()


def test_a_restarted_server_is_used_again(launch_redis):
    server = launch_redis(aof=True)
    broker = RedisBroker(server.url)
    queue = broker.queue("q")
    subscription = queue.subscribe("mine", 10)
    send(queue, *numbered(3))
    server.stop()
    with pytest.raises(BrokerUnavailable):
        subscription.receive(5, 1)
    with pytest.raises(BrokerUnavailable):
        send(queue, b"lost")
    server.start()
    subscription.reconnect()
    assert bodies(subscription.receive(5, 5)) == numbered(3)
    subscription.close()
    broker.close()


def test_key_of_another_type_is_one_clear_error(redis_server, queue):
    redis_server.command("SET", "sums", "1")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        send(queue, b"{}")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        queue.subscribe("c", 1)
