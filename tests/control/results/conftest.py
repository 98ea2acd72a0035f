"""A queue, a state store, consumers, and whoever waits for the answers."""

import pytest

from fsdf_brokers.sqlite import SQLiteBroker
from fsdf_core.answer_reader import AnswerReader
from fsdf_core.answer_waiting import wait_for
from fsdf_core.consumer import Consumer
from fsdf_core.errors import StateError
from fsdf_core.green.broker import cooperative_broker
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore

from ..pools import THREADS

PATIENCE = 60


class Store(MemoryStateStore):
    """Counts its writes, and fails as told."""

    def __init__(self, *arguments, failures=(), most=None):
        super().__init__(*arguments)
        self.failures = list(failures)
        self.most = most
        self.writes = []
        self.tries = 0

    def set(self, values, ttl=None):
        self.tries += 1
        if self.failures:
            raise self.failures.pop()
        if self.most and any(len(value) > self.most for value in values.values()):
            raise StateError("too much")
        self.writes.append(sorted(values))
        super().set(values, ttl)


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def queue(tmp_path):
    with_files = cooperative_broker(SQLiteBroker(tmp_path / "queue.sqlite"))
    yield with_files.queue("q")
    with_files.close()


@pytest.fixture
def answers(store):
    """Waits for the answers of tasks."""

    def wait(*task_ids):
        found = wait_for({AnswerReader(store): task_ids}, PATIENCE)
        return [found[task_id] for task_id in task_ids]

    return wait


@pytest.fixture
def consume(queue):
    """Starts consumers, stops them at the end."""
    running = []

    def start(function, *controls, pool=None, **options):
        pool = pool or THREADS[0](max_workers=4)
        consumer = Consumer(function, queue=queue, pool=pool, controls=controls, **options)
        running.append((consumer, pool))
        consumer.start()
        return consumer

    yield start
    for consumer, pool in running:
        consumer.stop(10)
        pool.close(10)


@pytest.fixture
def publish(queue):
    """Publishes calls, with control data; returns their ids."""

    def send(*calls, **extra):
        return [Publisher(queue).publish(call, dict(extra)).task_id for call in calls]

    return send


@pytest.fixture
def failing_store():
    """Builds stores that count their writes, and fail as told."""
    return Store
