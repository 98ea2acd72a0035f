"""The servers of a run: started on free ports, with a place of its own for every phase, ended by process id.

Programs are found as the tests find them; `hatch run servers` installs what is missing.
"""

from __future__ import annotations

import contextlib
import queue
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.servers.catalogue import server
from tests.servers.kafka_server import KafkaServer
from tests.servers.mongodb_server import MongoDBServer
from tests.servers.rabbitmq_server import RabbitMQServer
from tests.servers.redis_server import RedisServer

from benchmarks.systems import KAFKA, MONGODB, RABBITMQ, REDIS, REDIS_STREAM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NEEDED = {REDIS: "redis", REDIS_STREAM: "redis", RABBITMQ: "rabbitmq", KAFKA: "kafka", MONGODB: "mongodb"}
"""The program behind each transport; the others need none."""

DATABASES = 16
"""What a Redis server has by default."""

PARTITIONS = 10
"""Of every topic of Kafka."""

FIRST_GROUP = 60
"""Seconds that the first group of a server may take to form."""


class Place(NamedTuple):
    """Where one phase of one system works.

    Attributes:
        queue: a name that no other phase uses.
        address: of the server, as a URL or `host:port`; empty if the transport needs none.
    """

    queue: str
    address: str = ""


def missing(transport: str) -> str | None:
    """Return the name of the program that the transport needs and that is not installed, or None."""
    name = NEEDED.get(transport)
    return name if name is not None and server(name).executable() is None else None


class Servers:
    """The servers that some transports need; a context manager that ends them.

    Args:
        transports: what will be measured; their programs are installed.

    Attributes:
        broken: transports whose server does not start, with the reason.
    """

    def __init__(self, transports: Sequence[str]) -> None:
        self._needed = {transport: NEEDED[transport] for transport in transports if transport in NEEDED}
        self._stack = contextlib.ExitStack()
        self.broken: dict[str, str] = {}
        self._databases: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in range(DATABASES):
            self._databases.put(number)

    def __enter__(self) -> Servers:  # noqa: PYI034 - Self is newer than Python 3.10
        """Start them."""
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fsdf-bench-servers-")))
            for name in sorted(set(self._needed.values())):
                if reason := self._start(name, stack, folder):
                    self.broken |= {one: reason for one, program in self._needed.items() if program == name}
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End them."""
        self._stack.close()

    @contextlib.contextmanager
    def place(self, transport: str) -> Iterator[Place]:
        """Yield an empty place, and clear it afterwards."""
        name = f"bench-{uuid.uuid4().hex[:8]}"
        match NEEDED.get(transport):
            case None:
                yield Place(name)
            case "redis":
                yield from self._database(name)
            case "rabbitmq":
                yield from self._queue(name)
            case "kafka":
                yield from self._topic(name)
            case "mongodb":
                yield Place(name, self._mongodb.database())

    def _start(self, name: str, stack: contextlib.ExitStack, folder: Path) -> str | None:
        """Start a server; return why it does not start the second time either."""
        reason = None
        for attempt in range(2):
            try:
                getattr(self, f"_start_{name}")(stack, folder / f"{name}-{attempt}")
            except RuntimeError as error:
                reason = str(error).strip().splitlines()[-1]
            else:
                return None
        return reason

    def _start_redis(self, stack: contextlib.ExitStack, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._redis = RedisServer(server("redis").executable() or "", folder)
        self._redis.start()
        stack.callback(self._redis.stop)

    def _start_rabbitmq(self, stack: contextlib.ExitStack, _: Path) -> None:
        self._rabbitmq = RabbitMQServer(server("rabbitmq").executable() or "")
        stack.callback(self._rabbitmq.remove)
        self._rabbitmq.start()

    def _start_mongodb(self, stack: contextlib.ExitStack, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._mongodb = MongoDBServer(server("mongodb").executable() or "", folder)
        self._mongodb.start()
        stack.callback(self._mongodb.stop)

    def _start_kafka(self, stack: contextlib.ExitStack, folder: Path) -> None:
        folder.mkdir(parents=True)
        self._kafka = KafkaServer(server("kafka").executable() or "", folder)
        self._kafka.start()
        stack.callback(self._kafka.stop)
        self._first_group()

    def _first_group(self) -> None:
        """Let a group form: for the first one the server makes a topic of its own, which takes a second or three."""
        from confluent_kafka import Consumer  # noqa: PLC0415 - only where it is measured

        with contextlib.contextmanager(self._topic)("warm-up") as place:
            formed = threading.Event()
            consumer = Consumer({"bootstrap.servers": place.address, "group.id": "warm-up"})
            try:
                consumer.subscribe([place.queue], on_assign=lambda *_: formed.set())
                deadline = time.monotonic() + FIRST_GROUP
                while not formed.is_set():
                    if time.monotonic() > deadline:
                        raise RuntimeError(f"no group of Kafka formed within {FIRST_GROUP} s")
                    consumer.poll(0.1)
            finally:
                consumer.close()

    def _database(self, name: str) -> Iterator[Place]:
        import redis  # noqa: PLC0415 - only where it is measured

        number = self._databases.get()
        url = f"redis://127.0.0.1:{self._redis.port}/{number}"
        try:
            yield Place(name, url)
        finally:
            with redis.Redis.from_url(url) as client:
                client.flushdb()
            self._databases.put(number)

    def _queue(self, name: str) -> Iterator[Place]:
        import pika  # noqa: PLC0415

        try:
            yield Place(name, self._rabbitmq.url)
        finally:
            with pika.BlockingConnection(pika.URLParameters(self._rabbitmq.url)) as connection:
                channel = connection.channel()
                # dramatiq's queues of delayed and of dead messages have suffixes.
                for suffix in ("", ".DQ", ".XQ"):
                    channel.queue_delete(name + suffix)

    def _topic(self, name: str) -> Iterator[Place]:
        from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415

        admin = AdminClient({"bootstrap.servers": self._kafka.bootstrap})
        admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result(30)
        try:
            yield Place(name, self._kafka.bootstrap)
        finally:
            admin.delete_topics([name])[name].result(30)
