"""Fixtures that start real servers; the root conftest.py gives them to every test of the workspace.

A missing server skips the test with one line; with CI=true it fails instead.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from tests.servers.catalogue import server
from tests.servers.kafka_server import KafkaServer
from tests.servers.mongodb_server import MongoDBServer
from tests.servers.rabbitmq_server import RabbitMQServer
from tests.servers.redis_server import RedisServer
from tests.servers.sql_server import MariaDBServer, PostgreSQLServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Startable(Protocol):
    def start(self) -> None: ...


_Server = TypeVar("_Server", bound=_Startable)


class LaunchRedis(Protocol):
    """Starts a redis-server that lives as long as the test."""

    def __call__(self, *, aof: bool = False, options: dict[str, str] | None = None) -> RedisServer: ...


def need(name: str) -> str:
    """Return the program of a server; skip the test, or fail it on CI, if it is not installed."""
    path = server(name).executable()
    if path is not None:
        return path
    line = f"no {name} server: hatch run servers"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(line, pytrace=False)
    pytest.skip(line)


def _launching(make: Callable[..., _Server], end: Callable[[_Server], None]) -> Iterator[Callable[..., _Server]]:
    """Yield what makes and starts a server; end all of them afterwards."""
    running: list[_Server] = []

    def launch(**options: Any) -> _Server:
        one = make(**options)
        running.append(one)
        one.start()
        return one

    yield launch
    for one in running:
        end(one)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One redis-server without persistence for the whole session. Do not stop or restart it."""
    running = RedisServer(need("redis"), tmp_path_factory.mktemp("redis"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty database on the session's server."""
    redis_server.command("FLUSHALL")
    return redis_server.url


@pytest.fixture
def launch_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchRedis]:
    """A function that starts a server of the test's own, which it may stop, kill, restart or fill."""
    yield from _launching(
        lambda **options: RedisServer(need("redis"), tmp_path_factory.mktemp("redis"), **options), RedisServer.stop
    )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgreSQLServer]:
    """One PostgreSQL server for the whole session. Do not stop or restart it."""
    running = PostgreSQLServer(need("postgresql"))
    running.start()
    yield running
    running.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgreSQLServer) -> str:
    """The URL of an empty database on the session's server."""
    return postgres_server.database()


@pytest.fixture
def launch_postgres() -> Iterator[Callable[[], PostgreSQLServer]]:
    """A function that starts a server of the test's own, which it may stop, kill or restart."""
    yield from _launching(lambda **options: PostgreSQLServer(need("postgresql"), **options), PostgreSQLServer.remove)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDBServer]:
    """One MariaDB server for the whole session. Do not stop or restart it."""
    running = MariaDBServer(need("mariadb"))
    running.start()
    yield running
    running.remove()


@pytest.fixture
def mariadb_url(mariadb_server: MariaDBServer) -> str:
    """The URL of an empty database on the session's server."""
    return mariadb_server.database()


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """One Kafka server for the whole session. Do not stop or restart it."""
    running = KafkaServer(need("kafka"), tmp_path_factory.mktemp("kafka"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def kafka_bootstrap(kafka_server: KafkaServer) -> str:
    """The address of the session's server; its topics stay, so use names of your own."""
    return kafka_server.bootstrap


@pytest.fixture
def launch_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., KafkaServer]]:
    """A function that starts a server of the test's own, which it may stop, kill or restart."""
    yield from _launching(
        lambda **options: KafkaServer(need("kafka"), tmp_path_factory.mktemp("kafka"), **options), KafkaServer.stop
    )


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQServer]:
    """One RabbitMQ node for the whole session. Do not stop or restart it."""
    running = RabbitMQServer(need("rabbitmq"))
    running.start()
    yield running
    running.remove()


@pytest.fixture
def rabbitmq_url(rabbitmq_server: RabbitMQServer) -> str:
    """The URL of the session's node; tests share its virtual host, so choose unused queue names."""
    return rabbitmq_server.url


@pytest.fixture
def launch_rabbitmq() -> Iterator[Callable[[], RabbitMQServer]]:
    """A function that starts a node of the test's own, which it may stop, kill, restart or fill; takes 8 seconds."""
    yield from _launching(lambda **options: RabbitMQServer(need("rabbitmq"), **options), RabbitMQServer.remove)


@pytest.fixture(scope="session")
def mongodb_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongoDBServer]:
    """One server with MongoDB's protocol for the whole session. Do not stop or restart it."""
    running = MongoDBServer(need("mongodb"), tmp_path_factory.mktemp("mongodb"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def mongodb_url(mongodb_server: MongoDBServer) -> str:
    """The URL of an empty database on the session's server."""
    return mongodb_server.database()


@pytest.fixture
def launch_mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., MongoDBServer]]:
    """A function that starts a server of the test's own, which it may stop, kill or restart."""
    yield from _launching(
        lambda **options: MongoDBServer(need("mongodb"), tmp_path_factory.mktemp("mongodb"), **options),
        MongoDBServer.stop,
    )
