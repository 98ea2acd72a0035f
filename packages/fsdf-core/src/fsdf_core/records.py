"""The contract of a record store: what became of each task, for people to look at.

Records are written in batches, off the hot path, and losing the store never stops consumption.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.settings import Settings


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """One task's life. Times are seconds since the epoch.

    Attributes:
        task_id: the message's id; a later record of the same id replaces an earlier one.
        status: "running", "success", "failure", "dropped", "requeued" or "dead-letter".
        attempts: how often it ran.
        worker: the consumer's id.
        context: what the user's task added.
    """

    task_id: str
    queue: str
    function: str
    status: str
    published: float
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    arguments: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    error_type: str = ""
    error: str = ""
    traceback: str = ""
    worker: str = ""
    host: str = ""
    process: int = 0
    script: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records to find; None leaves a field open. Newest first."""

    queue: str | None = None
    status: str | None = None
    task_id: str | None = None
    text: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Count:
    """How many tasks of a queue ended in one second."""

    queue: str
    second: int
    successes: int
    failures: int
    seconds_spent: float


class RecordStore(ABC):
    """Keeps records and per-second counts. Thread-safe."""

    @classmethod
    @abstractmethod
    def from_url(cls, url: str, settings: Settings) -> Self:
        """Build the store that the URL describes; opens no connection yet."""

    @abstractmethod
    def save(self, records: Sequence[TaskRecord]) -> None:
        """Write records; the same task id again replaces."""

    @abstractmethod
    def find(self, query: RecordQuery) -> list[TaskRecord]:
        """Return matching records, newest first."""

    @abstractmethod
    def count(self, counts: Sequence[Count]) -> None:
        """Add to the per-second counts."""

    @abstractmethod
    def counts(self, queue: str | None, since: int, until: int, step: int) -> list[Count]:
        """Return the counts summed in steps of `step` seconds; `second` is each step's start."""

    @abstractmethod
    def prune(self, before: float) -> int:
        """Delete records and counts that ended before the time; return how many records."""

    def close(self) -> None:  # noqa: B027 - optional
        """Close all connections. Idempotent."""
