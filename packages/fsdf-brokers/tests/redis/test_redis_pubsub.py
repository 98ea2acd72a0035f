"""REDIS_PUBSUB on a real server: everyone gets everything, nothing is stored."""

import socket
import threading
import time
from collections import Counter

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_brokers.redis.pubsub import RedisPubSubBroker
from fsdf_core.broker import QueueSize
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.publisher import Publisher
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.verdict import Requeue
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor


@pytest.fixture
def kind():
    return "REDIS_PUBSUB"


@pytest.fixture
def queue(broker):
    return broker.queue("news")


def test_pubsub_unreachable_server_is_one_clear_error():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        broker = RedisPubSubBroker(f"redis://me:secret@127.0.0.1:{probe.getsockname()[1]}/0")
        for action in (lambda: broker.queue("q").subscribe("c", 1), lambda: send(broker.queue("q"), b"{}")):
            with pytest.raises(BrokerUnavailable, match=r"redis://me:\*\*\*@127.*FSDF_REDIS_URL") as caught:
                action()
            assert "secret" not in str(caught.value)


def test_pubsub_wrong_password_is_one_clear_error(launch_redis):
    server = launch_redis(options={"requirepass": "right"})
    broker = RedisPubSubBroker(server.url.replace("//", "//:wrong-one@"))
    for action in (lambda: broker.queue("q").subscribe("c", 1), lambda: send(broker.queue("q"), b"{}")):
        with pytest.raises(ConfigurationError, match="FSDF_REDIS_URL") as caught:
            action()
        assert "wrong-one" not in str(caught.value)
    broker.close()


def test_pubsub_what_nobody_listens_for_is_gone(queue, subscribe):
    send(queue, b"1")
    send(queue, b"2", b"3")
    assert queue.size() == QueueSize(0)
    assert queue.purge() == 0
    assert subscribe().receive(10, 0.3) == []


def test_pubsub_everyone_gets_everything_in_order(client, queue, subscribe):
    consumers = [subscribe("one"), subscribe("two")]
    sent = numbered(3000)
    send(queue, *sent[:2999])
    client.publish("news", sent[2999])
    for consumer in consumers:
        assert bodies(receive(consumer, 3000)) == sent
    send(queue)
    assert consumers[0].receive(10, 0.2) == []


def test_pubsub_what_comes_back_comes_to_this_consumer_alone(queue, subscribe):
    one, two = subscribe("one"), subscribe("two")
    send(queue, *numbered(4))
    held = receive(one, 3)
    assert len(receive(two, 4)) == 4
    one.release(held[1:])
    one.requeue(held[:1])
    assert bodies(receive(one, 4)) == [*numbered(4)[1:], numbered(4)[0]]
    assert two.receive(10, 0.2) == []


def test_pubsub_interrupt_ends_a_wait(subscribe):
    subscription = subscribe()
    timer = threading.Timer(0.1, subscription.interrupt)
    timer.start()
    began = time.monotonic()
    assert subscription.receive(5, 20) == []
    assert time.monotonic() - began < 10
    timer.join()


def test_pubsub_a_lost_connection_is_told_and_mended(client, queue, subscribe):
    subscription = subscribe()
    send(queue, b"before")
    assert client.client_kill_filter(_type="pubsub") == 1
    assert bodies(receive(subscription, 1)) == [b"before"]
    with pytest.raises(BrokerUnavailable):
        subscription.receive(1, 20)
    subscription.reconnect()
    subscription.reconnect()
    assert client.pubsub_numsub("news") == [(b"news", 1)]
    send(queue, b"after")
    assert bodies(receive(subscription, 1)) == [b"after"]


def test_pubsub_a_consumer_that_has_no_room_is_not_cut_off(launch_redis):
    server = launch_redis(options={"client-output-buffer-limit": "pubsub 1mb 1mb 1"})
    broker = RedisPubSubBroker(server.url)
    queue = broker.queue("news")
    subscription = queue.subscribe("me", 1)
    for number in range(1, 61):
        send(queue, b"x" * 500_000)
        assert wait_until(lambda number=number: subscription._bytes == number * 500_000, 30)
    assert len(receive(subscription, 60)) == 60
    subscription.close()
    broker.close()


def test_pubsub_close_ends_thread_and_connection(client, queue, subscribe):
    subscription = subscribe()
    subscription.close()
    subscription.close()
    assert not [one for one in threading.enumerate() if one.name == "fsdf-redis-pubsub-news"]
    assert client.pubsub_numsub("news") == [(b"news", 0)]


class PutBack(Control):
    def __init__(self, extra):
        self.extra = extra

    def on_error(self, message, error, attempt):
        return Requeue(0.1, self.extra)


@pytest.mark.parametrize("extra", [None, {"any": 1}], ids=["as it was", "changed"])
def test_pubsub_every_consumer_runs_every_task_and_a_requeued_one_again_by_itself(queue, extra):
    ran = Counter()

    def task_of(name):
        def task(x):
            ran[name, x] += 1
            if name == "one" and x == 7 and ran[name, x] == 1:
                raise ValueError

        return task

    with ShrinkableThreadPoolExecutor(max_workers=4) as pool:
        consumers = [
            Consumer(task_of(name), queue=queue, pool=pool, controls=[PutBack(extra)]) for name in ("one", "two")
        ]
        for consumer in consumers:
            consumer.start()
        Publisher(queue).publish_many({"x": x} for x in range(500))
        expected = Counter({(name, x): 1 for name in ("one", "two") for x in range(500)}) + Counter([("one", 7)])
        assert wait_until(lambda: ran.total() >= 1001, 30)
        threading.Event().wait(0.3)  # whether more comes
        for consumer in consumers:
            assert consumer.stop()
    assert ran == expected


def test_pubsub_consumers_survive_a_restart_of_the_server(launch_redis):
    server = launch_redis()
    broker = RedisPubSubBroker(server.url)
    queue = broker.queue("news")
    ran = threading.Event()
    with (
        ShrinkableThreadPoolExecutor(max_workers=2) as pool,
        Consumer(lambda x: ran.set(), queue=queue, pool=pool) as consumer,
    ):
        consumer.start()
        server.stop()
        server.start()

        def published_and_run():
            send(queue, b'{"x":1}')
            return ran.wait(0.2)

        assert wait_until(published_and_run, 30)
    broker.close()
