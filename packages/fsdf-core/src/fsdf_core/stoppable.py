"""The contract of what the end of a process stops."""

from typing import Protocol


class Stoppable(Protocol):
    """A consumer, or what looks after worker processes."""

    @property
    def name(self) -> str:
        """For threads and messages."""
        ...

    @property
    def grace(self) -> float:
        """Seconds for running tasks."""
        ...

    def stop(self, timeout: float | None = None) -> bool:
        """Let running tasks end within `timeout` seconds, `grace` if None; return whether all did."""
        ...
