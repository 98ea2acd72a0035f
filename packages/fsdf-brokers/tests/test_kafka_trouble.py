"""Kafka: the errors that a user can meet."""

import logging
import os
import uuid

import pytest
from tests.servers.kafka_server import PASSWORD, USER
from tests.servers.messages import send
from tests.servers.process import free_port

from fsdf_brokers.kafka.address import properties, shown
from fsdf_brokers.kafka.broker import KafkaConfluentBroker, KafkaSaslBroker
from fsdf_core.errors import BrokerError, BrokerUnavailable, ConfigurationError
from fsdf_core.testing.conformance.receiving import receive


@pytest.fixture
def name():
    return f"trouble-{uuid.uuid4().hex}"


def test_unreachable_server_is_one_clear_error(name, capfd):
    broker = KafkaConfluentBroker(f"sasl_plaintext://me:secret@127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnavailable, match=r"me:\*\*\*@127.*FSDF_KAFKA_BOOTSTRAP_SERVERS") as caught:
        send(broker.queue(name), b"{}")
    assert "secret" not in str(caught.value)
    broker.close()
    assert capfd.readouterr() == ("", "")


def test_wrong_password_is_one_clear_error(kafka_server, name, caplog):
    caplog.set_level(logging.DEBUG)
    broker = KafkaSaslBroker(f"sasl_plaintext://{USER}:wrong-one@{kafka_server.sasl_bootstrap}")
    for action in (lambda: send(broker.queue(name), b"{}"), lambda: broker.queue(name).subscribe("c", 1)):
        with pytest.raises(ConfigurationError, match="FSDF_KAFKA_BOOTSTRAP_SERVERS") as caught:
            action()
        assert "wrong-one" not in str(caught.value)
    broker.close()
    assert "wrong-one" not in caplog.text


@pytest.mark.parametrize("by_option", [False, True])
def test_credentials_open_the_door_and_reach_the_dead_letters(kafka_server, name, by_option):
    if by_option:
        broker = KafkaSaslBroker(kafka_server.sasl_bootstrap)
        config = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": USER,
            "sasl.password": PASSWORD,
        }
        queue = broker.queue(name, config=config)
    else:
        broker = KafkaSaslBroker(f"sasl_plaintext://{USER}:{PASSWORD}@{kafka_server.sasl_bootstrap}")
        queue = broker.queue(name)
    for one in (queue, broker.queue(f"{name}_dlx")):
        send(one, b"1")
        subscription = one.subscribe("c", 1)
        subscription.ack(receive(subscription, 1))
        subscription.close()
        assert one.size().total == 0
    broker.close()


def test_the_kind_with_credentials_needs_some(kafka_bootstrap, name):
    with pytest.raises(ConfigurationError, match="needs credentials"):
        KafkaSaslBroker(kafka_bootstrap).queue(name)


@pytest.mark.parametrize("name", ["", "a b", "ümläut", "x" * 250, ".", "a/b"])
def test_a_name_that_no_topic_can_have(kafka_bootstrap, name):
    with pytest.raises(ConfigurationError, match="queue_name"):
        KafkaConfluentBroker(kafka_bootstrap).queue(name)


@pytest.mark.parametrize(
    "address", ["", " ", "user:secret@host:1", "redis://u:secret@host", "kafka://u:secret@host", "sasl_ssl://u:secret@"]
)
def test_bad_address_is_one_clear_error(address):
    with pytest.raises(ConfigurationError, match="FSDF_KAFKA_BOOTSTRAP_SERVERS") as caught:
        KafkaConfluentBroker(address)
    assert "secret" not in str(caught.value)


def test_an_address_says_everything():
    known = properties("sasl_ssl://me:p%40ss@a:1,b:2?sasl.mechanism=SCRAM-SHA-256&ssl.ca.location=/ca.pem")
    assert known == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "me",
        "sasl.password": "p@ss",
        "ssl.ca.location": "/ca.pem",
    }
    assert shown(known) == "me:***@a:1,b:2"
    assert properties("a:1") == {"bootstrap.servers": "a:1"}


@pytest.mark.parametrize("config", [{"no.such.property": "1"}, {"security.protocol": "nonsense"}])
def test_bad_properties_are_one_clear_error(kafka_bootstrap, name, config):
    with pytest.raises(ConfigurationError, match="properties"):
        send(KafkaConfluentBroker(kafka_bootstrap).queue(name, config=config), b"1")


def test_more_copies_than_servers_is_one_clear_error(kafka_bootstrap, name):
    with pytest.raises(ConfigurationError, match="topic"):
        send(KafkaConfluentBroker(kafka_bootstrap).queue(name, replication_factor=3), b"1")


def test_a_message_too_large_is_one_clear_error(kafka_bootstrap, name):
    queue = KafkaConfluentBroker(kafka_bootstrap).queue(name)
    with pytest.raises(BrokerError, match=r"max\.message\.bytes"):
        send(queue, b"x" * 2_000_000)
    send(queue, b"small")
    assert queue.size().ready == 1


def test_short_sessions_that_the_server_does_not_allow_become_longer(launch_kafka, name):
    server = launch_kafka(options={"group.min.session.timeout.ms": "6000"})
    broker = KafkaConfluentBroker(server.bootstrap, heartbeat_timeout=1)
    queue = broker.queue(name)
    send(queue, b"1")
    subscription = queue.subscribe("c", 1)
    subscription.ack(receive(subscription, 1))
    subscription.close()
    broker.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_has_connections_of_its_own(kafka_bootstrap, name):
    queue = KafkaConfluentBroker(kafka_bootstrap).queue(name)
    send(queue, b"parent")
    child = os.fork()
    if not child:
        status = 1
        try:
            send(queue, b"child")
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert queue.size().ready == 2
