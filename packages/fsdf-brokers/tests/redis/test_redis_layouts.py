"""The Redis kinds with acknowledgements on a real server: what REDIS_ACK_ABLE promises, each in its own layout."""

import time

import pytest
from tests.servers.messages import bodies, numbered, send

from fsdf_core.broker import QueueSize
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, StorageError
from fsdf_core.registry import brokers
from fsdf_core.testing.conformance.receiving import receive

KINDS = ["REDIS_ACK_USING_TIMEOUT", "REDIS_BRPOP_LPUSH", "REDIS_PRIORITY", "REDIS_ZSET_DELAY"]


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_order_over_many_sends(queue, subscribe):
    for body in numbered(30):
        send(queue, body)
    send(queue, *numbered(20))
    assert bodies(receive(subscribe(), 50)) == numbered(30) + numbered(20)


def test_release_and_close_return_to_the_front(queue, subscribe):
    send(queue, *numbered(6))
    subscription = subscribe("first")
    taken = receive(subscription, 4)
    subscription.release(taken[3:1:-1])
    again = receive(subscription, 3)
    assert bodies(again) == numbered(6)[2:5]
    assert {delivery.delivery_count for delivery in again} == {1}
    subscription.close()
    subscription.close()
    heir = receive(subscribe("second"), 6)
    assert bodies(heir) == numbered(6)
    assert [delivery.delivery_count for delivery in heir] == [2, 2, 2, 2, 2, 1]


def test_claims_are_counted_up_and_requeue_forgets_them(queue, subscribe):
    send(queue, b"{}")
    for claims in (1, 2, 3):
        subscription = subscribe(f"consumer {claims}")
        (delivery,) = receive(subscription, 1)
        assert delivery.delivery_count == claims
        subscription.close()
    subscription = subscribe("last")
    subscription.release(receive(subscription, 1))
    (delivery,) = receive(subscription, 1)
    assert delivery.delivery_count == 4
    subscription.requeue([delivery])
    assert receive(subscription, 1)[0].delivery_count == 1


@pytest.mark.parametrize("body", [b"", b"\0", b"\0007:x", b"\0001,5:x", b"\xff\xfe", b"not json", "ü€😀".encode()])
def test_any_bytes_survive_every_way(queue, subscribe, body):
    send(queue, body)
    subscription = subscribe("first")
    subscription.release(receive(subscription, 1))
    subscription.requeue(receive(subscription, 1))
    subscription.requeue(receive(subscription, 1), 0.01)
    assert bodies(receive(subscription, 1)) == [body]
    subscription.close()
    (delivery,) = receive(subscribe("second"), 1)
    assert (delivery.body, delivery.delivery_count) == (body, 2)


def test_big_batches_pass_through_every_script(queue, subscribe):
    send(queue, *numbered(6_000))
    send(queue, *numbered(6_000))
    subscription = subscribe()
    taken = receive(subscription, 12_000)
    assert bodies(taken) == numbered(6_000) * 2
    subscription.release(taken)
    taken = receive(subscription, 12_000)
    assert bodies(taken) == numbered(6_000) * 2
    subscription.requeue(taken[:6000])
    subscription.requeue(taken[6000:9000], 60)
    subscription.ack(taken[9000:])
    assert queue.size() == QueueSize(6000, 3000, 0)


def test_large_bodies_come_in_several_batches(queue, subscribe):
    for number in range(20):
        send(queue, b"%02d" % number + b"x" * 2**20)
    subscription = subscribe()
    first = subscription.receive(1000, 1)
    assert 0 < len(first) < 20
    assert [body[:2] for body in bodies(first + receive(subscription, 20 - len(first)))] == [
        b"%02d" % number for number in range(20)
    ]


def test_delayed_messages_keep_their_order(queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(20), delay=0.3)
    assert queue.size() == QueueSize(0, 20, 0)
    started = time.monotonic()
    received = receive(subscription, 20)
    assert time.monotonic() - started > 0.2
    assert bodies(received) == numbered(20)


@pytest.mark.realtime
def test_idle_waiting_costs_next_to_nothing(subscribe):
    subscription = subscribe()
    before = time.process_time()
    assert subscription.receive(10, 1.0) == []
    assert time.process_time() - before < 0.1


def test_purge_leaves_what_runs(queue, subscribe):
    send(queue, *numbered(5))
    send(queue, b"later", delay=60)
    subscription = subscribe()
    taken = receive(subscription, 2)
    assert queue.size() == QueueSize(3, 1, 2)
    assert queue.purge() == 4
    assert queue.size() == QueueSize(0, 0, 2)
    subscription.ack(taken)
    assert queue.size().total == 0


def test_only_counters_stay_behind(redis_server, queue, subscribe):
    send(queue, *numbered(3))
    send(queue, b"later", delay=0.01)
    subscription = subscribe()
    subscription.ack(receive(subscription, 4))
    subscription.close()
    words = redis_server.command("KEYS", "*").split()
    left = {word for word in words if word.startswith((b"sums", b"{"))}
    assert left <= {b"{sums}:fsdf:sequence", b"{sums}:fsdf:last", b"{sums}:fsdf:wake"}
    for passing in left - {b"{sums}:fsdf:sequence"}:
        assert int(redis_server.command("PTTL", passing.decode())[1:]) > 0


def test_a_message_whose_answer_gets_lost_returns(queue, subscribe):
    subscription = subscribe()
    send(queue, *numbered(5))
    connection = subscription._line.connection
    read_response = connection.read_response

    def lose(*arguments, **options):
        read_response(*arguments, **options)
        connection.disconnect()
        raise ConnectionResetError

    connection.read_response = lose
    with pytest.raises((BrokerUnavailable, ConnectionResetError)):
        subscription.receive(5, 1)
    connection.read_response = read_response
    assert queue.size().unacked == 5
    subscription.reconnect()
    received = receive(subscription, 5)
    assert bodies(received) == numbered(5)
    assert {delivery.delivery_count for delivery in received} == {1}


def test_full_memory_refuses_pushes_but_drains(kind, launch_redis):
    server = launch_redis(options={"maxmemory": "12mb", "maxmemory-policy": "noeviction"})
    broker = brokers.get(kind)(server.url)
    queue = broker.queue("q")
    sent = 0

    def fill():
        nonlocal sent
        while True:
            send(queue, *[b"%06d" % number + b"x" * 1000 for number in range(sent, sent + 100)])
            sent += 100

    with pytest.raises(StorageError, match="maxmemory"):
        fill()
    subscription = queue.subscribe("c", 10)
    seen = 0
    while deliveries := subscription.receive(50, 0.3):
        seen += len(deliveries)
        if seen == 50:
            subscription.requeue(deliveries)
        else:
            subscription.ack(deliveries)
    assert seen == sent + 50
    subscription.close()
    broker.close()


def test_wrong_place_and_wrong_password_are_one_clear_error(kind, launch_redis):
    server = launch_redis(options={"requirepass": "right"})
    refused = brokers.get(kind)(server.url.replace("//", "//:wrong-one@"))
    server_of_nobody = launch_redis()
    server_of_nobody.stop()
    away = brokers.get(kind)(server_of_nobody.url.replace("//", "//me:wrong-one@"))
    for broker, error in ((refused, ConfigurationError), (away, BrokerUnavailable)):
        for action in (lambda b=broker: b.queue("q").subscribe("c", 1), lambda b=broker: send(b.queue("q"), b"{}")):
            with pytest.raises(error, match="FSDF_REDIS_URL") as caught:
                action()
            assert "wrong-one" not in str(caught.value)
        broker.close()
