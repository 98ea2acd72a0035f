"""Redis adapters behind three Sentinels: a failover that is ordered, the death of the master, wrong settings."""

import contextlib
import re

import pytest
from tests.servers.fixtures import need
from tests.servers.redis_sentinel import RedisSentinel
from tests.servers.redis_server import RedisServer
from tests.servers.traffic import PATIENCE, Traffic

from fsdf_brokers.redis.ack_able import RedisAckAbleBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.waiting import wait_until

GUARD = "for-sentinels"


class Group:
    """A master, a replica and three Sentinels."""

    def __init__(self, executable, folder):
        def place(name):
            (folder / name).mkdir()
            return folder / name

        login = {"requirepass": "for-servers", "masterauth": "for-servers"}
        self.servers = [RedisServer(executable, place("first"), options=login)]
        self.servers[0].start()
        replica = {**login, "replicaof": f"127.0.0.1 {self.servers[0].port}", "repl-diskless-sync-delay": "0"}
        self.servers.append(RedisServer(executable, place("second"), options=replica))
        self.servers[1].start()
        self.sentinels = [
            RedisSentinel(executable, place(f"s{number}"), self.servers[0].port, GUARD, "for-servers")
            for number in range(3)
        ]
        for sentinel in self.sentinels:
            sentinel.start()

    def url(self, service="tasks", guard=GUARD, password="for-servers"):
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://:{password}@{hosts}/{service}/0?sentinel_password={guard}"

    def ready(self):
        """Whether all Sentinels know each other, and the master has a replica that is in step."""
        known = all(
            b"num-other-sentinels\r\n$1\r\n2" in (answer := self._ask(sentinel, "MASTER"))
            and b"flags\r\n$6\r\nmaster\r\n" in answer
            and b"num-slaves\r\n$1\r\n1" in answer
            for sentinel in self.sentinels
        )
        return known and b"state=online" in self.master().command("INFO", "replication", password="for-servers")

    def master(self):
        answer = self._ask(self.sentinels[0], "GET-MASTER-ADDR-BY-NAME")
        port = int(re.findall(rb"\d+", answer)[-1])
        return next(server for server in self.servers if server.port == port)

    def failed_over(self, old):
        """Whether another server is the master; order it, once more if Sentinel has given up on a slow machine."""
        if self.master() is not old:
            return True
        if b"failover_in_progress" not in self._ask(self.sentinels[0], "MASTER"):
            self._ask(self.sentinels[0], "FAILOVER")
        return False

    def _ask(self, sentinel, word):
        return sentinel.command("SENTINEL", word, "tasks", password=GUARD)


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        running = Group(need("redis"), tmp_path_factory.mktemp("sentinel"))
        for one in (*running.servers, *running.sentinels):
            stack.callback(one.stop)
        assert wait_until(running.ready, PATIENCE)
        yield running


@pytest.fixture
def broker(group):
    assert wait_until(group.ready, PATIENCE)
    broker = RedisAckAbleBroker(group.url())
    yield broker
    broker.close()


def test_ordered_failover_takes_producers_and_consumers_along(group, broker):
    old = group.master()
    with Traffic(broker.queue("ordered")) as traffic:
        assert traffic.flows()
        assert wait_until(lambda: group.failed_over(old), PATIENCE)
        assert traffic.flows()
    assert not traffic.failures
    assert b"name=fsdf:c" not in old.command("CLIENT", "LIST", password="for-servers")


def test_death_of_the_master_takes_producers_and_consumers_along(group, broker):
    old = group.master()
    queue = broker.queue("death")
    queue.send([OutgoingMessage(b"before", 3600)])
    new = next(server for server in group.servers if server is not old)
    assert wait_until(lambda: b":1" in new.command("ZCARD", "{death}:fsdf:delayed", password="for-servers"), PATIENCE)
    with Traffic(queue) as traffic:
        assert traffic.flows()
        old.kill()
        assert wait_until(lambda: group.master() is new, PATIENCE)
        assert traffic.flows()
    assert not traffic.failures
    assert queue.size().delayed == 1
    old.start()


def test_one_sentinel_is_enough(group, broker):
    for sentinel in group.sentinels[:2]:
        sentinel.stop()
    try:
        queue = broker.queue("few")
        queue.send([OutgoingMessage(b"1")])
        assert queue.size().ready == 1
    finally:
        for sentinel in group.sentinels[:2]:
            sentinel.start()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"service": "tsks"}, "know no service 'tsks'.*sentinel monitor"),
        ({"guard": "wrong-one"}, "sentinel_password"),
        ({"password": "wrong-one"}, "refuses.*FSDF_REDIS_URL"),
    ],
)
def test_wrong_setting_is_one_clear_error(group, wrong, said):
    broker = RedisAckAbleBroker(group.url(**wrong))
    for action in (
        lambda: broker.queue("q").send([OutgoingMessage(b"1")]),
        lambda: broker.queue("q").subscribe("c", 1),
    ):
        with pytest.raises(ConfigurationError, match=said) as caught:
            action()
        assert "wrong-one" not in str(caught.value)
        assert GUARD not in str(caught.value)
        assert "for-servers" not in str(caught.value)
    broker.close()


def test_server_that_is_no_sentinel_is_one_clear_error(redis_server):
    broker = RedisAckAbleBroker(f"redis+sentinel://127.0.0.1:{redis_server.port}/tasks")
    with pytest.raises(ConfigurationError, match="is no Sentinel: use redis://"):
        broker.queue("q").size()


def test_nobody_there_is_one_clear_error():
    broker = RedisAckAbleBroker("redis+sentinel://me:secret@127.0.0.1:1,127.0.0.1:2/tasks/0?sentinel_password=hidden")
    with pytest.raises(
        BrokerUnavailable, match=r"sentinel://me:\*\*\*@127.0.0.1:1,127.0.0.1:2/tasks/0.*no Sen"
    ) as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)
    assert "hidden" not in str(caught.value)
