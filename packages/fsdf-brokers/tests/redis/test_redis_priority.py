"""REDIS_PRIORITY on a real server: the lists, their order, who wakes whom, clusters."""

import threading
import time

import pytest
from tests.servers.messages import bodies

from fsdf_brokers.redis.priority import RedisPriorityBroker
from fsdf_core.broker import OutgoingMessage, QueueSize
from fsdf_core.errors import ConfigurationError
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until


@pytest.fixture
def kind():
    return "REDIS_PRIORITY"


def send(queue, *priorities, delay=0.0):
    queue.send([OutgoingMessage(b"p%d" % priority, delay, priority) for priority in priorities])


def take(subscription, count):
    return bodies(receive(subscription, count))


def test_each_priority_has_its_list(broker, client):
    queue = broker.queue("sums", **{"x-max-priority": 12})
    send(queue, 0, 5, 12, 40)
    assert client.lrange("sums", 0, -1) == [b"p0"]
    assert client.lrange("sums:5", 0, -1) == [b"p5"]
    assert client.lrange("sums:12", 0, -1) == [b"p12", b"p40"]
    assert queue.size() == QueueSize(4)


def test_the_order_is_that_of_numbers_and_then_of_arrival(broker, client, subscribe):
    queue = broker.queue("sums", **{"x-max-priority": 255})
    send(queue, 1, 9, 10, 0, 255, 2, 100, 10)
    client.rpush("sums:10", "foreign")
    got = take(subscribe(of=queue), 9)
    assert got == [b"p255", b"p100", b"p10", b"p10", b"foreign", b"p9", b"p2", b"p1", b"p0"]


def test_nine_priorities_by_default(broker, client, subscribe):
    queue = broker.queue("sums")
    send(queue, 3, 200)
    assert client.lrange("sums:9", 0, -1) == [b"p200"]
    assert take(subscribe(of=queue), 2) == [b"p200", b"p3"]


@pytest.mark.parametrize("top", [0, -1, 256, "9", 2.5, True])
def test_what_is_no_number_of_priorities_is_refused(broker, top):
    with pytest.raises(ConfigurationError, match="x-max-priority .* from 1 to 255"):
        broker.queue("sums", **{"x-max-priority": top})


def test_what_comes_back_keeps_its_priority(broker, client, subscribe):
    queue = broker.queue("sums")
    send(queue, 2, 7, 7, 0)
    subscription = subscribe(of=queue)
    taken = subscription.receive(4, 5)
    subscription.release([taken[3], taken[0]])
    subscription.requeue([taken[1]])
    subscription.requeue([taken[2]], 60)
    assert client.lrange("sums:7", 0, -1) == [b"p7", b"p7"]
    assert client.lrange("sums", 0, -1) == [b"p0"]
    assert queue.size() == QueueSize(3, 1, 0)
    for one in client.zrange("{sums}:fsdf:delayed", 0, -1):
        client.zadd("{sums}:fsdf:delayed", {one: 1})  # its time has come
    send(queue, 1)
    assert take(subscription, 5) == [b"p7", b"p7", b"p2", b"p1", b"p0"]


def test_a_delayed_message_keeps_its_priority(broker, subscribe):
    queue = broker.queue("sums")
    send(queue, 0, 3, 8, delay=0.05)
    deadline = time.monotonic() + 30
    while queue.size().delayed:
        assert time.monotonic() < deadline
    assert take(subscribe(of=queue), 3) == [b"p8", b"p3", b"p0"]


def test_messages_of_a_closed_consumer_keep_their_priority_through_the_next(broker, client, subscribe):
    queue = broker.queue("sums")
    send(queue, 4)
    first = subscribe("first", of=queue)
    assert take(first, 1) == [b"p4"]
    first.close()
    second = subscribe("second", of=queue)
    (delivery,) = second.receive(1, 5)
    assert delivery.delivery_count == 2
    second.requeue([delivery])
    assert client.lrange("sums:4", 0, -1) == [b"p4"]


def test_a_waiting_consumer_starts_at_once(broker, subscribe, monkeypatch):
    queue = broker.queue("sums")
    subscription = subscribe(of=queue)
    monkeypatch.setattr(subscription._layout, "look", 60)  # so that only a wake-up can help
    for _ in range(20):
        timer = threading.Timer(0.01, send, (queue, 6))
        timer.start()
        started = time.monotonic()
        subscription.ack(subscription.receive(10, 60))
        assert time.monotonic() - started < 30
        timer.join()
    assert queue.size().total == 0


def test_a_batch_wakes_several_consumers(broker, subscribe, client):
    queue = broker.queue("sums")
    got = []

    def consume(subscription):
        got.append(take(subscription, 1))

    threads = [threading.Thread(target=consume, args=(subscribe(f"c{number}", of=queue),)) for number in range(3)]
    for thread in threads:
        thread.start()
    send(queue, 1, 1, 1)
    for thread in threads:
        thread.join(30)
    assert got == [[b"p1"]] * 3
    assert client.llen("{sums}:fsdf:wake") <= 3


@pytest.mark.parametrize("key", ["sums", "sums:3", "sums:9"])
def test_a_waiting_consumer_finds_what_others_push(broker, client, subscribe, key):
    subscription = subscribe(of=broker.queue("sums"))
    timer = threading.Timer(0.1, client.rpush, (key, '{"x":1}'))
    timer.start()
    assert take(subscription, 1) == [b'{"x":1}']
    timer.join()


def test_on_a_cluster_the_name_needs_a_hash_tag(launch_redis, subscribe):
    server = launch_redis(options={"cluster-enabled": "yes"})
    server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    assert wait_until(lambda: b"cluster_state:ok" in server.command("CLUSTER", "INFO"), 30)
    broker = RedisPriorityBroker(server.url)
    plain = broker.queue("sums")
    for action in (lambda: send(plain, 1), lambda: plain.subscribe("me", 1), plain.size, plain.purge):
        with pytest.raises(ConfigurationError, match=r"hash tag in the queue's name: \{sums\} instead of sums"):
            action()
    tagged = broker.queue("{sums}")
    send(tagged, 3, 8)
    assert take(subscribe(of=tagged), 2) == [b"p8", b"p3"]
    broker.close()
