"""Every test has its own settings, queue and home; consumers that it leaves running are stopped."""

from __future__ import annotations

import itertools
import queue
from typing import TYPE_CHECKING, Any, Protocol

import pytest

import fsdf_core.settings
from fsdf import BoosterParams, BrokerEnum
from fsdf_core import lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fsdf import Booster

_numbers = itertools.count()


class Decorate(Protocol):
    """Makes a function a task on a memory queue of its own."""

    def __call__(self, function: Callable[..., Any], **params: Any) -> Booster[..., Any]: ...


@pytest.fixture(autouse=True)
def _own_process_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FSDF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FSDF_HANDLE_SIGNALS", "0")
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    monkeypatch.setattr(fsdf_core.settings, "_patches", {})
    yield
    assert lifecycle.stop_all(10.0)


@pytest.fixture
def queue_name() -> str:
    """A queue that no other test uses."""
    return f"queue-{next(_numbers)}"


@pytest.fixture
def decorate() -> Decorate:
    """Decorates on a queue of its own in memory."""

    def make(function: Callable[..., Any], **params: Any) -> Booster[..., Any]:
        given = {"queue_name": f"queue-{next(_numbers)}", "broker_kind": BrokerEnum.MEMORY_QUEUE, **params}
        return BoosterParams(**given)(function)

    return make


@pytest.fixture
def bodies() -> Callable[[Booster[..., Any]], list[dict[str, Any]]]:
    """Takes everything from a task's queue and returns it as it would travel."""

    def take(task: Booster[..., Any]) -> list[dict[str, Any]]:
        subscription = task.publisher.queue().subscribe("test", 100)
        deliveries = subscription.receive(1000, 0.0)
        subscription.ack(deliveries)
        subscription.close()
        return [dict(delivery.body) for delivery in deliveries]  # type: ignore[arg-type]

    return take


@pytest.fixture
def ran():
    """What tasks report."""
    return queue.SimpleQueue()
