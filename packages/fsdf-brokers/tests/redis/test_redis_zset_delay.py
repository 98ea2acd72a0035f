"""REDIS_ZSET_DELAY on a real server: the sorted set, whose times, equal messages."""

import json
import threading
import time

import pytest
from tests.servers.messages import bodies, send

from fsdf_core.broker import QueueSize
from fsdf_core.consumer import Consumer
from fsdf_core.control import Control
from fsdf_core.errors import ConfigurationError, ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.verdict import Requeue
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor


@pytest.fixture
def kind():
    return "REDIS_ZSET_DELAY"


def optioned(**option):
    return json.dumps({"x": 1, "extra": {"other_extra_params": {"for_broker_redis_zset_delay": option}}}).encode()


def take(subscription, count):
    return bodies(receive(subscription, count))


def server_time(client):
    seconds, microseconds = client.time()
    return seconds + microseconds / 1e6


def test_members_are_plain_bodies_and_scores_are_seconds(queue, client):
    before = server_time(client)
    send(queue, b'{"x":1}')
    send(queue, b'{"x":2}', delay=60)
    (first, now), (second, later) = client.zrange("sums", 0, -1, withscores=True)
    assert (first, second) == (b'{"x":1}', b'{"x":2}')
    assert before - 0.001 <= now <= server_time(client)
    assert 59.9 < later - now < 70


def test_what_others_add_is_a_task_when_it_is_due(queue, client, subscribe):
    subscription = subscribe()
    client.zadd("sums", {'{"x":"late"}': server_time(client) + 60, '{"x":"soon"}': server_time(client) + 0.3})
    client.zadd("sums", {'{"x":"now"}': 0})
    assert take(subscription, 2) == [b'{"x":"now"}', b'{"x":"soon"}']
    assert queue.size() == QueueSize(0, 1, 2)


@pytest.mark.parametrize("body", [b"\0", b"\0x:", b"\0:", b"\0007", b"\xff\0001:", b""])
def test_garbage_of_others_does_not_stop_the_queue(queue, client, subscribe, body):
    client.zadd("sums", {body: 0, "next": 1})
    assert take(subscribe(), 2) == [body, b"next"]


def test_equal_messages_are_several(queue, client, subscribe):
    client.zadd("sums", {"{}": 0})
    send(queue, b"{}", b"{}")
    send(queue, b"{}", delay=0.05)
    subscription = subscribe()
    assert take(subscription, 4) == [b"{}"] * 4
    assert queue.size() == QueueSize(0, 0, 4)


def test_the_option_says_when(queue, client):
    send(queue, optioned(eta_timestamp=2_000_000_000.5))
    assert client.zscore("sums", optioned(eta_timestamp=2_000_000_000.5)) == 2_000_000_000.5
    send(queue, optioned(delay_seconds=100))
    assert 80 < client.zscore("sums", optioned(delay_seconds=100)) - server_time(client) <= 101
    send(queue, optioned(), delay=50)
    assert 30 < client.zscore("sums", optioned()) - server_time(client) <= 50
    assert queue.size() == QueueSize(0, 3, 0)


def test_the_option_holds_once(queue, client):
    """A retry carries the option, too."""
    runs = []

    def task(x):
        runs.append(time.monotonic())
        if len(runs) < 3:
            raise ExceptionForRequeue

    class Again(Control):
        def on_error(self, message, error, attempt):
            return Requeue(0.2 * (len(runs) - 1), {"tried": len(runs)})

    publisher = Publisher(queue)
    option = {"other_extra_params": {"for_broker_redis_zset_delay": {"delay_seconds": 0.5}}}
    began = time.monotonic()
    publisher.publish({"x": 1}, option)
    with (
        ShrinkableThreadPoolExecutor(max_workers=2) as pool,
        Consumer(task, queue=queue, pool=pool, controls=[Again()]) as consumer,
    ):
        consumer.start()
        assert wait_until(lambda: len(runs) == 3, 20)
    assert runs[0] - began > 0.4
    assert runs[2] - runs[1] > 0.15
    assert queue.size().total == 0
    publisher.publish({"x": 1}, option | {"publish_time": 1000.0})
    assert client.zscore("sums", client.zrange("sums", 0, 0)[0]) == 1000.5


@pytest.mark.parametrize("option", [{"eta_timestamp": "tomorrow"}, {"delay_seconds": None}, {"delay_seconds": True}])
def test_an_option_that_says_nothing_clear_is_refused(queue, option):
    with pytest.raises(ConfigurationError, match=f"{next(iter(option))} is .*not a number of seconds"):
        send(queue, b"{}", optioned(**option))
    assert queue.size().total == 0


def test_a_body_that_only_mentions_the_option_has_none(queue, client):
    send(queue, b'{"x":"for_broker_redis_zset_delay"}', b"for_broker_redis_zset_delay")
    assert queue.size() == QueueSize(2, 0, 0)


def test_what_is_due_in_the_past_comes_first(queue, subscribe):
    send(queue, b"now")
    send(queue, optioned(eta_timestamp=1000))
    assert take(subscribe(), 2) == [optioned(eta_timestamp=1000), b"now"]


def test_release_returns_to_the_old_moment_and_requeue_to_now(queue, client, subscribe):
    client.zadd("sums", {"one": 1000, "two": 2000.123456})
    subscription = subscribe()
    one, two = subscription.receive(2, 5)
    subscription.release([two])
    assert client.zscore("sums", "two") == 2000.123456
    subscription.requeue([one])
    assert abs(client.zscore("sums", "one") - server_time(client)) < 20
    (two,) = subscription.receive(1, 5)
    subscription.requeue([two], 60)
    assert 59 < client.zscore("sums", "two") - server_time(client) <= 60


def test_a_waiting_consumer_starts_at_once(queue, subscribe, monkeypatch):
    subscription = subscribe()
    monkeypatch.setattr(subscription._layout, "look", 60)  # so that only a wake-up can help
    for _ in range(20):
        timer = threading.Timer(0.01, send, (queue, b"{}"))
        timer.start()
        started = time.monotonic()
        subscription.ack(subscription.receive(10, 60))
        assert time.monotonic() - started < 30
        timer.join()
    assert queue.size().total == 0


def test_a_key_of_another_type_is_one_clear_error(queue, client):
    client.rpush("sums", "{}")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        send(queue, b"{}")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        queue.subscribe("c", 1)
