"""MONGOMQ: what users see when something is wrong, and what mends itself."""

import pytest
from tests.servers.mongodb_server import PASSWORD, USER
from tests.servers.process import free_port

from fsdf_brokers.mongodb.broker import MongoBroker
from fsdf_brokers.states.mongodb import MongoStateStore
from fsdf_core.broker import OutgoingMessage
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, StateUnavailable
from fsdf_core.settings import Settings

QUICK = "serverSelectionTimeoutMS=200"


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", "mongodb:secret", "mongodb://", ""])
def test_what_is_no_url_is_refused_without_showing_it(url):
    with pytest.raises(ConfigurationError, match="FSDF_MONGO_URL is no URL of MongoDB") as caught:
        MongoBroker(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("rest", [":99999/db", "/db?w=0", "/db?replicaSet=a&directConnection=maybe&tls=1&ssl=false"])
def test_parts_of_a_url_that_cannot_be_used(rest):
    broker = MongoBroker(f"mongodb://me:secret@127.0.0.1{rest}")
    with pytest.raises(ConfigurationError, match="FSDF_MONGO_URL") as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)
    broker.close()


def test_a_server_that_is_not_there():
    broker = MongoBroker(f"mongodb://me:secret@127.0.0.1:{free_port()}/db?{QUICK}")
    with pytest.raises(BrokerUnavailable, match=r"is not available.*FSDF_MONGO_URL") as caught:
        broker.queue("q").send([OutgoingMessage(b"1")])
    assert "secret" not in str(caught.value)
    assert len(str(caught.value)) < 300
    with pytest.raises(BrokerUnavailable):
        broker.queue("q").subscribe("consumer", 10)
    broker.close()


def test_a_state_store_that_is_not_there():
    store = MongoStateStore(f"mongodb://me:secret@127.0.0.1:{free_port()}/db?{QUICK}")
    with pytest.raises(StateUnavailable, match=r"is not available.*FSDF_STATE_URL") as caught:
        store.get(["key"])
    assert "secret" not in str(caught.value)
    assert store.wait("channel", 0.1) is True  # unsure
    store.close()


def test_names_that_are_too_long_for_a_state_store():
    store = MongoStateStore("mongodb://127.0.0.1/db")
    with pytest.raises(ConfigurationError, match="longer than 512 bytes"):
        store.set({"k" * 513: b""})


def test_a_user_who_is_refused(launch_mongodb):
    server = launch_mongodb(auth=True)
    good = MongoBroker(f"mongodb://{USER}:{PASSWORD}@127.0.0.1:{server.port}/fsdf")
    good.queue("q").send([OutgoingMessage(b"1")])
    good.close()
    broker = MongoBroker(f"mongodb://{USER}:secret@127.0.0.1:{server.port}/fsdf")
    with pytest.raises(ConfigurationError, match=r"refuses: .*Check user, password") as caught:
        broker.queue("q").size()
    assert "secret" not in str(caught.value)
    broker.close()


def test_the_settings_are_used():
    settings = Settings(mongo_url="mongodb://me:secret@example.org/jobs", heartbeat_timeout=2, lease_limit=40)
    broker = MongoBroker.from_settings(settings)
    assert broker.server.shown == "mongodb://me:***@example.org/jobs"
    assert (broker.heartbeat_timeout, broker.lease_limit) == (2, 40)


def test_queue_options_are_refused():
    with pytest.raises(ConfigurationError, match="no queue options, not table"):
        MongoBroker("mongodb://127.0.0.1").queue("q", table="t")


def test_a_server_that_was_away(launch_mongodb):
    server = launch_mongodb()
    broker = MongoBroker(f"{server.database()}?{QUICK}")
    queue = broker.queue("q")
    queue.send([OutgoingMessage(b"1"), OutgoingMessage(b"2")])
    subscription = queue.subscribe("consumer", 10)
    (first,) = subscription.receive(1, 5)
    server.kill()
    with pytest.raises(BrokerUnavailable):
        subscription.receive(1, 0.1)
    with pytest.raises(BrokerUnavailable):
        queue.send([OutgoingMessage(b"3")])
    server.start()
    subscription.reconnect()
    (second,) = subscription.receive(1, 5)
    assert (first.body, second.body) == (b"1", b"2")
    subscription.ack([first, second])
    assert queue.size().total == 0
    subscription.close()
    broker.close()
