"""Redis adapters on a cluster of three masters: slots, a slot that moves, a node that dies and comes back."""

from contextlib import closing

import pytest
from tests.servers.fixtures import need
from tests.servers.redis_cluster import RedisCluster
from tests.servers.traffic import PATIENCE, Traffic

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.server import RedisAt
from fsdf_brokers.states.redis import RedisStateStore
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.waiting import wait_until


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    running = RedisCluster(need("redis"), [tmp_path_factory.mktemp("node") for _ in range(3)])
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def broker(cluster):
    broker = RedisAckAbleBroker(cluster.url)
    yield broker
    broker.close()


@pytest.mark.parametrize("name", ["sums", "orders", "mail", "{sums}:mail", "a b/ü", "a{b", "}{a}"])
def test_queue_lives_on_the_node_of_its_slot(cluster, broker, name):
    queue = broker.queue(name)
    queue.send([OutgoingMessage(b"1"), OutgoingMessage(b"2", 0.01)])
    assert wait_until(lambda: queue.size().total == 2, PATIENCE)
    subscription = queue.subscribe("c", 10)
    seen = []
    while len(seen) < 2:
        deliveries = subscription.receive(10, PATIENCE)
        seen += [delivery.body for delivery in deliveries]
        subscription.requeue(deliveries)
        subscription.ack(subscription.receive(10, PATIENCE))
    assert sorted(seen) == [b"1", b"2"]
    assert b"name=fsdf:c" in cluster.holder(name).command("CLIENT", "LIST")
    subscription.close()


@pytest.mark.parametrize("name", ["a}b", "a{}b"])
def test_name_that_no_other_key_can_share_a_slot_with_is_one_clear_error(broker, name):
    with pytest.raises(ConfigurationError, match="leave { and } out"):
        broker.queue(name)


def test_answers_are_told_through_whatever_node_a_waiter_listens_to(cluster):
    with closing(RedisStateStore(cluster.url)) as teller, closing(RedisStateStore(cluster.url)) as waiter:
        assert teller._shared_marker(["fsdf:result:1"]) == b""  # a node knows its own subscribers only
        with closing(waiter.watch("fsdf:result:1")) as watch:
            teller.tell({"fsdf:result:1": b"1"}, 60)
            assert wait_until(lambda: watch.wait(PATIENCE) and waiter.get(["fsdf:result:1"]) == [b"1"], PATIENCE)


def test_all_slots_are_served_and_queues_of_a_slot_share_connections(cluster):
    at = RedisAt(cluster.url)
    servers = {at.at(name) for name in ("sums", "{sums}:2", "orders", "mail", "x", "y", "z")}
    assert at.at("sums") is at.at("{sums}:2")
    ports = {server.shared.execute_command("CONFIG", "GET", "port")[1].decode() for server in servers}
    assert ports == {str(node.port) for node in cluster.nodes}
    at.close()


def test_slot_that_moves_takes_producers_and_consumers_along(cluster, broker):
    source = cluster.holder("moving")
    target = next(node for node in cluster.nodes if node is not source)
    with Traffic(broker.queue("moving")) as traffic:
        assert traffic.flows()
        cluster.move("moving", target)
        assert cluster.holder("moving") is target
        assert traffic.flows()
    assert traffic.complete
    assert not traffic.failures
    assert b"name=fsdf:c" not in source.command("CLIENT", "LIST")


def test_node_that_restarts_keeps_what_it_accepted(cluster, broker):
    node = cluster.holder("steady")
    with Traffic(broker.queue("steady")) as traffic:
        assert traffic.flows()
        node.kill()
        node.start()
        assert wait_until(cluster.complete, PATIENCE)
        assert traffic.flows()
    assert traffic.complete
    assert not traffic.failures


def test_dead_node_is_one_clear_error_and_the_others_serve_on(cluster, broker):
    name = next(name for name in map(str, range(100)) if cluster.holder(name) is cluster.nodes[0])
    broker.queue(name).size()
    cluster.nodes[0].kill()
    try:
        with pytest.raises(BrokerUnavailable, match=r"redis\+cluster://127"):
            broker.queue(name).send([OutgoingMessage(b"1")])
    finally:
        cluster.nodes[0].start()
    assert wait_until(cluster.complete, PATIENCE)
    broker.queue(name).send([OutgoingMessage(b"1")])


def test_server_that_is_no_cluster_is_one_clear_error(redis_server):
    broker = RedisAckAbleBroker(f"redis+cluster://127.0.0.1:{redis_server.port}")
    with pytest.raises(ConfigurationError, match="no node of a cluster: use redis://"):
        broker.queue("q").send([OutgoingMessage(b"1")])


def test_nobody_there_is_one_clear_error():
    broker = RedisAckAbleBroker("redis+cluster://me:secret@127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(BrokerUnavailable, match=r"redis\+cluster://me:\*\*\*@127.0.0.1:1,127.0.0.1:2") as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)
