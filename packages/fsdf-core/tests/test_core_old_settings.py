"""Configuration files of older frameworks, and who set what."""

import doctest
import sys

import pytest

from fsdf_core import setting_origins as origins_module
from fsdf_core import settings as module
from fsdf_core.errors import ConfigurationError
from fsdf_core.setting_origins import setting_origins, shown, unknown_names
from fsdf_core.settings import get_settings, patch_frame_config

FUNBOOST = """
import os
from funboost.utils.simple_data_class import DataClassBase
import nb_log
from funboost.constant import *

class BrokerConnConfig(DataClassBase):
    MONGO_CONNECT_URL = 'mongodb://me:pass@mongo:27017/admin'
    RABBITMQ_USER = 'me'
    RABBITMQ_PASS = 'p@ss'
    RABBITMQ_HOST = 'rabbit'
    RABBITMQ_PORT = 5673
    RABBITMQ_VIRTUAL_HOST = ''
    REDIS_HOST = os.environ.get('NOT_SET', 'redis')
    REDIS_PASSWORD = 'secret'
    REDIS_PORT = 6380
    REDIS_DB = 7
    REDIS_URL = f'redis://:{REDIS_PASSWORD}@{REDIS_HOST}:{REDIS_PORT}/{REDIS_DB}'
    KAFKA_BOOTSTRAP_SERVERS = ['a:9092', 'b:9092']
    SQLACHEMY_ENGINE_URL = 'sqlite:////sqlachemy_queues/queues.db'
    SQLLITE_QUEUES_PATH = '/sqllite_queues'
    POSTGRES_DSN = 'host=db dbname=shop user=me password=secret'

class FunboostCommonConfig(DataClassBase):
    NB_LOG_FORMATER_INDEX_FOR_CONSUMER_AND_PUBLISHER = nb_log.formatters[11]
    TIMEZONE = 'Asia/Shanghai'
    LOG_LEVEL = nb_log.nothing()
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_current", None)
    monkeypatch.setattr(module, "_patches", {})
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "LOG_LEVEL", "GRACE"):
        monkeypatch.delenv(f"FSDF_{name}", raising=False)
    sys.modules.pop("fsdf_config", None)
    (tmp_path / "pyproject.toml").touch()
    yield
    sys.modules.pop("fsdf_config", None)


def values(*names):
    settings = get_settings()
    found = (getattr(settings, name) for name in names)
    return [each.get_secret_value() if hasattr(each, "get_secret_value") else each for each in found]


def test_an_old_file_that_cannot_be_run_is_named(tmp_path):
    (tmp_path / "funboost_config.py").write_text("X = 1 / 0")
    with pytest.raises(ConfigurationError, match=r"funboost_config\.py cannot be read: ZeroDivisionError"):
        get_settings()


def test_an_old_file_needs_no_old_framework(tmp_path):
    (tmp_path / "funboost_config.py").write_text(FUNBOOST)
    assert values("mongo_url", "rabbitmq_url", "redis_url", "kafka_bootstrap_servers") == [
        "mongodb://me:pass@mongo:27017/admin",
        "amqp://me:p%40ss@rabbit:5673/%2F",
        "redis://:secret@redis:6380/7",
        "a:9092,b:9092",
    ]
    assert values("sqlalchemy_url", "postgres_url", "timezone", "home") == [
        "sqlite:////sqlachemy_queues/queues.db",
        "postgresql://me:secret@db:5432/shop",
        "Asia/Shanghai",
        tmp_path / ".fsdf",
    ]
    assert not [name for name in sys.modules if name.startswith(("funboost", "nb_log"))]


def test_flat_names_of_the_first_generation(tmp_path):
    (tmp_path / "distributed_frame_config.py").write_text(
        "REDIS_HOST = 'old'\nREDIS_PASSWORD = ''\nREDIS_DB = 3\nDEFAULT_BROKER_KIND = 2\n"
        "SQLLITE_QUEUES_PATH = '/srv/q'\n"
    )
    assert values("redis_url", "broker") == ["redis://old:6379/3", "SQLITE_QUEUE"]
    assert get_settings().home.as_posix() == "/srv/q"
    assert "DEFAULT_BROKER_KIND (distributed_frame_config.py) is a number" in unknown_names()[0]


def test_the_own_file_goes_before_old_ones_and_may_use_their_names(tmp_path):
    (tmp_path / "funboost_config.py").write_text("REDIS_HOST = 'old'\nMONGO_CONNECT_URL = 'mongodb://old'\n")
    (tmp_path / "fsdf_config.py").write_text("REDIS_HOST = 'new'\nDEFAULT_BROKER_KIND = 'REDIS_STREAM'\n")
    assert values("redis_url", "mongo_url", "broker") == ["redis://new:6379/0", "mongodb://old", "REDIS_STREAM"]


def test_a_url_goes_before_its_parts(tmp_path):
    (tmp_path / "fsdf_config.py").write_text("REDIS_HOST = 'parts'\nREDIS_URL = 'redis://url/1'\n")
    assert values("redis_url") == ["redis://url/1"]


def test_who_set_what(tmp_path, monkeypatch):
    (tmp_path / "fsdf_config.py").write_text("GRACE = 7\nREDIS_ULR = 'x'\n")
    (tmp_path / "funboost_config.py").write_text("MONGO_CONNECT_URL = 'mongodb://me:hidden@old'\nNONSENSE = 1\n")
    monkeypatch.setenv("FSDF_HEARTBEAT_TIMEOUT", "9")
    monkeypatch.setenv("FSDF_HEARTBEET", "9")
    patch_frame_config(redis_url="redis://:hidden@host")
    found = {each.name: each for each in setting_origins()}
    assert found["redis_url"][1:3] == ("redis://:***@host", "code")
    assert found["heartbeat_timeout"][1:4] == ("9.0", "environment", "FSDF_HEARTBEAT_TIMEOUT")
    assert found["grace"][1:] == ("7.0", "fsdf_config.py", "GRACE", str(tmp_path / "fsdf_config.py"))
    assert found["mongo_url"][1:4] == ("mongodb://me:***@old", "funboost_config.py", "MONGO_CONNECT_URL")
    assert found["broker"][1:] == ("SQLITE_QUEUE", "default", "", "")
    unknown = "\n".join(unknown_names())
    assert "FSDF_HEARTBEET (environment)" in unknown
    assert "Did you mean 'redis_url'" in unknown
    assert "NONSENSE" not in unknown


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("amqp://guest:guest@h/%2F", "amqp://guest:***@h/%2F"),
        ("postgresql://u:p:w@h/d?sslpassword=x&y=1", "postgresql://u:***@h/d?sslpassword=***&y=1"),
        ("mongodb://h:27017,g:27017", "mongodb://h:27017,g:27017"),
        ("redis://h/0", "redis://h/0"),
    ],
)
def test_passwords_are_masked(url, safe):
    from pydantic import SecretStr

    assert shown(SecretStr(url)) == safe


def test_examples():
    assert doctest.testmod(origins_module).failed == 0
