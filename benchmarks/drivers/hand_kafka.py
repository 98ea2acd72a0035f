"""By hand, Kafka, the limit: one thread calls `consume(N)`, the workers run the messages, then it commits."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import orjson
from confluent_kafka import Consumer, Message, Producer

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH = 10_000
CHUNK = 1000
WAIT = 1.0
COLLECT = 0.001
"""Seconds for the first message, and for those that came with it."""


class HandKafka(Driver):
    """The next batch is fetched only when the last is done, so that its offsets may be committed."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._producer = Producer({"bootstrap.servers": setting.address, "acks": "all", "linger.ms": 0})
        self._todo: queue.SimpleQueue[list[Message]] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[None] = queue.SimpleQueue()

    def publish(self, numbers: Iterable[int]) -> None:
        topic, produce, flush, dumps = self.setting.queue, self._producer.produce, self._producer.flush, orjson.dumps
        for number in numbers:
            produce(topic, dumps({"x": number, "y": 2}))
            flush()

    def publish_bulk(self, count: int) -> None:
        topic, produce, dumps = self.setting.queue, self._producer.produce, orjson.dumps
        for number in range(count):
            produce(topic, dumps({"x": number, "y": 2}))
        self._producer.flush()

    def start(self) -> None:
        for _ in range(self.setting.workers):
            threading.Thread(target=self._work, daemon=True).start()
        threading.Thread(target=self._fetch, daemon=True).start()

    def _fetch(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self.setting.address,
                "group.id": self.setting.queue,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        consumer.subscribe([self.setting.queue])
        while True:
            first = consumer.poll(WAIT)
            if first is None:
                continue
            messages = [first, *consumer.consume(BATCH, COLLECT)]
            chunks = range(0, len(messages), CHUNK)
            for begin in chunks:
                self._todo.put(messages[begin : begin + CHUNK])
            for _ in chunks:
                self._done.get()
            consumer.commit(asynchronous=True)

    def _work(self) -> None:
        take, give = self._todo.get, self._done.put
        loads, task = orjson.loads, self.setting.task
        while True:
            for message in take():
                task(**loads(message.value()))
            give(None)


build = HandKafka
