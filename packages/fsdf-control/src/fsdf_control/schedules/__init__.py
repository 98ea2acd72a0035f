"""Schedules: calls that are published at certain moments, exactly once by any number of processes."""

from fsdf_control.schedules.job import CatchUp, Job
from fsdf_control.schedules.job_store import JobStore
from fsdf_control.schedules.memory_job_store import MemoryJobStore
from fsdf_control.schedules.runner import Publish, Runner
from fsdf_control.schedules.scheduler import Scheduler
from fsdf_control.schedules.sql_job_store import SQLJobStore

__all__ = ["CatchUp", "Job", "JobStore", "MemoryJobStore", "Publish", "Runner", "SQLJobStore", "Scheduler"]
