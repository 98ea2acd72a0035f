"""REDIS_STREAM: late calls, lost answers, deleted streams, other systems in the group, full memory."""

import logging
import threading

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_brokers.redis.stream import RedisStreamBroker
from fsdf_brokers.redis.stream_layout import stream_layout
from fsdf_core.broker import QueueSize
from fsdf_core.errors import StorageError
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until

GROUP = "funboost_group"
TAKE = stream_layout(GROUP).take


@pytest.fixture
def client(text_client):
    return text_client


@pytest.fixture
def connect(redis_url):
    opened = []

    def connect(**options):
        opened.append(RedisStreamBroker(redis_url, **options))
        return opened[-1].queue("sums")

    yield connect
    for broker in opened:
        broker.close()


@pytest.fixture
def queue(connect):
    return connect()


def lose_an_answer(client, queue, subscription, limit):
    """The server carries out a claim, but the consumer never hears of it."""
    return TAKE(client, queue._keys.common, (subscription._id, subscription._incarnation, limit, 2**20))


def test_stream_what_a_lost_answer_claimed_comes_again_after_reconnecting(client, queue, subscribe):
    send(queue, *numbered(6))
    subscription = subscribe()
    held = receive(subscription, 2)
    lose_an_answer(client, queue, subscription, 2)
    assert queue.size() == QueueSize(2, 0, 4)
    subscription.reconnect()
    assert queue.size() == QueueSize(4, 0, 2)
    again = receive(subscription, 4)
    assert bodies(again) == numbered(6)[2:]
    assert {one.delivery_count for one in again} == {1}
    subscription.ack([*held, *again])
    assert queue.size() == QueueSize(0)


def test_stream_a_late_call_of_an_earlier_incarnation_claims_nothing(client, queue, subscribe):
    subscription = subscribe()
    incarnation = subscription._incarnation
    subscription.reconnect()
    send(queue, b"{}")
    assert TAKE(client, queue._keys.common, ("me", incarnation, 10, 2**20)) == [-2]
    assert len(receive(subscription, 1)) == 1


def test_stream_a_consumer_that_lost_its_lease_enters_again_and_its_late_calls_harm_nothing(client, queue, subscribe):
    late = subscribe("late")
    send(queue, *numbered(3))
    held = receive(late, 3)
    queue._layout.leave(client, (*queue._keys.common, queue._keys.beats, "", "", queue._keys.sweeper), ("late",))
    heir = subscribe("heir")
    inherited = receive(heir, 3)
    late.requeue(held[:1])
    late.release(held[1:2])
    assert queue.size() == QueueSize(0, 0, 3)
    # It has run: nobody needs to run it again if the heir dies now.
    late.ack(held[2:])
    heir.ack(inherited)
    assert queue.size() == QueueSize(0)
    send(queue, b"{}")
    assert len(receive(late, 1)) == 1


@pytest.mark.parametrize("loss", [lambda client: client.delete("sums"), lambda client: client.flushdb()])
def test_stream_a_waiting_consumer_survives_the_end_of_the_stream(client, queue, subscribe, loss):
    subscription = subscribe()
    found = []
    waiter = threading.Thread(target=lambda: found.extend(receive(subscription, 2)))
    waiter.start()
    send(queue, b"{}")
    assert wait_until(lambda: queue.size().unacked == 1, 30)
    loss(client)
    client.xadd("sums", {"": "{}"})
    waiter.join(30)
    assert bodies(found) == [b"{}", b"{}"]


def test_stream_a_destroyed_group_is_made_anew(client, queue, subscribe):
    subscription = subscribe()
    client.xgroup_destroy("sums", GROUP)
    send(queue, b"{}")
    (held,) = receive(subscription, 1)
    subscription.ack([held])
    assert queue.size() == QueueSize(0)


def test_stream_what_others_deleted_is_no_loop_and_no_message(client, queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(3))
    held = receive(subscription, 3)
    client.xdel("sums", held[0].token)
    subscription.requeue(held[:1])
    client.xdel("sums", held[1].token)
    subscription.release(held[1:])
    (again,) = receive(subscription, 1)
    assert again.body == numbered(3)[2]
    subscription.ack([again])
    assert queue.size() == QueueSize(0)


def test_stream_what_another_system_holds_is_its_own_until_it_is_idle_for_a_lease(client, connect, subscribe, caplog):
    patient = connect()
    other = subscribe("patient", patient)
    send(patient, *numbered(3))
    client.xreadgroup(GROUP, "host_ip_start_pid", {"sums": ">"}, count=2)
    assert bodies(receive(other, 1)) == numbered(3)[2:]
    assert other.receive(10, 0.5) == []
    assert patient.size() == QueueSize(0, 0, 3)
    hasty = subscribe("hasty", connect(lease_limit=0.2))
    with caplog.at_level(logging.WARNING):
        taken = receive(hasty, 2)
    assert bodies(taken) == numbered(2)
    assert {one.delivery_count for one in taken} == {2}
    assert "2 message(s) are delivered again" in caplog.text
    # The name of another system's consumer is not for us to delete.
    assert "host_ip_start_pid" in {one["name"] for one in client.xinfo_consumers("sums", GROUP)}


def test_stream_what_a_dead_consumers_late_call_took_is_delivered(client, queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(2))
    client.xreadgroup(GROUP, "fsdf:dead:inbox", {"sums": ">"}, count=1)
    client.xreadgroup(GROUP, "fsdf:dead", {"sums": ">"}, count=1)
    taken = receive(subscription, 2)
    assert bodies(taken) == numbered(2)
    assert [one.delivery_count for one in taken] == [1, 2]
    names = {one["name"] for one in client.xinfo_consumers("sums", GROUP)}
    assert not {"fsdf:dead", "fsdf:dead:inbox"} & names


def test_stream_full_memory_refuses_pushes_but_drains(launch_redis):
    server = launch_redis(options={"maxmemory": "12mb", "maxmemory-policy": "noeviction"})
    broker = RedisStreamBroker(server.url)
    queue = broker.queue("q")
    subscription = queue.subscribe("c", 10)
    sent = 0

    def fill():
        nonlocal sent
        while True:
            send(queue, *[b"x" * 1000] * 100)
            sent += 100

    with pytest.raises(StorageError, match="maxmemory"):
        fill()
    seen = 0
    while deliveries := subscription.receive(50, 0.3):
        seen += len(deliveries)
        if seen == 50:
            subscription.requeue(deliveries)
        elif seen == 100:
            subscription.release(deliveries)
        else:
            subscription.ack(deliveries)
    assert seen == sent + 100
    subscription.close()
    broker.close()
