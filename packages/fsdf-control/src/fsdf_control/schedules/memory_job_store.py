"""Jobs inside one process."""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import uuid
from typing import TYPE_CHECKING

from fsdf_control.schedules.job import encode
from fsdf_control.schedules.job_store import JobStore, new_version

if TYPE_CHECKING:
    from fsdf_control.schedules.job import Job


class MemoryJobStore(JobStore):
    """A dictionary under a lock. Its jobs end with the process; a forked child has its own."""

    cross_process = False

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._identity = uuid.uuid4().hex

    def _renew(self) -> None:
        if self._pid != os.getpid():
            self._begin()

    def identity(self) -> str:
        """Return a random name."""
        self._renew()
        return self._identity

    def add(self, job: Job) -> bool:
        """Keep a new job."""
        self._renew()
        encode(job)  # What other stores refuse is no job here either.
        with self._lock:
            if job.id in self._jobs:
                return False
            self._jobs[job.id] = dataclasses.replace(job, version=new_version())
            return True

    def change(self, job: Job, version: int) -> bool:
        """Replace."""
        self._renew()
        encode(job)
        with self._lock:
            known = self._jobs.get(job.id)
            if known is None or known.version != version:
                return False
            self._jobs[job.id] = dataclasses.replace(job, version=new_version())
            return True

    def remove(self, job_id: str, version: int | None = None) -> bool:
        """Forget."""
        self._renew()
        with self._lock:
            known = self._jobs.get(job_id)
            if known is None or version not in {None, known.version}:
                return False
            del self._jobs[job_id]
            return True

    def get(self, job_id: str) -> Job | None:
        """Return one."""
        self._renew()
        with self._lock:
            return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """Return all."""
        self._renew()
        with self._lock:
            return sorted(self._jobs.values(), key=_order)

    def due(self, until: float) -> list[Job]:
        """Return those due."""
        return [job for job in self.all() if job.next_run_time is not None and job.next_run_time <= until]


def _order(job: Job) -> tuple[float, str]:
    return (math.inf if job.next_run_time is None else job.next_run_time, job.id)
