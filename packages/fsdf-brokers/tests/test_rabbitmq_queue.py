"""RABBITMQ: quorum queues, delays, exchanges, other programs on the same queue, slow tasks."""

import threading
import uuid

import pika
import pytest
from tests.servers.messages import bodies, send

from fsdf_brokers.rabbitmq.topology import Topology
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, UnsupportedFeature
from fsdf_core.registry import brokers
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until

KINDS = ["RABBITMQ", "RABBITMQ_AMQPSTORM", "RABBITMQ_RABBITPY"]


@pytest.fixture(params=KINDS)
def broker(request, rabbitmq_url):
    broker = brokers.get(request.param)(rabbitmq_url)
    yield broker
    broker.close()


@pytest.fixture
def pika_broker(rabbitmq_url):
    broker = brokers.get("RABBITMQ")(rabbitmq_url)
    yield broker
    broker.close()


@pytest.fixture
def bare_channel(rabbitmq_url):
    with pika.BlockingConnection(pika.URLParameters(rabbitmq_url)) as connection:
        yield connection.channel()


def test_rabbitmq_shares_a_queue_with_other_programs(broker, bare_channel):
    name = uuid.uuid4().hex
    bare_channel.queue_declare(name, durable=True)
    bare_channel.basic_publish("", name, b'{"x":1}')
    queue = broker.queue(name)
    subscription = queue.subscribe("c", 10)
    held = receive(subscription, 1)
    assert bodies(held) == [b'{"x":1}']
    subscription.ack(held)
    subscription.close()
    send(queue, b'{"x":2}')
    # The declaration of a program that knows nothing of ours must still agree.
    assert bare_channel.queue_declare(name, durable=True).method.message_count == 1
    _, properties, body = bare_channel.basic_get(name, auto_ack=True)
    assert (body, properties.delivery_mode) == (b'{"x":2}', 2)


def test_rabbitmq_quorum_queue_counts_crashes_but_no_releases(broker):
    queue = broker.queue(uuid.uuid4().hex, **{"x-queue-type": "quorum"})
    send(queue, b"1")
    subscription = queue.subscribe("c", 1)
    for _ in range(3):
        held = receive(subscription, 1)
        assert held[0].delivery_count == 1
        subscription.release(held)
    receive(subscription, 1)
    subscription.close()
    heir = queue.subscribe("heir", 1)
    held = receive(heir, 1)
    assert held[0].delivery_count == 2
    heir.requeue(held)
    held = receive(heir, 1)
    assert held[0].delivery_count == 1
    heir.ack(held)
    heir.close()
    assert queue.size().total == 0


def test_rabbitmq_quorum_queue_delays(pika_broker):
    queue = pika_broker.queue(uuid.uuid4().hex, **{"x-queue-type": "quorum"})
    send(queue, b"1", delay=0.3)
    assert queue.size() == (0, 1, 0)
    subscription = queue.subscribe("c", 1)
    subscription.ack(receive(subscription, 1))
    subscription.close()
    assert queue.size().total == 0


def test_rabbitmq_delays_survive_a_restart_in_their_order(launch_rabbitmq):
    server = launch_rabbitmq()
    broker = brokers.get("RABBITMQ")(server.url)
    queue = broker.queue("q")
    for delay in (90.0, 15.0, 8.0):  # the server is away until they are due, or nearly
        send(queue, b"%d" % delay, delay=delay)
    server.kill()
    server.start()
    assert wait_until(lambda: reachable(queue), 60)
    subscription = queue.subscribe("c", 1)
    assert bodies(receive(subscription, 2)) == [b"8", b"15"]
    assert queue.size().delayed == 1
    assert queue.purge() == 1
    subscription.close()
    broker.close()


def reachable(queue):
    try:
        queue.size()
    except BrokerUnavailable:
        return False
    return True


def test_rabbitmq_helper_queues_expire(rabbitmq_server, pika_broker, monkeypatch):
    monkeypatch.setattr("fsdf_brokers.rabbitmq.topology._MARGIN", 3.0)
    queue = pika_broker.queue(uuid.uuid4().hex)
    send(queue, b"1", delay=0.2)

    def names():
        listed = rabbitmq_server.control("list_queues", "--no-table-headers", "name").split()
        return {name for name in listed if name.startswith(queue.name)}

    assert names() >= {f"{queue.name}.delay.200"}
    assert wait_until(lambda: names() == {queue.name}, 20)
    assert queue.size() == (1, 0, 0)


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(0.0001, 1), (0.0125, 13), (1, 1000), (1.2345, 1240), (60, 60_000), (61.01, 61_100), (3600, 3_600_000)],
)
def test_rabbitmq_delays_share_helper_queues(seconds, milliseconds):
    assert Topology("q").helper(seconds, "", "q") == f"q.delay.{milliseconds}"


def test_rabbitmq_delay_of_months_is_refused(pika_broker):
    with pytest.raises(UnsupportedFeature, match="49 days"):
        send(pika_broker.queue(uuid.uuid4().hex), b"1", delay=60 * 86400)


def test_rabbitmq_no_ack_is_at_most_once(broker):
    queue = broker.queue(uuid.uuid4().hex, no_ack=True)
    send(queue, b"1", b"2")
    subscription = queue.subscribe("c", 1)
    receive(subscription, 1)
    subscription.close()
    heir = queue.subscribe("heir", 1)
    assert bodies(receive(heir, 1)) == [b"2"]
    heir.close()
    assert queue.size().total == 0


