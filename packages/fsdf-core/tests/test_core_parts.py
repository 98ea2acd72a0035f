"""Small parts: ids, registry, publisher, prefetch, parking, backoff, bounded memory queues."""

import uuid

import pytest

from fsdf_core.backoff import Backoff
from fsdf_core.broker import Delivery, OutgoingMessage
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.control import Control, overriding
from fsdf_core.errors import ConfigurationError, EncodeError, MissingDependency, QueueFull, UnknownName
from fsdf_core.message import Message
from fsdf_core.parking import Parking
from fsdf_core.prefetch import CEILING, Prefetch
from fsdf_core.publisher import Publisher
from fsdf_core.registry import Registry, _installed, brokers
from fsdf_core.task_id import new_task_id


def test_task_ids_are_unique_ordered_uuid7():
    ids = [new_task_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert {uuid.UUID(text).version for text in ids[:100]} == {7}
    assert {uuid.UUID(text).variant for text in ids[:100]} == {uuid.RFC_4122}
    assert [text[:13] for text in ids] == sorted(text[:13] for text in ids)


def test_registry_suggests():
    with pytest.raises(UnknownName, match="Did you mean 'SQLITE_QUEUE'"):
        brokers.get("SQLITE_QEUE")


def test_registry_names_the_missing_library(monkeypatch):
    registry = Registry("fsdf.brokers", "broker")
    point = next(iter(brokers._entry_points().values()))

    def load(_):
        raise ModuleNotFoundError("No module named 'redis'", name="redis")

    monkeypatch.setattr(type(point), "load", load)
    with pytest.raises(MissingDependency, match=r"'redis': pip install fsdf\[redis\]"):
        registry.get("REDIS_ACK_ABLE")


def test_registered_class_comes_first():
    registry = Registry("fsdf.brokers", "broker")
    registry.register("SQLITE_QUEUE", MemoryBroker)
    assert registry.get("SQLITE_QUEUE") is MemoryBroker
    assert "MEMORY_QUEUE" in registry.names()


def test_publisher_stamps_and_keeps_what_is_given():
    queue = MemoryBroker().queue("q", serialize=True)
    message = Publisher(queue, timezone="Asia/Shanghai").publish({"x": 1}, {"task_id": "mine"})
    assert message.task_id == "mine"
    assert len(message.extra["publish_time_format"]) == 19
    with pytest.raises(EncodeError, match="reserved"):
        Publisher(queue).publish({"extra": 1})
    with pytest.raises(ConfigurationError, match="time zone"):
        Publisher(queue, timezone="Mars/Olympus")
    assert queue.size().ready == 1


def test_prefetch_follows_the_rate():
    prefetch = Prefetch(0.0, 0.05)
    assert prefetch.ahead(0.001, 100) == 0
    assert prefetch.ahead(1.0, 1000) == 50
    assert prefetch.ahead(2.0, 1001) == 0
    assert prefetch.ahead(3.0, 10_000_000) == CEILING


def test_parking_returns_what_is_due():
    parking = Parking()
    parking.park([Message({"x": 1}, {})], 0)
    parking.park([Message({"x": 2}, {})], 100)
    assert [message.arguments["x"] for message in parking.due()] == [1]
    assert parking.wait(1.0) == 1.0


def test_backoff_grows_to_its_cap():
    backoff = Backoff(1, 8)
    waits = [backoff.next() for _ in range(6)]
    assert all(0.5 * top <= wait <= top for wait, top in zip(waits, (1, 2, 4, 8, 8, 8), strict=True))
    backoff.reset()
    assert backoff.next() <= 1


def test_a_full_memory_queue_says_so():
    queue = MemoryBroker().queue("q", maxsize=2, put_timeout=0.05)
    queue.send([OutgoingMessage({}), OutgoingMessage({})])
    with pytest.raises(QueueFull, match="maxsize of 2"):
        queue.send([OutgoingMessage({})])
    subscription = queue.subscribe("c", 1)
    subscription.ack(subscription.receive(1, 1))
    queue.send([OutgoingMessage({})])
    assert queue.size().ready == 2


def test_memory_queue_options_must_agree():
    broker = MemoryBroker()
    broker.queue("q", maxsize=2)
    assert broker.queue("q").options["maxsize"] == 2
    with pytest.raises(ConfigurationError, match="exists with options"):
        broker.queue("q", maxsize=3)


def test_only_overridden_hooks_are_called():
    class Own(Control):
        def admit(self, message):
            return None

    assert len(overriding([Control(), Own()], "admit")) == 1
    assert overriding([Control(), Own()], "on_error") == []


def test_delivery_has_no_count_by_default():
    assert Delivery(b"", 1).delivery_count == 0


def test_distributions_are_read_once_for_all_groups():
    _installed.cache_clear()
    assert "MEMORY_QUEUE" in Registry("fsdf.brokers", "broker").names()
    assert "async" in Registry("fsdf.pools", "pool").names()
    assert _installed.cache_info().misses == 1
