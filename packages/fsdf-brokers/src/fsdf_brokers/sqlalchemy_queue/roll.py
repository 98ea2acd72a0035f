"""The roll of a database's consumers, as one of them sees it: its own named session, and the others' signs of life."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple


class Other(NamedTuple):
    """Another consumer.

    Attributes:
        number: its number.
        name: its id.
        silent: seconds since its last heartbeat.
        beat: that heartbeat, to see later whether it came back.
        alive: whether something outside its process says that it lives; None if that cannot be known.
    """

    number: int
    name: str
    silent: float
    beat: float
    alive: bool | None


class Roll(ABC):
    """One consumer's session; used by one thread at a time. All methods but `close` raise BrokerError.

    Attributes:
        grace: seconds that a living consumer may be without its sign of life, while it connects again.
    """

    grace: ClassVar[float]

    @abstractmethod
    def open(self) -> None:
        """Open the session, again after a failure."""

    @abstractmethod
    def close(self) -> None:
        """End the session. Idempotent."""

    @abstractmethod
    def enrol(self, name: str) -> int:
        """Enter a consumer and give its sign of life; return its number, which nobody had before."""

    @abstractmethod
    def keep(self, number: int) -> bool:
        """Write the heartbeat, and give the sign of life if this session does not yet; False if we were buried."""

    @abstractmethod
    def others(self, number: int) -> list[Other]:
        """Return all consumers but this one."""

    @abstractmethod
    def bury(self, other: Other, *, alive: bool) -> int | None:
        """Give back what a consumer claimed, and forget it; `alive`: even if it lives.

        Returns:
            The number of messages; None if it came back, or somebody else has done it.
        """

    @abstractmethod
    def leave(self, number: int) -> None:
        """Give back what this consumer claimed, and forget it."""
