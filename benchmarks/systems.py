"""What is measured: the systems, their pinned requirements and what to know about their figures."""

from __future__ import annotations

from dataclasses import dataclass

MEMORY = "memory"
SQLITE = "sqlite"
REDIS = "redis"
REDIS_STREAM = "redis-stream"
RABBITMQ = "rabbitmq"
KAFKA = "kafka"
MONGODB = "mongodb"
"""No transport here: a store of records."""
TRANSPORTS = (MEMORY, SQLITE, REDIS, REDIS_STREAM, RABBITMQ, KAFKA)

HIREDIS = "hiredis==3.5.0"
"""Redis clients are twice as fast with it; fsdf's extra installs it, so every peer has it."""
TASKIQ = ("taskiq==0.13.0", "taskiq-redis==1.2.4", HIREDIS)
FUNBOOST = ("funboost==55.0", "amqpstorm==2.10.6", "confluent-kafka==2.16.1", "kafka-python==3.0.12", HIREDIS)


@dataclass(frozen=True, slots=True)
class System:
    """One row a transport.

    Attributes:
        name: for `--only`.
        driver: module in `benchmarks/drivers`.
        transports: what it can do, each with the label of its row.
        requirements: pinned, for its own environment; empty: the environment that runs the benchmark.
        notes: by transport, where its promises or its measurement differ from fsdf's.
    """

    name: str
    driver: str
    transports: dict[str, str]
    requirements: tuple[str, ...] = ()
    notes: dict[str, str] | None = None


