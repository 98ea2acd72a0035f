"""What a consumer must do on the broker."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.control import Control
from fsdf_core.dead_letter import SUFFIX
from fsdf_core.errors import ExceptionForRequeue
from fsdf_core.publisher import Publisher
from fsdf_core.testing.conformance.receiving import PATIENCE, receive
from fsdf_core.testing.fitting import FittingConsumer as Consumer
from fsdf_core.verdict import Requeue

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.broker import Broker, Queue
    from fsdf_core.message import Message
    from fsdf_core.pool import Pool


class _PutBack(Control):
    def on_error(self, message: Message, error: BaseException, attempt: int) -> Requeue | None:  # noqa: ARG002
        return Requeue() if isinstance(error, ExceptionForRequeue) else None


class ConsumerConformance:
    """A consumer keeps its promises on the broker."""

    @pytest.fixture
    def queue(self, broker: Broker) -> Queue:
        """Return a queue that nobody else uses."""
        return broker.queue(f"consumer-{uuid.uuid4().hex}")

    @staticmethod
    def settled(queue: Queue, done: Callable[[], bool] = lambda: True) -> None:
        """Wait until nothing is left on the queue and the work is done; without acks the queue alone cannot tell."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while queue.size().total or not done():
            assert time.monotonic() < deadline, queue.size()
            pause.wait(0.01)

    def test_each_message_runs_once(self, queue: Queue, pool: Pool) -> None:
        ran: list[int] = []
        Publisher(queue).publish_many({"x": number} for number in range(500))
        with Consumer(lambda x: ran.append(x), queue=queue, pool=pool) as consumer:  # noqa: PLW0108 - keyword name
            consumer.start()
            self.settled(queue, lambda: len(ran) >= 500)
            assert consumer.stop()
        assert sorted(ran) == list(range(500))

    def test_foreign_message(self, queue: Queue, pool: Pool) -> None:
        ran = threading.Event()
        queue.send([OutgoingMessage(b'{"x": 1}' if queue.serializes else {"x": 1})])
        with Consumer(lambda x: ran.set(), queue=queue, pool=pool) as consumer:  # noqa: ARG005 - keyword name
            consumer.start()
            assert ran.wait(PATIENCE)
            self.settled(queue)

    def test_garbage_goes_to_the_dead_letter_queue(self, queue: Queue, pool: Pool) -> None:
        garbage: list[Any] = [b"no json", b"\xff\xfe", b"[1]", b'{"extra": 3}']
        queue.send([OutgoingMessage(body) for body in garbage])
        with Consumer(lambda: None, queue=queue, pool=pool) as consumer:
            consumer.start()
            self.settled(queue)
            assert consumer.stop()
        dead = queue.broker.queue(queue.name + SUFFIX)
        assert dead.size().ready == len(garbage)
        subscription = dead.subscribe(f"reader-{uuid.uuid4().hex}", 10)
        found = receive(subscription, len(garbage))
        assert all("undecodable" in str(delivery.body) for delivery in found)
        subscription.ack(found)
        subscription.close()

    def test_a_failure_is_acknowledged(self, queue: Queue, pool: Pool) -> None:
        runs: list[int] = []

        def fail(x: int) -> None:
            runs.append(x)
            raise ValueError(x)

        Publisher(queue).publish({"x": 1})
        with Consumer(fail, queue=queue, pool=pool) as consumer:
            consumer.start()
            self.settled(queue, lambda: bool(runs))
        assert runs == [1]

    def test_requeue(self, queue: Queue, pool: Pool) -> None:
        runs: list[int] = []

        def later(x: int) -> None:
            runs.append(x)
            if len(runs) < 3:
                raise ExceptionForRequeue

        Publisher(queue).publish({"x": 1})
        with Consumer(later, queue=queue, pool=pool, controls=[_PutBack()]) as consumer:
            consumer.start()
            self.settled(queue, lambda: len(runs) == 3)
        assert runs == [1, 1, 1]

    def test_stop_and_start_again(self, queue: Queue, pool: Pool) -> None:
        ran: list[int] = []
        started = threading.Event()

        def task(x: int) -> None:
            started.set()
            threading.Event().wait(0.02)
            ran.append(x)

        Publisher(queue).publish_many({"x": number} for number in range(100))
        consumer = Consumer(task, queue=queue, pool=pool)
        consumer.start()
        assert started.wait(PATIENCE)
        assert consumer.stop()
        assert queue.size().total == 100 - len(ran)
        assert queue.size().unacked == 0
        consumer.start()
        self.settled(queue, lambda: len(ran) >= 100)
        assert consumer.stop()
        assert sorted(ran) == list(range(100))
