"""The contract of a job store."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from fsdf_control.schedules.job import Job


class JobStore(ABC):
    """Keeps jobs. Thread-safe; every change is atomic, and gives the job a new version.

    Attributes:
        cross_process: other processes see the same jobs.
        retryable_errors: exceptions that mean "not reachable now, try again".
    """

    cross_process: ClassVar[bool]
    retryable_errors: ClassVar[tuple[type[BaseException], ...]] = ()

    @abstractmethod
    def identity(self) -> str:
        """Return a name that is the same for all who use the same jobs, and no other's."""

    @abstractmethod
    def add(self, job: Job) -> bool:
        """Keep a new job; False if its id is taken."""

    @abstractmethod
    def change(self, job: Job, version: int) -> bool:
        """Replace the job of that id if it still has that version; False if not."""

    @abstractmethod
    def remove(self, job_id: str, version: int | None = None) -> bool:
        """Forget a job, if it still has that version (None: any); False if there was no such job."""

    @abstractmethod
    def get(self, job_id: str) -> Job | None:
        """Return a job, or None."""

    @abstractmethod
    def all(self) -> list[Job]:
        """Return all jobs: the next one first, paused ones last."""

    @abstractmethod
    def due(self, until: float) -> list[Job]:
        """Return jobs whose `next_run_time` is at most `until`, in order; cheap, as it is asked every second.

        A job that this version cannot read is left out, and logged once.
        """

    def close(self) -> None:  # noqa: B027 - optional
        """Close all connections. Idempotent; a later use connects again."""


def new_version() -> int:
    """Return a version that no job has had."""
    return secrets.randbits(62)
