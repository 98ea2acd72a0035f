"""`fsdf doctor` asks real servers for their versions."""

import json

import pytest

from fsdf_cli.checkup import versions
from fsdf_cli.checkup.servers import Server
from fsdf_cli.mistakes import FAILED

SERVERS = [
    ("redis_url", "REDIS_ACK_ABLE", "FSDF_REDIS_URL", "Redis"),
    ("rabbitmq_url", "RABBITMQ", "FSDF_RABBITMQ_URL", "RabbitMQ"),
    ("kafka_bootstrap", "KAFKA_CONFLUENT", "FSDF_KAFKA_BOOTSTRAP_SERVERS", "Kafka"),
    ("mongodb_url", "MONGOMQ", "FSDF_MONGO_URL", "MongoDB"),
    ("postgres_url", "POSTGRES", "FSDF_SQLALCHEMY_URL", "PostgreSQL"),
    ("mariadb_url", "SQLALCHEMY", "FSDF_SQLALCHEMY_URL", "MariaDB"),
]
AWAY = [
    ("REDIS_ACK_ABLE", "FSDF_REDIS_URL", "redis://:s3cret@127.0.0.1:1/0"),
    ("RABBITMQ", "FSDF_RABBITMQ_URL", "amqp://guest:s3cret@127.0.0.1:1/"),
    ("MONGOMQ", "FSDF_MONGO_URL", "mongodb://me:s3cret@127.0.0.1:1/?serverSelectionTimeoutMS=500"),
    ("POSTGRES", "FSDF_POSTGRES_URL", "postgresql://me:s3cret@127.0.0.1:1/tasks"),
    ("SQLALCHEMY", "FSDF_SQLALCHEMY_URL", "mysql://me:s3cret@127.0.0.1:1/tasks"),
]


def of(findings, subject):
    return [(each["level"], each["detail"]) for each in findings if each["subject"] == subject]


@pytest.mark.parametrize(("kind", "setting", "url"), AWAY, ids=[kind for kind, _, _ in AWAY])
def test_a_server_that_is_away_is_told_once_and_without_its_password(fsdf, monkeypatch, kind, setting, url):
    monkeypatch.setenv("FSDF_BROKER", kind)
    monkeypatch.setenv(setting, url)
    told = fsdf("doctor", "--json", status=FAILED)
    faults = [each["subject"] for each in json.loads(told) if each["level"] == "fault"]
    assert faults == [f"broker {kind}"]
    assert "s3cret" not in told + fsdf.errors


@pytest.mark.parametrize(("fixture", "kind", "setting", "product"), SERVERS, ids=[product for *_, product in SERVERS])
def test_a_server_s_version_is_told(fsdf, monkeypatch, request, fixture, kind, setting, product):
    url = request.getfixturevalue(fixture)
    monkeypatch.setenv("FSDF_BROKER", kind)
    monkeypatch.setenv(setting, url)
    findings = json.loads(fsdf("doctor", "--json"))
    assert of(findings, f"broker {kind}")[0][0] != "fault"
    ((level, detail),) = of(findings, product)
    assert level == "good"
    assert ("answers, with 1 broker;" if product == "Kafka" else "is version ") in detail


def test_stores_are_asked_too_and_each_server_once(fsdf, monkeypatch, postgres_url, mariadb_url):
    monkeypatch.setenv("FSDF_STATE_URL", postgres_url)
    monkeypatch.setenv("FSDF_RECORDS_URL", postgres_url)
    monkeypatch.setenv("FSDF_SQLALCHEMY_URL", mariadb_url)
    monkeypatch.setenv("FSDF_BROKER", "SQLALCHEMY")
    findings = json.loads(fsdf("doctor", "--json"))
    assert [each["subject"] for each in findings].count("PostgreSQL") == 1
    assert len(of(findings, "MariaDB")) == 1


@pytest.mark.parametrize(
    ("server", "level", "detail"),
    [
        (Server("Redis", "6.0.16", (6, 2)), "risk", "x is version 6.0.16"),
        (Server("Redis", "10.0.1", (6, 2)), "good", "x is version 10.0.1"),
        (Server("RabbitMQ", "3.12.0-rc.1", (3, 12)), "good", "x is version 3.12.0-rc.1"),
        (Server("MySQL", "5.7.44-log", (8, 0)), "risk", "x is version 5.7.44-log"),
        (Server("Redis", "unstable", (6, 2)), "good", "x is version unstable"),
        (Server("Kafka", "", detail="answers"), "good", "x answers"),
    ],
)
def test_versions_are_compared_as_numbers(monkeypatch, server, level, detail):
    monkeypatch.setattr(versions, "asker", lambda _: lambda _: server)
    (finding,) = versions.version_of("redis://x", "x")
    assert (finding.level, finding.detail) == (level, detail)
    assert ("or later" in finding.cure) == (level == "risk")
