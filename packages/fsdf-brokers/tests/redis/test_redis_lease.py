"""REDIS_ACK_ABLE: who keeps what when processes die, stall, lose their connection, or the server restarts."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.servers.messages import numbered, send

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_core.broker import QueueSize
from fsdf_core.errors import BrokerUnavailable

pytestmark = [
    pytest.mark.crash,
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of this test are POSIX"),
]


class Worker:
    def __init__(self, url, consumer, lease_limit=300.0):
        script = Path(__file__).with_name("redis_worker.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), url, "q", consumer, str(lease_limit)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def answer(self):
        return self.process.stdout.readline().strip()

    def ask(self, command):
        self.tell(command)
        return self.answer()

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def start(request):
    workers = []

    def start(*arguments):
        workers.append(Worker(*arguments))
        return workers[-1]

    yield start
    for worker in workers:
        worker.end()


def test_messages_of_a_killed_process_come_back_first_within_seconds(redis_url, start):
    queue = RedisAckAbleBroker(redis_url).queue("q")
    send(queue, *numbered(20))
    worker = start(redis_url, "victim")
    assert worker.ask("take 10") == "10"
    subscription = queue.subscribe("heir", 10)
    worker.process.kill()
    killed = time.monotonic()
    rest = subscription.receive(10, 1)
    assert len(rest) == 10
    back = subscription.receive(10, 10)
    assert time.monotonic() - killed < 6.0
    assert [delivery.body for delivery in back + rest] == numbered(20)
    assert {delivery.delivery_count for delivery in back} == {2}
    subscription.ack(back + rest)
    assert queue.size() == QueueSize(0, 0, 0)
    subscription.close()


def test_a_consumer_that_starts_later_takes_over_too(redis_url, start):
    queue = RedisAckAbleBroker(redis_url).queue("q")
    send(queue, *numbered(5))
    worker = start(redis_url, "victim")
    assert worker.ask("take 10") == "5"
    worker.end()
    subscription = queue.subscribe("heir", 10)
    assert len(subscription.receive(10, 10)) == 5
    subscription.close()


def test_kill_while_waiting_loses_nothing(redis_url, start):
    queue = RedisAckAbleBroker(redis_url).queue("q")
    stop = threading.Event()
    sent = []

    def produce():
        while not stop.wait(0.001):
            body = b"%d" % len(sent)
            send(queue, body)
            sent.append(body)

    producer = threading.Thread(target=produce)
    producer.start()
    for number in range(5):
        worker = start(redis_url, f"victim{number}")
        worker.ask("wait")
        threading.Event().wait(0.05)
        worker.end()
    stop.set()
    producer.join()
    subscription = queue.subscribe("heir", 10)
    seen = []
    while deliveries := subscription.receive(1000, 4):
        seen += [delivery.body for delivery in deliveries]
        subscription.ack(deliveries)
    assert sorted(seen) == sorted(sent)
    subscription.close()


@pytest.mark.parametrize("stall", ["stopped", "hogging"])
def test_a_stalled_process_keeps_its_messages(redis_url, start, stall):
    queue = RedisAckAbleBroker(redis_url).queue("q")
    send(queue, *numbered(5))
    worker = start(redis_url, "stalled")
    assert worker.ask("take 10") == "5"
    subscription = queue.subscribe("other", 10)
    if stall == "stopped":
        worker.process.send_signal(signal.SIGSTOP)
    else:
        worker.ask("hog")
    assert subscription.receive(10, 4.0) == []
    assert queue.size().unacked == 5
    if stall == "stopped":
        worker.process.send_signal(signal.SIGCONT)
    else:
        assert float(worker.answer()) > 1.5  # else nothing was shown
    assert worker.ask("ack") == "acked"
    assert queue.size() == QueueSize(0, 0, 0)
    subscription.close()


def test_after_the_lease_limit_a_late_ack_changes_nothing(redis_url, start):
    queue = RedisAckAbleBroker(redis_url, lease_limit=2.5).queue("q")
    send(queue, *numbered(5))
    worker = start(redis_url, "stalled", 2.5)
    assert worker.ask("take 5") == "5"
    worker.process.send_signal(signal.SIGSTOP)
    subscription = queue.subscribe("other", 10)
    back = subscription.receive(10, 10)
    assert len(back) == 5
    worker.process.send_signal(signal.SIGCONT)
    assert worker.ask("ack") == "acked"
    assert queue.size() == QueueSize(0, 0, 5)
    # it has its lease anew as soon as it asks for messages
    send(queue, b"{}")
    assert worker.ask("take 5") == "1"
    subscription.ack(back)
    subscription.close()


def test_without_permission_to_see_connections_the_limit_decides(redis_server, redis_url, start):
    redis_server.command("ACL", "SETUSER", "blind", "on", ">pw", "~*", "+@all", "-client|list", "-client|setname")
    try:
        blind_url = redis_url.replace("//", "//blind:pw@")
        queue = RedisAckAbleBroker(blind_url, lease_limit=4.0).queue("q")
        send(queue, *numbered(5))
        worker = start(blind_url, "victim", 4.0)
        assert worker.ask("take 5") == "5"
        worker.end()
        subscription = queue.subscribe("heir", 10)
        assert subscription.receive(10, 2.0) == []
        assert len(subscription.receive(10, 10)) == 5
        subscription.close()
    finally:
        redis_server.command("ACL", "DELUSER", "blind")


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_server_restart_keeps_leases_and_messages(launch_redis, start, ending):
    server = launch_redis(aof=True)
    broker = RedisAckAbleBroker(server.url)
    queue = broker.queue("q")
    send(queue, *numbered(20))
    worker = start(server.url, "stays")
    assert worker.ask("take 5") == "5"
    subscription = queue.subscribe("mine", 10)
    held = subscription.receive(5, 1)
    getattr(server, ending)()
    with pytest.raises(BrokerUnavailable):
        subscription.receive(5, 1)
    with pytest.raises(BrokerUnavailable):
        send(queue, b"lost")
    with pytest.raises(BrokerUnavailable):
        subscription.reconnect()
    threading.Event().wait(2)
    server.start()
    subscription.reconnect()
    rest = subscription.receive(20, 1)
    assert [delivery.body for delivery in rest] == numbered(20)[10:]
    assert subscription.receive(20, 4) == []  # nobody was taken for dead
    subscription.ack(held + rest)
    assert worker.ask("ack") == "acked"
    assert queue.size() == QueueSize(0, 0, 0)
    subscription.close()
    broker.close()


def test_server_that_forgets_everything_starts_anew(launch_redis):
    server = launch_redis()
    broker = RedisAckAbleBroker(server.url)
    queue = broker.queue("q")
    send(queue, b"before")
    subscription = queue.subscribe("mine", 10)
    held = subscription.receive(5, 1)
    server.kill()
    server.start()
    with pytest.raises(BrokerUnavailable):
        subscription.receive(5, 1)
    subscription.reconnect()
    send(queue, b"after")
    received = subscription.receive(5, 1)
    subscription.ack(held)  # of another life: must not delete the new message
    assert queue.size().unacked == 1
    subscription.ack(received)
    subscription.close()
    broker.close()


def test_answer_that_gets_lost_returns_the_messages(redis_server, redis_url):
    """The server claims for a consumer whose connection breaks before it hears of it."""
    queue = RedisAckAbleBroker(redis_url).queue("q")
    subscription = queue.subscribe("mine", 10)
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
    received = subscription.receive(5, 1)
    assert [delivery.body for delivery in received] == numbered(5)
    assert {delivery.delivery_count for delivery in received} == {1}
    subscription.close()


def test_call_of_an_earlier_incarnation_claims_nothing(redis_url):
    queue = RedisAckAbleBroker(redis_url).queue("q")
    subscription = queue.subscribe("mine", 10)
    send(queue, b"{}")
    subscription.reconnect()
    subscription._incarnation -= 1
    assert subscription._take(5, None) == []
    assert queue.size().ready == 1
    subscription.close()


def test_close_without_a_server_does_not_raise(launch_redis, caplog):
    server = launch_redis()
    subscription = RedisAckAbleBroker(server.url).queue("q").subscribe("mine", 1)
    server.kill()
    subscription.close()
    assert "lease ends" in caplog.text
