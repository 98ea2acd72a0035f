"""What a driver supplies: one system on one transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path


class Setting(NamedTuple):
    """The same for every system of a run.

    Attributes:
        transport: one of `benchmarks.systems.TRANSPORTS`.
        workers: threads that may run tasks.
        folder: empty, for files; deleted afterwards.
        task: what is to run, a function of two integers.
        queue: a name that no other phase uses.
        address: of the transport's server, as a URL or `host:port`; empty where there is none.
        confirm: whether to wait until the server has each message; not when publishing only makes a backlog.
        mode: THREADING, ASYNC, GEVENT or EVENTLET; for ASYNC the task is `async def`.
        records: URL of a database; then results are sent back, and what became of each task is recorded there.
    """

    transport: str
    workers: int
    folder: Path
    task: Callable[[int, int], Any]
    queue: str = "bench"
    address: str = ""
    confirm: bool = True
    mode: str = "THREADING"
    records: str = ""


class Driver(ABC):
    """A system with an empty queue and no worker yet; built with a `Setting`."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def publish(self, numbers: Iterable[int]) -> None:
        """Publish a message for each number as the task's first argument, one call each; the second is 2."""

    publish_bulk: Callable[[int], None] | None = None
    """Publish that many messages with one call; None where the system has no such call."""

    @abstractmethod
    def start(self) -> None:
        """Start the worker; return at once."""
