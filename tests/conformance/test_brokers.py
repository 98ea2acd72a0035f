"""The conformance matrix: every broker, one suite."""

import pytest

from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.registry import brokers
from fsdf_core.testing.conformance import ConsumerConformance, QueueConformance
from fsdf_pools import AsyncPool, ShrinkableThreadPoolExecutor


class SerializingMemoryBroker(MemoryBroker):
    def queue(self, name, **options):
        return super().queue(name, **({"serialize": True} | options))


def memory(_):
    return MemoryBroker()


def serializing_memory(_):
    return SerializingMemoryBroker()


def sqlite(request):
    from fsdf_brokers.sqlite import SQLiteBroker

    return SQLiteBroker(request.getfixturevalue("tmp_path") / "queue.sqlite")


def persistqueue(request):
    from fsdf_brokers.persistqueue import PersistQueueBroker

    return PersistQueueBroker(request.getfixturevalue("tmp_path") / "persistqueue")


def redis(kind):
    def make(request):
        server = request.getfixturevalue("redis_url")  # first: a skip needs no client library
        return brokers.get(kind)(server)

    make.__name__ = kind.lower()
    return make


def kafka_confluent(request):
    from fsdf_brokers.kafka.broker import KafkaConfluentBroker

    return KafkaConfluentBroker(request.getfixturevalue("kafka_bootstrap"), heartbeat_timeout=1)


def kafka(request):
    from fsdf_brokers.kafka.broker import KafkaBroker

    return KafkaBroker(request.getfixturevalue("kafka_bootstrap"), heartbeat_timeout=1)


def mongomq(request):
    server = request.getfixturevalue("mongodb_url")  # first: a skip needs no client library
    return brokers.get("MONGOMQ")(server)


def postgres(request):
    from fsdf_brokers.postgres.broker import PostgresBroker

    return PostgresBroker(request.getfixturevalue("postgres_url"))


def sqlalchemy_sqlite(request):
    from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker

    return SQLAlchemyBroker(f"sqlite:///{request.getfixturevalue('tmp_path').as_posix()}/queue.sqlite")


def sqlalchemy_postgresql(request):
    from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker

    return SQLAlchemyBroker(request.getfixturevalue("postgres_url"))


def sqlalchemy_mariadb(request):
    from fsdf_brokers.sqlalchemy_queue.broker import SQLAlchemyBroker

    return SQLAlchemyBroker(request.getfixturevalue("mariadb_url"))


def rabbitmq(kind):
    """RabbitMQ has priorities where the queue is declared with them."""

    def make(request):
        server = request.getfixturevalue("rabbitmq_url")  # first: a skip needs no client library
        adapter = brokers.get(kind)

        class Prioritised(adapter):
            def queue(self, name, **options):
                return super().queue(name, **({"x-max-priority": 9} | options))

        return Prioritised(server)

    make.__name__ = kind.lower()
    return make


ROWS = [
    memory,
    serializing_memory,
    sqlite,
    persistqueue,
    redis("REDIS"),
    redis("REDIS_ACK_ABLE"),
    redis("REDIS_ACK_USING_TIMEOUT"),
    redis("REDIS_BRPOP_LPUSH"),
    redis("REDIS_PRIORITY"),
    redis("REDIS_STREAM"),
    redis("REDIS_ZSET_DELAY"),
    kafka_confluent,
    kafka,
    rabbitmq("RABBITMQ"),
    rabbitmq("RABBITMQ_AMQPSTORM"),
    rabbitmq("RABBITMQ_RABBITPY"),
    mongomq,
    postgres,
    sqlalchemy_sqlite,
    sqlalchemy_postgresql,
    sqlalchemy_mariadb,
]


@pytest.fixture(params=ROWS, ids=lambda make: make.__name__)
def broker(request):
    broker = request.param(request)
    yield broker
    broker.close()


@pytest.fixture
def pool():
    with ShrinkableThreadPoolExecutor(max_workers=10) as pool:
        yield pool


class TestQueue(QueueConformance):
    pass


class TestConsumer(ConsumerConformance):
    pass


@pytest.mark.parametrize(
    "broker",
    [memory, serializing_memory, sqlite, redis("REDIS_ACK_ABLE")],
    indirect=True,
    ids=lambda make: make.__name__,
)
class TestAsyncConsumer(ConsumerConformance):
    @pytest.fixture
    def pool(self):
        with AsyncPool(max_workers=10) as pool:
            yield pool
