"""By hand, RabbitMQ, the limit: pika's asynchronous connection on one thread, multiple acks, confirms of batches."""

from __future__ import annotations

import queue
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import orjson
import pika

from benchmarks.drivers.driver import Driver, Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PREFETCH = 5000
CHUNK = 100
TIMEOUT = 60.0
PERSISTENT = pika.BasicProperties(delivery_mode=2)


class Connection:
    """A pika connection with a thread of its own and one open channel; the durable queue exists."""

    def __init__(self, setting: Setting) -> None:
        self._name = setting.queue
        self._ready = threading.Event()
        parameters = pika.URLParameters(setting.address)
        parameters.tcp_options = {"TCP_NODELAY": 1}
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._open)
        self.call: Callable[[Callable[[], Any]], None] = self._connection.ioloop.add_callback_threadsafe
        threading.Thread(target=self._connection.ioloop.start, daemon=True).start()
        if not self._ready.wait(TIMEOUT):
            raise TimeoutError("RabbitMQ does not answer")

    def _open(self, _: object) -> None:
        self.channel = self._connection.channel(on_open_callback=self._declare)

    def _declare(self, _: object) -> None:
        self.channel.queue_declare(self._name, durable=True, callback=lambda _: self._ready.set())


class Producer:
    """Publishes, and waits until the server has confirmed."""

    def __init__(self, setting: Setting) -> None:
        self._queue = setting.queue
        self._connection = Connection(setting)
        self._sent = 0
        self._confirmed = threading.Event()
        selected = threading.Event()
        self._connection.call(
            lambda: self._connection.channel.confirm_delivery(self._confirm, lambda _: selected.set())
        )
        if not selected.wait(TIMEOUT):
            raise TimeoutError("RabbitMQ does not confirm")

    def send(self, bodies: list[bytes]) -> None:
        """Return when the server has all of them."""
        self._confirmed.clear()
        self._connection.call(lambda: self._publish(bodies))
        if not self._confirmed.wait(TIMEOUT):
            raise TimeoutError("RabbitMQ does not confirm")

    def _publish(self, bodies: list[bytes]) -> None:
        publish, name = self._connection.channel.basic_publish, self._queue
        self._sent += len(bodies)
        for body in bodies:
            publish("", name, body, PERSISTENT)

    def _confirm(self, frame: Any) -> None:
        # One queue confirms in the order of publishing.
        if frame.method.delivery_tag == self._sent:
            self._confirmed.set()


class HandRabbitmq(Driver):
    """Chunks of deliveries go to the workers; the connection's thread acknowledges up to the first unfinished one."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._producer: Producer | None = None
        self._todo: queue.SimpleQueue[list[tuple[int, bytes]]] = queue.SimpleQueue()
        self._chunk: list[tuple[int, bytes]] = []
        self._out: deque[tuple[int, list[tuple[int, bytes]]]] = deque()

    def publish(self, numbers: Iterable[int]) -> None:
        send, dumps = self._sender().send, orjson.dumps
        for number in numbers:
            send([dumps({"x": number, "y": 2})])

    def publish_bulk(self, count: int) -> None:
        dumps = orjson.dumps
        self._sender().send([dumps({"x": number, "y": 2}) for number in range(count)])

    def start(self) -> None:
        self._connection = Connection(self.setting)
        for _ in range(self.setting.workers):
            threading.Thread(target=self._work, daemon=True).start()
        self._connection.call(self._consume)

    def _sender(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(self.setting)
        return self._producer

    def _consume(self) -> None:
        channel = self._connection.channel
        channel.basic_qos(prefetch_count=PREFETCH)
        channel.basic_consume(self.setting.queue, self._receive)

    def _receive(self, _: object, method: Any, __: object, body: bytes) -> None:
        if not self._chunk:
            # Runs after the frames that have arrived together.
            self._connection.call(self._hand_over)
        self._chunk.append((method.delivery_tag, body))
        if len(self._chunk) >= CHUNK:
            self._hand_over()

    def _hand_over(self) -> None:
        if chunk := self._chunk:
            self._chunk = []
            self._out.append((chunk[-1][0], chunk))
            self._todo.put(chunk)

    def _work(self) -> None:
        take, call = self._todo.get, self._connection.call
        loads, task = orjson.loads, self.setting.task
        while True:
            chunk = take()
            for _, body in chunk:
                task(**loads(body))
            chunk.clear()
            call(self._acknowledge)

    def _acknowledge(self) -> None:
        last = 0
        while self._out and not self._out[0][1]:
            last, _ = self._out.popleft()
        if last:
            self._connection.channel.basic_ack(last, multiple=True)


build = HandRabbitmq
