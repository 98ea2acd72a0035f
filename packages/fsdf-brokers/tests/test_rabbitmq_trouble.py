"""RABBITMQ: the errors that a user can meet, and a server that takes no messages."""

import gc
import logging
import os
import socket
import subprocess
import sys
import time
import uuid

import pytest
from tests.servers.messages import send

from fsdf_brokers.rabbitmq.address import parse
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, QueueFull, StorageError, UnsupportedFeature
from fsdf_core.registry import brokers
from fsdf_core.testing.conformance.receiving import receive
from fsdf_core.waiting import wait_until

KINDS = ["RABBITMQ", "RABBITMQ_AMQPSTORM", "RABBITMQ_RABBITPY"]

# rabbitpy leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True, scope="module")
def _no_garbage_for_others():
    yield
    gc.collect()


@pytest.fixture(params=KINDS)
def adapter(request):
    return brokers.get(request.param)


def actions(broker):
    return (lambda: broker.queue("q").subscribe("c", 1), lambda: send(broker.queue("q"), b"{}"))


def test_rabbitmq_unreachable_server_is_one_clear_error(adapter):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        broker = adapter(f"amqp://me:secret@127.0.0.1:{probe.getsockname()[1]}/%2F")
        for action in actions(broker):
            with pytest.raises(BrokerUnavailable, match=r"amqp://me:\*\*\*@127.*FSDF_RABBITMQ_URL") as caught:
                action()
            assert "secret" not in str(caught.value)


REFUSED = """
import gc, socket, sys
from fsdf_core.registry import brokers
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    broker = brokers.get(sys.argv[1])(f"amqp://127.0.0.1:{probe.getsockname()[1]}/%2F")
    for _ in range(3):
        try:
            broker.queue("q").subscribe("c", 1)
        except Exception as error:
            print(type(error).__name__)
gc.collect()
"""


@pytest.mark.parametrize("kind", ["RABBITMQ", "RABBITMQ_AMQPSTORM"])
def test_rabbitmq_an_attempt_to_connect_leaves_no_socket_behind(kind):
    command = [sys.executable, "-W", "always::ResourceWarning", "-c", REFUSED, kind]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.split() == ["BrokerUnavailable"] * 3
    assert "ResourceWarning" not in ended.stderr


@pytest.mark.parametrize(("right", "wrong"), [("guest:guest@", "guest:wrong-one@"), ("/%2F", "/nowhere")])
def test_rabbitmq_wrong_password_or_virtual_host_is_one_clear_error(adapter, rabbitmq_url, caplog, right, wrong):
    broker = adapter(rabbitmq_url.replace(right, wrong))
    for action in actions(broker):
        with pytest.raises(ConfigurationError, match="FSDF_RABBITMQ_URL") as caught:
            action()
        assert "wrong-one" not in str(caught.value)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("url", ["", "nonsense", "http://u:secret@h", "amqp://u:secret@h:port/"])
def test_rabbitmq_bad_url_is_one_clear_error(url):
    with pytest.raises(ConfigurationError, match="no URL of RabbitMQ") as caught:
        brokers.get("RABBITMQ")(url)
    assert "secret" not in str(caught.value)


def test_rabbitmq_address_is_shown_without_its_password():
    address = parse("amqps://me:s%2Fecret@host/%2Fteam?cafile=ca.pem", 10)
    assert (address.port, address.password, address.virtual_host) == (5671, "s/ecret", "/team")
    assert address.shown == "amqps://me:***@host:5671/%2Fteam"
    assert "ecret" not in repr(address)


def test_rabbitmq_other_options_of_an_existing_queue_are_one_clear_error(adapter, rabbitmq_url):
    name = uuid.uuid4().hex
    broker = adapter(rabbitmq_url)
    send(broker.queue(name), b"{}")
    with pytest.raises(ConfigurationError, match="queue_options"):
        send(broker.queue(name, **{"x-max-priority": 5}), b"{}")
    # Without options it is taken as it is.
    assert broker.queue(name).size().ready == 1
    broker.close()