SYSTEMS = (
    System(
        "fsdf",
        "fsdf",
        {
            MEMORY: "fsdf MEMORY_QUEUE",
            SQLITE: "fsdf SQLITE_QUEUE",
            REDIS: "fsdf REDIS_ACK_ABLE",
            REDIS_STREAM: "fsdf REDIS_STREAM",
            RABBITMQ: "fsdf RABBITMQ",
            KAFKA: "fsdf KAFKA_CONFLUENT",
        },
    ),
    System(
        "hand-queue",
        "hand_queue",
        {MEMORY: "by hand (queue.Queue)"},
        notes={MEMORY: "encodes and decodes JSON; nothing that could come back after a failure"},
    ),
    System(
        "hand",
        "hand_deque",
        {MEMORY: "by hand (deque, batches)"},
        notes={MEMORY: "the limit: pops and acknowledges 100 at a time; encodes and decodes JSON"},
    ),
    System(
        "hand",
        "hand_sqlite",
        {SQLITE: "by hand (sqlite3, batches)"},
        notes={SQLITE: "the limit: one thread claims and deletes 1000 a transaction, the workers run them"},
    ),
    System(
        "hand",
        "hand_redis",
        {REDIS: "by hand (redis-py, acks)"},
        notes={REDIS: "claims 1000 by script into a hash; HDEL of their 1000 tokens with the next claim"},
    ),
    System(
        "hand",
        "hand_redis_wire",
        {REDIS: "by hand (redis-py, acks), fsdf's messages"},
        notes={REDIS: "as the other, with messages that carry a task id and a time as fsdf's do: 150 bytes, not 16"},
    ),
    System(
        "hand-list",
        "hand_redis_list",
        {REDIS: "by hand (redis-py, batches)"},
        notes={
            REDIS: (
                "the limit: moves 1000 to a list of the worker's own, then drops it, so no message can be acknowledged"
                " alone; publishes without redis-py's pool"
            )
        },
    ),
    System(
        "hand",
        "hand_stream",
        {REDIS_STREAM: "by hand (redis-py, batches)"},
        notes={REDIS_STREAM: "the limit: XREADGROUP, XACK and XDEL of 1000"},
    ),
    System(
        "hand",
        "hand_rabbitmq",
        {RABBITMQ: "by hand (pika, batches)"},
        notes={RABBITMQ: "the limit: asynchronous connection, prefetch 5000, multiple acks; in bulk 1000 a confirm"},
    ),
    System(
        "hand",
        "hand_kafka",
        {KAFKA: "by hand (confluent-kafka)"},
        notes={KAFKA: "the limit: consume(10000), commit when they have run; flush() after each message or 1000"},
    ),
    System(
        "funboost",
        "funboost",
        {
            MEMORY: "funboost MEMORY_QUEUE",
            SQLITE: "funboost SQLITE_QUEUE",
            REDIS: "funboost REDIS_ACK_ABLE",
            REDIS_STREAM: "funboost REDIS_STREAM",
            RABBITMQ: "funboost RABBITMQ_AMQPSTORM",
            KAFKA: "funboost KAFKA_CONFLUENT",
        },
        FUNBOOST,
        {
            MEMORY: "log level CRITICAL (its default, DEBUG, is far slower); no call for a batch",
            SQLITE: "persist-queue; acks after the run; run here with synchronous=NORMAL instead of FULL",
            RABBITMQ: "no publisher confirms, so an accepted message may be lost: weaker than fsdf",
            KAFKA: "does not wait until the server has a message, flushes once a second: weaker than fsdf",
        },
    ),
    System(
        "funboost",
        "funboost_full",
        {SQLITE: "funboost SQLITE_QUEUE as installed"},
        FUNBOOST,
        {SQLITE: "synchronous=FULL: a commit also survives a power cut, which fsdf does not promise"},
    ),
    System(
        "celery",
        "celery",
        {
            MEMORY: "celery memory://",
            SQLITE: "celery sqla+sqlite",
            REDIS: "celery redis://",
            RABBITMQ: "celery amqp://",
        },
        ("celery[sqlalchemy,redis]==5.7.0", HIREDIS),
        {
            MEMORY: "threads pool, acks late, results off, prefetch unlimited; group() publishes one by one",
            SQLITE: (
                "as memory; the row is marked invisible when it is fetched and is never put back after"
                " kill -9, so acks late does not help: weaker than fsdf; run with WAL and NORMAL"
            ),
            REDIS: "threads pool, acks late, results off, prefetch 128 per thread",
            RABBITMQ: "as redis, and confirm_publish",
        },
    ),
    System(
        "huey",
        "huey",
        {MEMORY: "huey MemoryHuey", SQLITE: "huey SqliteHuey", REDIS: "huey RedisHuey"},
        ("huey[redis]==3.5.4", HIREDIS),
        {
            MEMORY: "results off; pickles",
            SQLITE: (
                "deletes the row before the run, so a crash loses it: weaker than fsdf, and one transaction"
                " fewer; results off; pickles; run with synchronous=NORMAL instead of FULL"
            ),
            REDIS: "takes a message off the list before the run, so a crash loses it: weaker than fsdf; pickles",
        },
    ),
    System(
        "dramatiq",
        "dramatiq",
        {MEMORY: "dramatiq StubBroker", REDIS: "dramatiq RedisBroker", RABBITMQ: "dramatiq RabbitmqBroker"},
        ("dramatiq[redis,rabbitmq]==2.2.1", HIREDIS),
        {
            MEMORY: "its broker for tests; acks after the run; default middleware; JSON",
            RABBITMQ: "confirm_delivery on, which is not its default",
        },
    ),
    System(
        "taskiq",
        "taskiq",
        {MEMORY: "taskiq InMemoryBroker"},
        TASKIQ,
        {
            MEMORY: (
                "its broker for tests: sending makes an asyncio task of the same loop, there is no worker;"
                " the function runs in its thread pool; the result cannot be switched off"
            )
        },
    ),
    System(
        "taskiq",
        "taskiq_redis",
        {REDIS: "taskiq RedisStreamBroker"},
        TASKIQ,
        {REDIS: "on a stream: its ListQueueBroker has no acks; acks after the run; no result backend"},
    ),
)


def choose(names: list[str], transports: list[str]) -> list[tuple[System, str]]:
    """Return the pairs to measure; empty lists mean all.

    Raises:
        ValueError: there is no such system.
    """
    known = {system.name for system in SYSTEMS}
    if unknown := set(names) - known:
        raise ValueError(f"unknown system {', '.join(sorted(unknown))}: choose from {', '.join(sorted(known))}")
    return [
        (system, transport)
        for transport in transports or TRANSPORTS
        for system in SYSTEMS
        if transport in system.transports and (not names or system.name in names)
    ]
