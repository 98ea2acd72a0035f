"""Every test has its own settings, queue and home; consumers that it leaves running are stopped."""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from tests.servers.script import Script

import fsdf_core.settings
from fsdf import BoosterParams, BrokerEnum
from fsdf_core import lifecycle
from fsdf_core.codec import as_sent
from fsdf_core.waiting import wait_until

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
    """Decorates on a queue of its own in memory; in the mode that `FSDF_TESTS_MODE` names, unless another is given."""
    usual: dict[str, Any] = {"broker_kind": BrokerEnum.MEMORY_QUEUE}
    if mode := os.environ.get("FSDF_TESTS_MODE"):
        usual["concurrent_mode"] = mode

    def make(function: Callable[..., Any], **params: Any) -> Booster[..., Any]:
        return BoosterParams(**{"queue_name": f"queue-{next(_numbers)}", **usual, **params})(function)

    return make


class Happened:
    """Collects what ran; `expect(n)` waits for n."""

    def __init__(self) -> None:
        self.what: list[Any] = []
        self.when: list[float] = []
        self.changed = threading.Condition()

    def __call__(self, what: Any) -> None:
        with self.changed:
            self.what.append(what)
            self.when.append(time.time())
            self.changed.notify_all()

    def expect(self, count: int) -> list[Any]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.what) >= count, 10), self.what
        return self.what


@pytest.fixture
def happened() -> Happened:
    """What a task's function tells."""
    return Happened()


@pytest.fixture(params=[BrokerEnum.MEMORY_QUEUE, BrokerEnum.SQLITE_QUEUE])
def kind(request: pytest.FixtureRequest) -> str:
    """An embedded broker."""
    return str(request.param)


@pytest.fixture
def emptied() -> Callable[[Booster[..., Any]], bool]:
    """Waits until nothing is left on a task's queue; False if that takes too long."""
    return lambda task: wait_until(lambda: not task.publisher.queue().size().total, 10, 0.01)


@pytest.fixture
def bodies() -> Callable[[Booster[..., Any]], list[dict[str, Any]]]:
    """Takes everything from a task's queue and returns it as it would travel."""

    def take(task: Booster[..., Any]) -> list[dict[str, Any]]:
        subscription = task.publisher.queue().subscribe("test", 100)
        deliveries = subscription.receive(1000, 0.0)
        subscription.ack(deliveries)
        subscription.close()
        return [dict(as_sent(delivery.body)) for delivery in deliveries]  # type: ignore[arg-type]

    return take


@pytest.fixture
def ran():
    """What tasks report."""
    return queue.SimpleQueue()


@pytest.fixture
def start_script(tmp_path: Path) -> Iterator[Callable[[str], Script]]:
    """Starts scripts, ends what is left of them."""
    started: list[Script] = []

    def start(source: str) -> Script:
        started.append(Script(tmp_path, source))
        return started[-1]

    yield start
    for each in started:
        each.close()