def test_rabbitmq_heartbeats_are_served_while_tasks_run(rabbitmq_url):
    open_brokers = [brokers.get(kind)(rabbitmq_url, lease_limit=2) for kind in KINDS]
    queues = [broker.queue(uuid.uuid4().hex) for broker in open_brokers]
    for queue in queues:
        send(queue, b"1")
    subscriptions = [queue.subscribe("c", 1) for queue in queues]
    held = [receive(subscription, 1) for subscription in subscriptions]
    threading.Event().wait(4)  # the server gives up a connection that is silent for two
    for broker, queue, subscription, deliveries in zip(open_brokers, queues, subscriptions, held, strict=True):
        subscription.ack(deliveries)
        assert subscription.receive(1, 0.1) == []
        subscription.close()
        assert queue.size().total == 0
        broker.close()


def test_rabbitmq_messages_that_nobody_asks_for_go_to_others(broker):
    queue = broker.queue(uuid.uuid4().hex)
    lazy = queue.subscribe("lazy", 1)
    assert lazy.receive(50, 0.1) == []
    sent = [b"%d" % number for number in range(100)]
    send(queue, *sent)
    eager = queue.subscribe("eager", 1)
    taken = receive(eager, 100)
    assert sorted(bodies(taken)) == sorted(sent)
    eager.ack(taken)
    send(queue, b"again")
    assert bodies(receive(lazy, 1)) == [b"again"]
    eager.close()
    lazy.close()


def test_rabbitmq_acks_out_of_order_from_many_threads(broker):
    queue = broker.queue(uuid.uuid4().hex)
    send(queue, *[b"%d" % number for number in range(300)])
    subscription = queue.subscribe("c", 1)
    held = receive(subscription, 300)
    kept = held[::50]
    threads = [
        threading.Thread(target=subscription.ack, args=([one for one in part if one not in kept],))
        for part in (held[1::2], held[0::4], held[2::4])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    subscription.close()
    heir = queue.subscribe("heir", 1)
    assert sorted(bodies(receive(heir, len(kept)))) == sorted(bodies(kept))
    assert heir.receive(1, 0.2) == []
    heir.close()


@pytest.fixture
def routing(rabbitmq_url):
    broker = brokers.get("RABBITMQ_COMPLEX_ROUTING")(rabbitmq_url)
    yield broker
    broker.close()


def routed(broker, **options):
    """Return a queue that is declared and bound."""
    queue = broker.queue(uuid.uuid4().hex, **options)
    assert queue.size().total == 0
    return queue


def test_rabbitmq_fanout_reaches_every_queue(routing):
    options = {"exchange_name": uuid.uuid4().hex, "exchange_type": "fanout"}
    one, two = routed(routing, **options), routed(routing, **options)
    send(one, b"1")
    send(two, b"2", delay=0.1)
    assert wait_until(lambda: (one.size().ready, two.size().ready) == (2, 2), 10)


def test_rabbitmq_requeue_reaches_the_own_queue_alone(routing):
    options = {"exchange_name": uuid.uuid4().hex, "exchange_type": "fanout"}
    one, two = routed(routing, **options), routed(routing, **options)
    send(one, b"1")
    subscription = one.subscribe("c", 1)
    subscription.requeue(receive(subscription, 1))
    subscription.requeue(receive(subscription, 1), 0.1)
    subscription.ack(receive(subscription, 1))
    subscription.close()
    assert (one.size().ready, two.size().ready) == (0, 1)


def test_rabbitmq_direct_and_topic_keys(routing):
    name = uuid.uuid4().hex
    options = {"exchange_name": name, "exchange_type": "topic", "routing_key_for_publish": "mail.eu.bill"}
    eu = routed(routing, routing_key_for_bind="mail.eu.*", **options)
    every = routed(routing, routing_key_for_bind="mail.#", **options)
    send(eu, b"1")
    send(eu, b"2", key="mail.us.bill")
    assert (eu.size().ready, every.size().ready) == (1, 2)
    direct = {"exchange_name": f"{name}.direct", "exchange_type": "direct"}
    red = routed(routing, routing_key_for_bind="red", routing_key_for_publish="red", **direct)
    blue = routed(routing, routing_key_for_bind="blue", routing_key_for_publish="red", **direct)
    send(blue, b"3")
    assert (red.size().ready, blue.size().ready) == (1, 0)


def test_rabbitmq_headers(routing):
    options = {"exchange_name": uuid.uuid4().hex, "exchange_type": "headers"}
    both = routed(routing, headers_for_bind={"kind": "mail", "to": "eu"}, **options)
    either = routed(routing, headers_for_bind={"kind": "mail", "to": "us"}, x_match_for_bind="any", **options)
    send(both, b"1")
    assert (both.size().ready, either.size().ready) == (1, 1)
    send(either, b"2")
    assert (both.size().ready, either.size().ready) == (1, 2)


@pytest.mark.parametrize(
    "options", [{"exchange_type": "fanout"}, {"exchange_name": "e", "exchange_type": "ring"},
                {"exchange_name": "e", "x_match_for_bind": "some"}]
)  # fmt: skip
def test_rabbitmq_wrong_routing_is_one_clear_error(options):
    with pytest.raises(ConfigurationError, match=r"exchange_name|exchange_type|x_match_for_bind"):
        brokers.get("RABBITMQ_COMPLEX_ROUTING")("amqp://h").queue("q", **options)
