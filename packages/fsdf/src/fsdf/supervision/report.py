"""What a worker process tells its supervisor, twice a second."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

EVERY = 0.5
"""Seconds between two reports."""


@dataclass(frozen=True)
class Report:
    """One look at a worker process.

    Attributes:
        consuming: it has subscribed to its queues.
        in_flight: messages taken and not yet finished.
        finished: messages finished since its start.
        workers: calls that may run at once.
        turns: grows while the threads that move messages do; one number for each thread.
        threads_alive: none of these threads has died.
        memory: resident bytes; None if not known.
        clean: False after a drain that left tasks running.
        trouble: why it cannot start; empty if nothing is wrong.
        retired: somebody has told all its consumers to end, so it ends.
    """

    consuming: bool = False
    in_flight: int = 0
    finished: int = 0
    workers: int = 0
    turns: tuple[int, ...] = ()
    threads_alive: bool = True
    memory: int | None = None
    clean: bool = True
    trouble: str = ""
    retired: bool = False

    def encode(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(asdict(self))

    @classmethod
    def decode(cls, data: bytes) -> Report:
        """Read it from JSON."""
        fields = orjson.loads(data)
        return cls(**{**fields, "turns": tuple(fields["turns"])})
