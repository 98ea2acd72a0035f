"""Asks servers which version they are, by the client libraries that brokers and stores use."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 10


@dataclass(frozen=True)
class Server:
    """What a server says of itself.

    Attributes:
        product: its name.
        version: as it writes it; "" if no client can ask.
        oldest: major and minor number of the oldest version that fsdf works with; (0, 0) if that is not known.
        detail: what else there is to say.
    """

    product: str
    version: str
    oldest: tuple[int, int] = (0, 0)
    detail: str = ""

    @property
    def too_old(self) -> bool:
        """Whether it is older than the oldest one; a version that is no number is not."""
        numbers = re.match(r"v?(\d+)\.(\d+)", self.version)
        return numbers is not None and (int(numbers[1]), int(numbers[2])) < self.oldest


def asker(url: str) -> Callable[[str], Server] | None:
    """Return what asks the server at a URL; None if it is a file or unknown.

    It raises ImportError where the client library is missing, else whatever the library raises.
    """
    scheme = url.partition("://")[0].partition("+")[0].lower() if "://" in url else "kafka"
    return _ASKERS.get(scheme)


def _redis(url: str) -> Server:
    server = _module("fsdf_brokers.redis.server").RedisAt(url)  # it also knows Sentinels and clusters
    try:
        told = server.shared.info("server")
    finally:
        server.close()
    if "valkey_version" in told:
        return Server("Valkey", str(told["valkey_version"]), (7, 2))
    return Server("Redis", str(told["redis_version"]), (6, 2))


def _kafka(url: str) -> Server:
    address = _module("fsdf_brokers.kafka.address")
    properties = _module("fsdf_brokers.kafka.server").KafkaAt(address.properties(url)).properties({})
    # Not `describe_cluster`: librdkafka's reads the cluster's name beyond its end.
    nodes = len(_module("confluent_kafka.admin").AdminClient(properties).list_topics(timeout=_PATIENCE).brokers)
    brokers = f"{nodes} broker{'s' * (nodes != 1)}"
    return Server("Kafka", "", detail=f"answers, with {brokers}; clients cannot ask for its version")


def _mongodb(url: str) -> Server:
    with _module("pymongo").MongoClient(url, serverSelectionTimeoutMS=_PATIENCE * 1000) as client:
        told = client.server_info()
    ferret = told.get("ferretdbVersion")
    return Server("MongoDB", str(told["version"]), (5, 0), f"as FerretDB {ferret} says" if ferret else "")


def _postgresql(url: str) -> Server:
    plain = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
    with _module("psycopg").connect(plain, connect_timeout=_PATIENCE) as connection:
        number = connection.info.server_version
    return Server("PostgreSQL", f"{number // 10000}.{number % 10000}", (13, 0))


def _mysql(url: str) -> Server:
    sqlalchemy = _module("sqlalchemy")
    engine = sqlalchemy.create_engine(
        sqlalchemy.make_url(url).set(drivername="mysql+pymysql"),
        poolclass=sqlalchemy.pool.NullPool,
        connect_args={"connect_timeout": _PATIENCE, "read_timeout": _PATIENCE},
    )
    with engine.connect() as connection:
        told = str(connection.exec_driver_sql("SELECT VERSION()").scalar_one())
    mariadb = re.search(r"(\d+\.\d+[\d.]*)-MariaDB", told)  # older ones put "5.5.5-" before
    return Server("MariaDB", mariadb[1], (10, 6)) if mariadb else Server("MySQL", told, (8, 0))


def _rabbitmq(url: str) -> Server:
    pika = _module("pika")
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = _PATIENCE
    connection = pika.BlockingConnection(parameters)
    try:
        told = connection._impl.server_properties  # noqa: SLF001 - the only place that knows
    finally:
        connection.close()
    return Server(str(told.get("product", "RabbitMQ")), str(told["version"]), (3, 10))


def _module(name: str) -> Any:
    return importlib.import_module(name)


_ASKERS: dict[str, Callable[[str], Server]] = {
    **dict.fromkeys(("redis", "rediss", "unix"), _redis),
    **dict.fromkeys(("kafka", "plaintext", "ssl", "sasl_plaintext", "sasl_ssl"), _kafka),
    **dict.fromkeys(("mongodb",), _mongodb),
    **dict.fromkeys(("postgresql", "postgres"), _postgresql),
    **dict.fromkeys(("mysql", "mariadb"), _mysql),
    **dict.fromkeys(("amqp", "amqps"), _rabbitmq),
}