def test_rabbitmq_each_queue_is_declared_whatever_object_was_there_before(adapter, rabbitmq_url):
    broker = adapter(rabbitmq_url)
    names = [uuid.uuid4().hex for _ in range(10)]
    for name in names:
        send(broker.queue(name), b"{}")  # the next one may well be at the same address
    assert [broker.queue(name).size().ready for name in names] == [1] * 10
    broker.close()


@pytest.mark.parametrize("value", [0, 256, "9"])
def test_rabbitmq_impossible_priorities_are_refused(value):
    with pytest.raises(ConfigurationError, match="x-max-priority"):
        brokers.get("RABBITMQ")("amqp://h").queue("q", **{"x-max-priority": value})


def test_rabbitmq_priority_without_the_option_is_refused(rabbitmq_url):
    broker = brokers.get("RABBITMQ")(rabbitmq_url)
    with pytest.raises(UnsupportedFeature, match="x-max-priority"):
        send(broker.queue(uuid.uuid4().hex), b"{}", priority=1)
    broker.close()


def test_rabbitmq_full_queue_refuses(adapter, rabbitmq_url):
    broker = adapter(rabbitmq_url)
    queue = broker.queue(uuid.uuid4().hex, **{"x-max-length": 3, "x-overflow": "reject-publish"})
    send(queue, b"1", b"2", b"3")
    with pytest.raises(QueueFull):
        send(queue, b"4")
    assert queue.size().ready == 3
    broker.close()


def test_rabbitmq_deleted_queue_is_declared_again(rabbitmq_server, rabbitmq_url):
    broker = brokers.get("RABBITMQ")(rabbitmq_url)
    queue = broker.queue(uuid.uuid4().hex)
    send(queue, b"1")
    subscription = queue.subscribe("c", 1)
    assert len(subscription.receive(1, 5)) == 1
    rabbitmq_server.control("delete_queue", queue.name)
    with pytest.raises(BrokerUnavailable, match="deleted"):
        subscription.receive(1, 5)
    subscription.reconnect()
    send(queue, b"2")
    assert [one.body for one in subscription.receive(1, 5)] == [b"2"]
    subscription.close()
    broker.close()


def test_rabbitmq_publish_to_a_deleted_queue_never_vanishes(adapter, rabbitmq_server, rabbitmq_url):
    broker = adapter(rabbitmq_url)
    queue = broker.queue(uuid.uuid4().hex)
    send(queue, b"1")
    rabbitmq_server.control("delete_queue", queue.name)
    with pytest.raises(BrokerUnavailable, match="no queue for"):
        send(queue, b"2")
    send(queue, b"3")
    assert queue.size().ready == 1
    broker.close()


def test_rabbitmq_alarm_refuses_pushes_at_once_but_drains(launch_rabbitmq):
    server = launch_rabbitmq()
    broker = brokers.get("RABBITMQ")(server.url)
    queue = broker.queue("q")
    send(queue, b"1", b"2")
    subscription = queue.subscribe("c", 10)
    server.control("set_vm_memory_high_watermark", "absolute", "1")
    with pytest.raises(StorageError, match="alarm is on.*may still be accepted"):
        send(queue, b"3")
    began = time.monotonic()
    for body in (b"4", b"5"):
        with pytest.raises(StorageError, match="vm_memory_high_watermark"):
            send(queue, body)
    assert time.monotonic() - began < 1
    subscription.ack(subscription.receive(2, 5))
    server.control("set_vm_memory_high_watermark", "0.9")

    def accepted():
        try:
            send(queue, b"6")
        except StorageError:
            return False
        return True

    assert wait_until(accepted, 30)
    assert [one.body for one in receive(subscription, 2)] == [b"3", b"6"]
    subscription.close()
    broker.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_rabbitmq_forked_child_does_not_keep_the_parents_connection_open(adapter, rabbitmq_url):
    broker = adapter(rabbitmq_url)
    queue = broker.queue(uuid.uuid4().hex)
    send(queue, b"parent")
    child = os.fork()
    if not child:
        status = 1
        try:
            send(queue, b"child")
            broker.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    send(queue, b"parent")
    assert queue.size().ready == 3
    broker.close()
