"""REDIS_ACK_USING_TIMEOUT on a real server: messages come back in time, whoever holds them."""

import threading
import time

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_core.broker import QueueSize
from fsdf_core.errors import ConfigurationError
from fsdf_core.waiting import wait_until


@pytest.fixture
def kind():
    return "REDIS_ACK_USING_TIMEOUT"


def test_what_is_held_too_long_comes_back_to_whoever_asks(broker, subscribe):
    queue = broker.queue("sums", ack_timeout=0.5)
    send(queue, *numbered(15))
    holder = subscribe("holder", of=queue)
    started = time.monotonic()
    held = holder.receive(12, 5)
    heir = subscribe("heir", of=queue)
    assert bodies(heir.receive(3, 5)) == numbered(15)[12:]
    back = heir.receive(20, 10)
    assert time.monotonic() - started > 0.45
    assert bodies(back)[:12] == numbered(12)
    assert {delivery.delivery_count for delivery in back} == {2}
    holder.ack(held)
    holder.requeue(held)
    holder.release(held)
    assert queue.size().total == 15


def test_it_comes_back_to_its_own_consumer_too_and_counts_up(broker, subscribe):
    queue = broker.queue("sums", ack_timeout=0.1)
    send(queue, b"{}")
    subscription = subscribe(of=queue)
    assert [subscription.receive(1, 10)[0].delivery_count for _ in range(3)] == [1, 2, 3]


def test_what_is_acknowledged_in_time_is_gone(broker, client, subscribe):
    queue = broker.queue("sums", ack_timeout=0.2)
    send(queue, *numbered(50))
    subscription = subscribe(of=queue)
    taken = subscription.receive(50, 5)
    subscription.ack(taken[:20])
    subscription.release(taken[20:40])
    subscription.requeue(taken[40:], 60)
    again = subscription.receive(50, 5)
    assert bodies(again) == numbered(50)[20:40]
    subscription.ack(again)
    assert client.zcard("{sums}:fsdf:deadlines") == 0
    assert subscription.receive(50, 0.5) == []
    assert queue.size() == QueueSize(0, 10, 0)


def test_sizes_count_what_is_due_back_as_ready_and_purge_deletes_it(broker, subscribe):
    queue = broker.queue("sums", ack_timeout=0.2)
    send(queue, *numbered(3))
    subscription = subscribe(of=queue)
    subscription.receive(2, 5)
    assert wait_until(lambda: queue.size() == QueueSize(3, 0, 0), 20)
    assert queue.purge() == 3
    assert queue.size().total == 0


def test_the_default_is_an_hour(broker, client, subscribe):
    queue = broker.queue("sums")
    send(queue, b"{}")
    subscribe(of=queue).receive(1, 5)
    ((_, end),) = client.zrange("{sums}:fsdf:deadlines", 0, -1, withscores=True)
    seconds, microseconds = client.time()
    assert 3500 < end / 1000 - seconds - microseconds / 1e6 <= 3600


@pytest.mark.parametrize("timeout", [0, -1, "10", float("nan"), float("inf"), True])
def test_what_is_no_timeout_is_refused(broker, timeout):
    with pytest.raises(ConfigurationError, match="ack_timeout is .* above 0"):
        broker.queue("sums", ack_timeout=timeout)


def test_a_consumer_that_never_closed_is_forgotten_when_it_holds_nothing(broker, client, subscribe):
    queue = broker.queue("sums", ack_timeout=0.1)
    send(queue, b"{}")
    subscribe("dead", of=queue).receive(1, 5)
    client.zadd("{sums}:fsdf:beats", {"dead": 1})
    heir = subscribe("heir", of=queue)
    (delivery,) = heir.receive(1, 10)
    heir.receive(1, 0.01)
    assert client.hkeys("{sums}:fsdf:consumers") == [b"heir"]
    heir.ack([delivery])


def test_no_heartbeat_and_no_thread_is_needed(broker, client, subscribe):
    before = own_threads()
    subscription = subscribe(of=broker.queue("sums"))
    subscription.receive(1, 0.1)
    assert own_threads() == before


def own_threads():
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("fsdf-")}


def test_waiting_leaves_the_list_alone(broker, client, subscribe):
    queue = broker.queue("sums")
    subscription = subscribe(of=queue)
    client.execute_command(*subscription._waiting(0.01))
    send(queue, *numbered(3))
    client.execute_command(*subscription._waiting(10))
    assert client.lrange("sums", 0, -1) == numbered(3)
