"""REDIS_ACK_ABLE: the errors that a user can meet, a full server, a forked child."""

import os
import socket
from pathlib import Path

import pytest
from tests.servers.messages import send

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_brokers.redis.server import masked
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, StorageError
from fsdf_core.waiting import wait_until


def test_unreachable_server_is_one_clear_error():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        broker = RedisAckAbleBroker(f"redis://me:secret@127.0.0.1:{probe.getsockname()[1]}/0")
        for action in (lambda: broker.queue("q").subscribe("c", 1), lambda: send(broker.queue("q"), b"{}")):
            with pytest.raises(BrokerUnavailable, match=r"redis://me:\*\*\*@127.*FSDF_REDIS_URL") as caught:
                action()
            assert "secret" not in str(caught.value)


def test_wrong_password_is_one_clear_error(launch_redis):
    server = launch_redis(options={"requirepass": "right"})
    for url in (server.url, server.url.replace("//", "//:wrong-one@")):
        broker = RedisAckAbleBroker(url)
        for action in (
            lambda b=broker: b.queue("q").subscribe("c", 1),
            lambda b=broker: send(b.queue("q"), b"{}"),
        ):
            with pytest.raises(ConfigurationError, match="FSDF_REDIS_URL") as caught:
                action()
            assert "wrong-one" not in str(caught.value)
        broker.close()


@pytest.mark.parametrize("url", ["", "nonsense", "http://u:secret@h", "redis://u:secret@h:port/0"])
def test_bad_url_is_one_clear_error(url):
    with pytest.raises(ConfigurationError, match="no URL of Redis") as caught:
        RedisAckAbleBroker(url)
    assert "secret" not in str(caught.value)


def test_masked():
    assert masked("redis://u:p@h:1/2?password=p") == "redis://u:***@h:1/2"
    assert masked("unix:///run/redis.sock?db=1") == "unix:///run/redis.sock"


def test_key_of_another_type_is_one_clear_error(redis_server, redis_url):
    queue = RedisAckAbleBroker(redis_url).queue("sums")
    redis_server.command("SET", "sums", "1")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        send(queue, b"{}")
    with pytest.raises(ConfigurationError, match="choose another queue_name"):
        queue.subscribe("c", 1)


def test_full_memory_refuses_pushes_but_drains(launch_redis):
    server = launch_redis(options={"maxmemory": "12mb", "maxmemory-policy": "noeviction"})
    broker = RedisAckAbleBroker(server.url)
    queue = broker.queue("q")
    sent = 0

    def fill():
        nonlocal sent
        while True:
            send(queue, *[b"x" * 1000] * 100)
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


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_forked_child_does_not_keep_the_parents_connection_open(redis_url):
    subscription = RedisAckAbleBroker(redis_url).queue("sums").subscribe("me", 1)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.read(read, 1)
        os._exit(0)
    try:
        if not Path("/proc/self/fd").is_dir():
            pytest.skip("there is no /proc here")
        descriptor = Path(f"/proc/{child}/fd/{subscription._line.connection._sock.fileno()}")
        assert wait_until(lambda: not descriptor.exists(), 5)
    finally:
        os.write(write, b"x")
        os.waitpid(child, 0)
        os.close(read)
        os.close(write)
    assert subscription.receive(1, 0.1) == []
    subscription.close()
