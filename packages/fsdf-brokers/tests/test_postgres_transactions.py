"""POSTGRES: messages that exist if, and only if, the user's own transaction is committed."""

import sqlite3

import psycopg
import pytest
from psycopg.rows import dict_row

from fsdf_brokers.postgres.broker import PostgresBroker
from fsdf_core.broker import OutgoingMessage, QueueSize
from fsdf_core.errors import ConfigurationError, UnsupportedFeature
from fsdf_core.publisher import Publisher


@pytest.fixture
def queue(postgres_url):
    broker = PostgresBroker(postgres_url)
    yield broker.queue("orders")
    broker.close()


@pytest.fixture
def connection(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        yield connection


def test_what_is_rolled_back_was_never_sent(queue, connection):
    queue.send_in(connection, [OutgoingMessage(b"1"), OutgoingMessage(b"2", delay=60)])
    assert queue.size() == QueueSize(0)
    connection.rollback()
    assert queue.size() == QueueSize(0)


def test_what_is_committed_wakes_a_waiting_consumer(queue, connection):
    subscription = queue.subscribe("waiting", 10)
    try:
        queue.send_in(connection, [OutgoingMessage(b"low"), OutgoingMessage(b"high", priority=5)])
        assert subscription.receive(10, 0.3) == []
        connection.commit()
        assert [delivery.body for delivery in subscription.receive(10, 3)] == [b"high", b"low"]
    finally:
        subscription.close()


def test_a_publisher_sends_within_the_transaction(queue, connection):
    publisher = Publisher(queue.within(connection))
    publisher.publish({"order": 1})
    publisher.publish_many({"order": number} for number in range(2000))
    assert queue.size().total == 0
    connection.commit()
    assert queue.size().ready == 2001


def test_any_row_factory_will_do(queue, postgres_url):
    with psycopg.connect(postgres_url, row_factory=dict_row) as connection:
        queue.send_in(connection, [OutgoingMessage(b"1")])
    assert queue.size().ready == 1


def test_another_database_is_refused(queue, postgres_server):
    with (
        psycopg.connect(postgres_server.database()) as connection,
        pytest.raises(ConfigurationError, match="does not see the queue 'orders'"),
    ):
        queue.send_in(connection, [OutgoingMessage(b"1")])


def test_another_driver_is_refused(queue):
    connection = sqlite3.connect(":memory:")
    with pytest.raises(ConfigurationError, match="needs a psycopg 3 connection, not Connection"):
        queue.send_in(connection, [OutgoingMessage(b"1")])
    connection.close()


def test_a_decorated_function_is_pushed_within_the_transaction(postgres_url, connection, monkeypatch):
    from fsdf import assembly, boost
    from fsdf_core import settings

    monkeypatch.setenv("FSDF_POSTGRES_URL", postgres_url)
    monkeypatch.setattr(assembly, "_brokers", {})
    monkeypatch.setattr(settings, "_current", None)

    @boost("shipped", broker_kind="POSTGRES")
    def ship(order): ...

    try:
        inside = ship.publisher.within(connection)
        inside.push(1)
        inside.push(order=2)
        assert ship.get_message_count() == 0
        connection.rollback()
        inside.push(3)
        connection.commit()
        assert ship.get_message_count() == 1
    finally:
        for broker in assembly._brokers.values():
            broker.close()


def test_other_brokers_say_that_they_cannot(connection):
    from fsdf_core.brokers.memory import MemoryBroker

    with pytest.raises(UnsupportedFeature, match="POSTGRES"):
        MemoryBroker().queue("q").within(connection)
