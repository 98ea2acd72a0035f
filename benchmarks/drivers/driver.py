"""What a driver supplies: one system on one transport."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Setting(NamedTuple):
    """The same for every system of a run.

    Attributes:
        transport: "memory" or "sqlite".
        workers: threads that may run tasks.
        folder: empty, for files; deleted afterwards.
    """

    transport: str
    workers: int
    folder: Path


class Driver(ABC):
    """A system with an empty queue and no worker yet; built with a `Setting`."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    @abstractmethod
    def publish(self, count: int) -> None:
        """Publish that many messages, one call each."""

    publish_bulk: Callable[[int], None] | None = None
    """Publish that many messages with one call; None where the system has no such call."""

    @abstractmethod
    def start(self) -> None:
        """Start the worker; return at once."""
