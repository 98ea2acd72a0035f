"""Broker kinds and concurrent modes: members, aliases, numbers and values of old versions."""

from __future__ import annotations

import pytest

from fsdf import BoosterParams, BrokerEnum, ConcurrentModeEnum, register_custom_broker
from fsdf.broker_kind import resolve_broker_kind
from fsdf_core import registry
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.errors import ConfigurationError, MissingDependency, UnknownName, UnsupportedFeature


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (BrokerEnum.SQLITE_QUEUE, "SQLITE_QUEUE"),
        ("sqlite3", "SQLITE_QUEUE"),
        (BrokerEnum.LOCAL_PYTHON_QUEUE, "MEMORY_QUEUE"),
        ("FASTEST_MEM_QUEUE", "MEMORY_QUEUE"),
        ("RABBITMQ", "RABBITMQ"),
        (BrokerEnum.RABBITMQ, "RABBITMQ"),
        ("reids_ack_using_timeout", "REDIS_ACK_USING_TIMEOUT"),
        ("RedisBrpopLpush", "REDIS_BRPOP_LPUSH"),
        (BrokerEnum.RedisBrpopLpush, "REDIS_BRPOP_LPUSH"),
        ("CONFLUENT_KAFKA", "KAFKA_CONFLUENT"),
        ("KAFKA_CONFLUENT_SASlPlAIN", "KAFKA_CONFLUENT_SASL_PLAIN"),
        ("SQLACHEMY", "SQLALCHEMY"),
        (0, "RABBITMQ_AMQPSTORM"),
        (2, "REDIS"),
        (3, "MEMORY_QUEUE"),
        (6, "PERSISTQUEUE"),
        (9, "REDIS_ACK_ABLE"),
        (14, "REDIS_BRPOP_LPUSH"),
        (24, "NATS_CORE"),
        (25, "TXT_FILE"),
    ],
)
def test_kinds_resolve_to_entry_point_names(given, kind):
    assert resolve_broker_kind(given) == kind
    assert BoosterParams(queue_name="q", broker_kind=given).broker_kind == kind


def test_a_kind_prints_as_its_name():
    assert f"{BrokerEnum.SQLITE_QUEUE} {ConcurrentModeEnum.SOLO}" == "SQLITE_QUEUE single_thread"
    assert {BrokerEnum.SQLITE_QUEUE, BrokerEnum.PERSISTQUEUE, BrokerEnum.MEMORY_QUEUE}.__len__() == 3


@pytest.mark.parametrize(
    ("given", "message"), [("REDIS_STREEM", "Did you mean 'REDIS_STREAM'"), (19, "number 19"), (99, "number")]
)
def test_an_unknown_kind_is_refused_at_decoration(given, message):
    with pytest.raises(UnknownName, match=message):
        BoosterParams(queue_name="q", broker_kind=given)


def test_a_kind_of_a_later_version_is_refused_at_first_use(decorate):
    task = decorate(lambda x: x, broker_kind=BrokerEnum.EMPTY)
    with pytest.raises(UnsupportedFeature, match="EMPTY comes with a later version.*installed:.*MEMORY_QUEUE"):
        task.push(1)
    with pytest.raises(UnsupportedFeature, match="later version"):
        task.consume()


def test_a_kind_without_its_library_names_the_cure(decorate, monkeypatch):
    def get(name: str) -> None:
        raise MissingDependency(f"the broker {name!r} needs the library 'x': pip install fsdf[x]")

    monkeypatch.setattr(registry.brokers, "get", get)
    with pytest.raises(MissingDependency, match=r"pip install fsdf\[x\]"):
        decorate(lambda x: x).push(1)


def test_the_setting_names_the_broker_of_tasks_that_name_none(decorate, monkeypatch):
    monkeypatch.setenv("FSDF_BROKER", "LOCAL_PYTHON_QUEUE")
    task = decorate(lambda x: x, broker_kind=None)
    assert type(task.publisher.queue().broker) is MemoryBroker


def test_one_broker_serves_all_tasks_of_a_kind(decorate):
    brokers = {decorate(lambda: 0).publisher.queue().broker for _ in range(3)}
    assert len(brokers) == 1


def test_broker_options_reach_the_queue_and_are_checked(decorate):
    task = decorate(lambda x: x, broker_exclusive_config={"maxsize": 1, "put_timeout": 0.01})
    task.push(1)
    with pytest.raises(Exception, match="maxsize of 1"):
        task.push(2)
    with pytest.raises(ConfigurationError, match="no option 'max_size'. Did you mean 'maxsize'"):
        decorate(lambda x: x, broker_exclusive_config={"max_size": 1}).push(1)


@pytest.mark.parametrize(
    ("given", "mode"),
    [(1, "threading"), (5, "single_thread"), ("SOLO", "single_thread"), ("RAY", "ray"), ("process",) * 2],
)
def test_modes_resolve(given, mode):
    assert BoosterParams(queue_name="q", concurrent_mode=given).concurrent_mode == mode


@pytest.mark.parametrize(("given", "message"), [("treading", "Did you mean 'threading'"), (7, "number 7")])
def test_unknown_modes_are_refused(given, message):
    with pytest.raises(UnknownName, match=message):
        BoosterParams(queue_name="q", concurrent_mode=given)


def test_a_custom_broker_is_used_by_its_name(decorate):
    class Mine(MemoryBroker):
        @classmethod
        def from_settings(cls, settings):
            return cls()

    register_custom_broker("MINE", Mine)
    task = decorate(lambda x: x, broker_kind="MINE")
    task.push(1)
    assert type(task.publisher.queue().broker) is Mine
    with pytest.raises(ConfigurationError, match="subclass of fsdf_core.broker.Broker"):
        register_custom_broker("MINE", object)


def test_options_of_older_versions_that_are_not_needed_warn(decorate):
    task = decorate(lambda x: x, broker_exclusive_config={"pull_msg_batch_size": 100, "maxsize": 5})
    with pytest.warns(DeprecationWarning, match="'pull_msg_batch_size' has no effect"):
        task.push(1)
    assert task.publisher.queue().options["maxsize"] == 5
