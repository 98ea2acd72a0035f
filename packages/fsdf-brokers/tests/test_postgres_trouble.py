"""POSTGRES: what users see when something is wrong, and what mends itself."""

import threading
import time

import psycopg
import pytest
from tests.servers.process import free_port

from fsdf_brokers.postgres.broker import PostgresBroker
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.settings import Settings


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", "postgresql://u:secret@[h/d", ""])
def test_what_is_no_url_is_refused_without_showing_it(url):
    with pytest.raises(ConfigurationError, match="postgresql://user:password@host:5432/database") as caught:
        PostgresBroker(url)
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there():
    broker = PostgresBroker(f"postgresql://me:secret@127.0.0.1:{free_port()}/db")
    with pytest.raises(BrokerUnavailable, match="is not available.*FSDF_SQLALCHEMY_URL") as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)
    with pytest.raises(BrokerUnavailable):
        broker.queue("q").subscribe("consumer", 10)


def test_a_user_who_is_refused(postgres_url):
    broker = PostgresBroker(postgres_url.replace("postgres@", "nobody:secret@"))
    with pytest.raises(ConfigurationError, match="refuses: .*Check user, password") as caught:
        broker.queue("q").size()
    assert "secret" not in str(caught.value)


def test_no_url_is_one_clear_error(tmp_path):
    with pytest.raises(ConfigurationError, match="set FSDF_SQLALCHEMY_URL"):
        PostgresBroker.from_settings(Settings(home=tmp_path, sqlalchemy_url=None))


def test_options_are_refused(postgres_url):
    with pytest.raises(ConfigurationError, match="no queue options, not table"):
        PostgresBroker(postgres_url).queue("q", table="t")


def test_a_user_without_the_right_to_create_uses_what_is_there(postgres_url):
    owner = PostgresBroker(postgres_url)
    owner.queue("q").send([OutgoingMessage(b"1")])
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS humble")
        connection.execute("CREATE ROLE humble LOGIN")
        connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO humble")
        connection.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO humble")
    humble = PostgresBroker(postgres_url.replace("postgres@", "humble@"))
    subscription = humble.queue("q").subscribe("humble", 10)
    subscription.ack(subscription.receive(1, 3))
    subscription.close()
    assert owner.queue("q").size().total == 0
    humble.close()
    owner.close()


def test_tables_that_are_dropped_are_made_anew(postgres_url):
    broker = PostgresBroker(postgres_url, heartbeat_timeout=0.6)
    queue = broker.queue("q")
    subscription = queue.subscribe("consumer", 10)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP TABLE fsdf_message, fsdf_queue, fsdf_consumer")
    queue.send([OutgoingMessage(b"1")])
    got = []
    deadline = time.monotonic() + 10
    while not got and time.monotonic() < deadline:
        subscription.reconnect()
        got = subscription.receive(1, 0.5)
    assert [delivery.body for delivery in got] == [b"1"]
    subscription.ack(got)
    subscription.close()
    assert queue.size().total == 0
    broker.close()


def test_an_idle_consumer_notices_a_delayed_message_and_takes_it_in_time(postgres_url):
    broker = PostgresBroker(postgres_url)
    queue = broker.queue("q")
    subscription = queue.subscribe("consumer", 10)
    sent = []

    def send():
        queue.send([OutgoingMessage(b"1", delay=0.5)])
        sent.append(time.monotonic())

    timer = threading.Timer(0.3, send)
    timer.start()
    assert len(subscription.receive(1, 8)) == 1
    assert 0.4 < time.monotonic() - sent[0] < 1.0
    timer.join()
    subscription.close()
    broker.close()


def test_notifications_that_come_with_an_answer_are_not_missed(postgres_url):
    broker = PostgresBroker(postgres_url)
    queue = broker.queue("q")
    subscription = queue.subscribe("consumer", 10)
    longest = 0.0
    for number in range(150):
        sender = threading.Thread(target=queue.send, args=([OutgoingMessage(b"%d" % number)],))
        began = time.monotonic()
        sender.start()
        subscription.ack(subscription.receive(1, 8))
        longest = max(longest, time.monotonic() - began)
        sender.join()
    assert longest < 2
    assert queue.size().total == 0
    subscription.close()
    broker.close()
