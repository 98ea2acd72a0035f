"""funboost on the queue of the test, and fsdf's own process state."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

import fsdf_core.settings
from fsdf import Booster, BoosterParams
from fsdf_core import lifecycle
from tests.interop import funboost_environment
from tests.interop.funboost_process import Funboost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = {
    "REDIS": "REDIS",
    "REDIS_ACK_ABLE": "REDIS_ACK_ABLE",
    "REDIS_STREAM": "REDIS_STREAM",
    "RABBITMQ": "RABBITMQ_AMQPSTORM",
    "KAFKA_CONFLUENT": "KAFKA_CONFLUENT",
}
"""Kinds of fsdf, and what funboost calls those that share a queue with them."""

_SERVICES = {
    "REDIS": ("redis_url", "FSDF_REDIS_URL"),
    "RABBITMQ": ("rabbitmq_url", "FSDF_RABBITMQ_URL"),
    "KAFKA": ("kafka_bootstrap", "FSDF_KAFKA_BOOTSTRAP_SERVERS"),
}
"""By the start of a kind: the fixture with its server's address, and fsdf's setting for that."""


@pytest.fixture(scope="session")
def funboost_python() -> Path:
    """The interpreter that has funboost; skips, or fails on CI, if it cannot be installed."""
    return funboost_environment.need()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A broker kind whose queues both can use."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str) -> str:
    """The address of the kind's server."""
    return str(request.getfixturevalue(_SERVICES[kind.partition("_")[0]][0]))


@pytest.fixture
def queue_name() -> str:
    """A queue that no other test uses."""
    return f"interop-{uuid.uuid4().hex}"


@pytest.fixture
def funboost(funboost_python: Path, tmp_path: Path, redis_url: str, url: str, kind: str, queue_name: str) -> Funboost:
    """funboost on the queue."""
    folder = tmp_path / "funboost"
    folder.mkdir()
    return Funboost(funboost_python, folder, {redis_url, url}, KINDS[kind], queue_name)


@pytest.fixture
def decorate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, kind: str, queue_name: str
) -> Iterator[Callable[..., Booster[..., Any]]]:
    """Makes a function an fsdf task on the queue; its consumer is stopped in the end."""
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSDF_HANDLE_SIGNALS", "0")
    monkeypatch.setenv("FSDF_TIMEZONE", "UTC")
    monkeypatch.setenv(_SERVICES[kind.partition("_")[0]][1], url)
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    monkeypatch.setattr(fsdf_core.settings, "_patches", {})

    def make(function: Callable[..., Any], **params: Any) -> Booster[..., Any]:
        group = {"group_id": queue_name} if kind.startswith("KAFKA") else {}
        return BoosterParams(
            queue_name=queue_name, broker_kind=kind, concurrent_num=5, broker_exclusive_config=group, **params
        )(function)

    yield make
    assert lifecycle.stop_all(10.0)
