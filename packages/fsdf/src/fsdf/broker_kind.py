"""The names of all brokers, and what older versions called them."""

from __future__ import annotations

from enum import Enum

from fsdf_core.errors import UnknownName
from fsdf_core.suggest import did_you_mean


class BrokerEnum(str, Enum):
    """What may stand as `broker_kind`. A value is the adapter's entry-point name (`fsdf.brokers`).

    Not every member has an adapter in this version: using one that has none raises `UnsupportedFeature`,
    which lists what is installed.
    """

    EMPTY = "EMPTY"
    MEMORY_QUEUE = "MEMORY_QUEUE"
    LOCAL_PYTHON_QUEUE = "MEMORY_QUEUE"  # noqa: PIE796 - known alias
    FASTEST_MEM_QUEUE = "MEMORY_QUEUE"  # noqa: PIE796 - known alias
    SQLITE_QUEUE = "SQLITE_QUEUE"
    PERSISTQUEUE = "PERSISTQUEUE"
    LMDB = "LMDB"
    TXT_FILE = "TXT_FILE"
    WATCHDOG = "WATCHDOG"
    REDIS = "REDIS"
    REDIS_ACK_ABLE = "REDIS_ACK_ABLE"
    REDIS_ACK_USING_TIMEOUT = "REDIS_ACK_USING_TIMEOUT"
    REIDS_ACK_USING_TIMEOUT = "REDIS_ACK_USING_TIMEOUT"  # noqa: PIE796 - known alias
    REDIS_BRPOP_LPUSH = "REDIS_BRPOP_LPUSH"
    RedisBrpopLpush = "REDIS_BRPOP_LPUSH"  # noqa: PIE796 - known alias
    REDIS_PRIORITY = "REDIS_PRIORITY"
    REDIS_PUBSUB = "REDIS_PUBSUB"
    REDIS_STREAM = "REDIS_STREAM"
    REDIS_ZSET_DELAY = "REDIS_ZSET_DELAY"
    REDIS_ZSET_PRIORITY = "REDIS_ZSET_PRIORITY"
    RABBITMQ = "RABBITMQ"
    RABBITMQ_AMQPSTORM = "RABBITMQ_AMQPSTORM"
    RABBITMQ_AMQP = "RABBITMQ_AMQP"
    RABBITMQ_COMPLEX_ROUTING = "RABBITMQ_COMPLEX_ROUTING"
    RABBITMQ_PIKA = "RABBITMQ_PIKA"
    RABBITMQ_RABBITPY = "RABBITMQ_RABBITPY"
    KAFKA = "KAFKA"
    KAFKA_CONFLUENT = "KAFKA_CONFLUENT"
    CONFLUENT_KAFKA = "KAFKA_CONFLUENT"  # noqa: PIE796 - known alias
    KAFKA_CONFLUENT_SASL_PLAIN = "KAFKA_CONFLUENT_SASL_PLAIN"
    KAFKA_CONFLUENT_SASL = "KAFKA_CONFLUENT_SASL_PLAIN"  # noqa: PIE796 - known alias
    KAFKA_CONFLUENT_SASlPlAIN = "KAFKA_CONFLUENT_SASL_PLAIN"  # noqa: PIE796 - known alias
    MONGOMQ = "MONGOMQ"
    POSTGRES = "POSTGRES"
    PEEWEE = "PEEWEE"
    SQLALCHEMY = "SQLALCHEMY"
    SQLACHEMY = "SQLALCHEMY"  # noqa: PIE796 - known alias
    MYSQL_CDC = "MYSQL_CDC"
    NATS_CORE = "NATS_CORE"
    NATS = "NATS_CORE"  # noqa: PIE796 - known alias
    NATS_JETSTREAM = "NATS_JETSTREAM"
    NSQ = "NSQ"
    MQTT = "MQTT"
    PULSAR = "PULSAR"
    ROCKETMQ = "ROCKETMQ"
    ROCKETMQ5 = "ROCKETMQ5"
    SQS = "SQS"
    HTTPSQS = "HTTPSQS"
    ZEROMQ = "ZEROMQ"
    KOMBU = "KOMBU"
    UDP = "UDP"
    TCP = "TCP"
    HTTP = "HTTP"
    GRPC = "GRPC"
    WEBSOCKET = "WEBSOCKET"
    CELERY = "CELERY"
    DRAMATIQ = "DRAMATIQ"
    HUEY = "HUEY"
    RQ = "RQ"
    NAMEKO = "NAMEKO"

    def __str__(self) -> str:
        return self.value


_NUMBERS = {
    0: BrokerEnum.RABBITMQ_AMQPSTORM,
    1: BrokerEnum.RABBITMQ_RABBITPY,
    2: BrokerEnum.REDIS,
    3: BrokerEnum.MEMORY_QUEUE,
    4: BrokerEnum.RABBITMQ_PIKA,
    5: BrokerEnum.MONGOMQ,
    6: BrokerEnum.PERSISTQUEUE,
    7: BrokerEnum.NSQ,
    8: BrokerEnum.KAFKA,
    9: BrokerEnum.REDIS_ACK_ABLE,
    10: BrokerEnum.SQLALCHEMY,
    11: BrokerEnum.ROCKETMQ,
    12: BrokerEnum.REDIS_STREAM,
    13: BrokerEnum.ZEROMQ,
    14: BrokerEnum.REDIS_BRPOP_LPUSH,
    15: BrokerEnum.KOMBU,
    16: BrokerEnum.KAFKA_CONFLUENT,
    17: BrokerEnum.MQTT,
    18: BrokerEnum.HTTPSQS,
    20: BrokerEnum.PULSAR,
    21: BrokerEnum.UDP,
    22: BrokerEnum.TCP,
    23: BrokerEnum.HTTP,
    24: BrokerEnum.NATS_CORE,
    25: BrokerEnum.TXT_FILE,
}

_OLD_VALUES = {
    "sqlite3": BrokerEnum.SQLITE_QUEUE,
    "reids_ack_using_timeout": BrokerEnum.REDIS_ACK_USING_TIMEOUT,
}


def resolve_broker_kind(kind: str | int) -> str:
    """Return the entry-point name of a broker kind.

    Args:
        kind: a `BrokerEnum` member, the name of one, the value or the number of an older version, or a name
            that another distribution or `register_custom_broker` provides.

    Raises:
        UnknownName: none of these; suggests the nearest.
    """
    if isinstance(kind, BrokerEnum):
        return kind.value
    if isinstance(kind, int):
        if kind not in _NUMBERS:
            raise UnknownName(f"no broker has the number {kind}: use a member of BrokerEnum")
        return _NUMBERS[kind].value
    members = BrokerEnum.__members__
    if kind in members:
        return members[kind].value
    if kind in _OLD_VALUES:
        return _OLD_VALUES[kind].value
    # Reading the installed distributions takes milliseconds, which no known kind should pay.
    from fsdf_core.registry import brokers  # noqa: PLC0415

    installed = brokers.names()
    if kind in installed:
        return kind
    raise UnknownName(
        f"no broker {kind!r}.{did_you_mean(kind, [*members, *installed])} Installed: {', '.join(installed)}."
    )
