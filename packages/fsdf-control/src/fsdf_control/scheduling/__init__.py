"""Schedules: calls that are published at certain times, once, by however many processes.

Cron patterns are read by APScheduler's trigger; its scheduler is not used, because it runs each job in every
process that has it, and keeps jobs as pickles, which run code when they are read.
"""

from fsdf_control.scheduling.book import ScheduleBook
from fsdf_control.scheduling.schedule import CatchUp, Schedule
from fsdf_control.scheduling.scheduler import Scheduler
from fsdf_control.scheduling.trigger import Trigger

__all__ = ["CatchUp", "Schedule", "ScheduleBook", "Scheduler", "Trigger"]
