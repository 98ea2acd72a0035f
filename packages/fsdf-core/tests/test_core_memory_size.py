"""What a waiting message costs in a memory queue."""

import tracemalloc

import pytest

from fsdf_core.broker import OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.codec import encode
from fsdf_core.publisher import Publisher


@pytest.fixture
def traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_encoded_messages_keep_no_spare_room(traced):
    publisher = Publisher(MemoryBroker().queue("q", serialize=True))
    publisher.publish({"x": 0})
    before = tracemalloc.get_traced_memory()[0]
    for number in range(100_000):
        publisher.publish({"x": number})
    assert tracemalloc.get_traced_memory()[0] - before < 40_000_000


def test_the_body_is_the_same():
    queue = MemoryBroker().queue("q", serialize=True)
    bodies = [encode({"x": "é" * size}, {}) for size in (0, 1, 1000, 100_000)]
    queue.send([OutgoingMessage(body) for body in bodies])
    assert [delivery.body for delivery in queue.subscribe("c", 10).receive(10, 1)] == bodies
