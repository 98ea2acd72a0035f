"""What tests of single controls share."""

import datetime
import logging
import threading
import zoneinfo

import pytest

from fsdf_control.scheduling import Schedule, ScheduleBook, Scheduler, Trigger
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.host import Host
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import SoloExecutor

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
BEGIN = datetime.datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN).timestamp()


@pytest.fixture
def host():
    """Builds what a control sees of a consumer; `abandoned` gets the calls that it gives up."""

    def build(abandoned=None):
        return Host(
            queue=MemoryBroker().queue("q"),
            consumer_id="c",
            pool=SoloExecutor(),
            clock=SYSTEM_CLOCK,
            logger=logging.getLogger("fsdf.q"),
            stopping=threading.Event(),
            wake=lambda: None,
            abandon=lambda message, error: abandoned.append((message, error)) if abandoned is not None else None,
        )

    return build


class World:
    """A store, a clock, and schedulers as separate processes would have them."""

    begin = BEGIN

    def __init__(self):
        self.clock = ManualClock(BEGIN)
        self.store = MemoryStateStore(self.clock)
        self.book = ScheduleBook(self.store)
        self.published = []
        self.failing = set()

    def scheduler(self, name="a"):
        def publish(schedule, task_id):
            if schedule.id in self.failing:
                raise BrokerUnavailable("gone")
            self.published.append((name, schedule.id, self.clock.time() - BEGIN, task_id))

        return Scheduler(ScheduleBook(self.store), publish, clock=self.clock)

    def add(self, name="job", *, replace=False, **options):
        trigger = options.pop("trigger", None) or Trigger.of(
            "interval", "Europe/Berlin", seconds=10, start_date=self.local(12, 0, 10)
        )
        return self.book.add(Schedule(name, "q", trigger, **options), self.clock.time(), replace=replace)

    def run(self, seconds, *schedulers, step=1.0):
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            for scheduler in schedulers:
                scheduler.turn()

    def times(self, name="job"):
        return [round(when) for _, job, when, _ in self.published if job == name]

    @staticmethod
    def local(hour, minute=0, second=0, day=2, month=3):
        return datetime.datetime(2026, month, day, hour, minute, second, tzinfo=BERLIN)


@pytest.fixture
def world():
    return World()
