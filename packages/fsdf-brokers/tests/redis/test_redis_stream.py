"""REDIS_STREAM on a real server: entries, the group, order, counts, sizes."""

import threading

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_core.broker import QueueSize
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ConfigurationError
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until
from fsdf_pools import ShrinkableThreadPoolExecutor

GROUP = "funboost_group"


@pytest.fixture
def kind():
    return "REDIS_STREAM"


@pytest.fixture
def client(text_client):
    return text_client


@pytest.mark.parametrize("action", [lambda queue: send(queue, b"{}"), lambda queue: send(queue, b"1", b"2")])
def test_stream_key_of_another_type_is_one_clear_error(client, queue, action):
    client.rpush("sums", "{}")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        action(queue)
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        queue.subscribe("c", 1)


@pytest.mark.parametrize("group", ["", 3, b"g"])
def test_stream_group_that_is_no_name_is_one_clear_error(broker, group):
    with pytest.raises(ConfigurationError, match="name of a consumer group"):
        broker.queue("sums", group=group)


def test_stream_entries_that_are_no_task_go_to_the_dead_letters(client, broker, queue):
    client.xadd("sums", {"x": "1", "y": "2"})
    client.xadd("sums", {"body": "no json"})
    client.xadd("sums", {"any name": '{"x":3}'})
    ran = []
    with (
        ShrinkableThreadPoolExecutor(max_workers=2) as pool,
        Consumer(lambda x: ran.append(x), queue=queue, pool=pool) as consumer,
    ):
        consumer.start()
        assert wait_until(lambda: queue.size().total == 0, 30)
    assert ran == [3]
    dead = [fields[""] for _, fields in client.xrange("sums_dlx")]
    assert len(dead) == broker.queue("sums_dlx").size().ready == 2
    assert any('[\\"x\\",\\"1\\",\\"y\\",\\"2\\"]' in body for body in dead)


def test_stream_entries_have_one_field_without_name(client, queue):
    send(queue, b'{"x":1}')
    send(queue, b'{"x":2}', b'{"x":3}')
    assert [fields for _, fields in client.xrange("sums")] == [{"": f'{{"x":{x}}}'} for x in (1, 2, 3)]


def test_stream_group_has_the_name_that_the_option_says(client, broker, subscribe):
    subscription = subscribe(of=broker.queue("sums", group='a "group" \\'))
    client.xadd("sums", {"": "{}"})
    (held,) = receive(subscription, 1)
    assert client.xinfo_groups("sums")[0]["name"] == 'a "group" \\'
    subscription.ack([held])
    assert client.xlen("sums") == 0


def test_stream_order_over_many_sends_and_claims(queue, subscribe):
    subscription = subscribe()
    sent = numbered(2500)
    send(queue, sent[0])
    send(queue, *sent[1:1500])
    send(queue, *sent[1500:])
    assert bodies(receive(subscription, 2500)) == sent


def test_stream_large_bodies_come_a_few_at_a_time(queue, subscribe):
    send(queue, *[b"x" * 2**20] * 40)
    subscription = subscribe()
    first = subscription.receive(1000, 5)
    assert 16 <= len(first) <= 20
    assert len(receive(subscription, 40 - len(first))) == 40 - len(first)


def test_stream_released_messages_come_first_in_their_old_order(queue, subscribe):
    subscription = subscribe()
    sent = numbered(30)
    send(queue, *sent)
    held = receive(subscription, 20)
    subscription.release(list(reversed(held)))
    assert queue.size() == QueueSize(30)
    again = receive(subscribe("other"), 30)
    assert bodies(again) == sent
    assert {one.delivery_count for one in again} == {1}


def test_stream_what_a_closed_consumer_held_comes_first_and_is_counted(client, queue, subscribe):
    one = subscribe("one")
    send(queue, *numbered(3))
    for expected in (1, 2, 3):
        held = receive(one, 2)
        assert [delivery.delivery_count for delivery in held] == [expected, expected]
        one.close()
        one = subscribe(f"one {expected}")
    assert bodies(receive(one, 3)) == numbered(3)
    names = [consumer["name"] for consumer in client.xinfo_consumers("sums", GROUP)]
    assert not [name for name in names if name in ("fsdf:one", "fsdf:one:inbox")]


def test_stream_requeued_messages_go_to_the_end(queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(4))
    held = receive(subscription, 2)
    subscription.requeue(held)
    assert bodies(receive(subscription, 4)) == [*numbered(4)[2:], *numbered(2)]
    assert queue.size() == QueueSize(0, 0, 4)


def test_stream_a_waiting_consumer_gets_what_comes_and_only_one_does(queue, subscribe):
    consumers = [subscribe(f"c{number}") for number in range(3)]
    got = []

    def wait(number):
        for _ in range(20):
            got.extend(consumers[number].receive(10, 0.1))

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for body in numbered(6):
        send(queue, body)
    for thread in threads:
        thread.join(30)
    assert sorted(bodies(got)) == numbered(6)


def test_stream_size_counts_what_nobody_took_exactly(client, queue, subscribe):
    send(queue, *numbered(10))
    assert queue.size() == QueueSize(10)
    subscription = subscribe()
    held = receive(subscription, 4)
    assert queue.size() == QueueSize(6, 0, 4)
    # Acknowledged, but left in the stream, as another system may do.
    client.xack("sums", GROUP, held[0].token)
    assert queue.size() == QueueSize(6, 0, 3)
    subscription.ack(held[1:])
    send(queue, b"{}", delay=60)
    assert queue.size() == QueueSize(6, 1)


def test_stream_purge_leaves_what_runs(client, queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(2500))
    send(queue, b"later", delay=60)
    held = receive(subscription, 3)
    subscription.release(held[:1])
    assert queue.purge() == 2499
    assert queue.size() == QueueSize(0, 0, 2)
    send(queue, b"new", b"newer")
    assert queue.size() == QueueSize(2, 0, 2)
    assert bodies(receive(subscription, 1)) == [b"new"]
    assert queue.size() == QueueSize(1, 0, 3)
    subscription.ack(held)
    assert client.xlen("sums") == 2


def test_stream_purge_before_the_first_consumer(queue, subscribe):
    send(queue, *numbered(3))
    assert queue.purge() == 3
    assert queue.size() == QueueSize(0)
    send(queue, b"new")
    assert bodies(receive(subscribe(), 1)) == [b"new"]


@pytest.mark.parametrize("ids", ["*", "5-*"])
def test_stream_acknowledgements_in_any_order_leave_the_others(client, queue, subscribe, ids):
    subscription = subscribe()
    for body in numbered(300):
        client.xadd("sums", {"": body}, ids)
    held = receive(subscription, 260)
    subscription.ack(held[100:200])
    assert queue.size() == QueueSize(40, 0, 160)
    subscription.ack(held[:100][::-1])
    assert client.xlen("sums") == 100
    subscription.release(held[200:])
    assert bodies(receive(subscription, 100)) == numbered(300)[200:]
    subscription.ack(held[200:])
    assert queue.size() == QueueSize(0, 0, 40)
    assert client.xlen("sums") == 40
