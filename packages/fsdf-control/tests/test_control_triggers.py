"""Triggers and schedules as data: what is refused, JSON, time zones, changes of the clocks."""

import datetime
import itertools
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control.scheduling import Schedule, ScheduleBook, Scheduler, Trigger
from fsdf_core.errors import BrokerUnavailable, ConfigurationError
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
BEGIN = datetime.datetime(2026, 3, 2, 12, 0, tzinfo=BERLIN).timestamp()


class World:
    """A store, a clock, and schedulers as separate processes would have them."""

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
            "interval", "Europe/Berlin", seconds=10, start_date=local(12, 0, 10)
        )
        return self.book.add(Schedule(name, "q", trigger, **options), self.clock.time(), replace=replace)

    def run(self, seconds, *schedulers, step=1.0):
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            for scheduler in schedulers:
                scheduler.turn()

    def times(self, name="job"):
        return [round(when) for _, job, when, _ in self.published if job == name]


def local(hour, minute=0, second=0, day=2, month=3):
    return datetime.datetime(2026, month, day, hour, minute, second, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("kind", "arguments", "fault"),
    [
        ("crone", {}, "Did you mean 'cron'"),
        ("interval", {"second": 5}, "Did you mean 'seconds'"),
        ("interval", {}, "give weeks, days"),
        ("interval", {"seconds": -5}, "longer than 0 s"),
        ("cron", {"hour": 25}, "hour"),
        ("cron", {"day_of_week": "someday"}, "someday"),
        ("date", {"run_date": "tomorrow"}, "tomorrow"),
        ("date", {"run_date": 5}, "run_date"),
    ],
)
def test_wrong_triggers_are_refused_when_they_are_made(kind, arguments, fault):
    with pytest.raises(ConfigurationError, match=fault):
        Trigger.of(kind, "UTC", **arguments)


def test_an_unknown_zone_is_refused():
    with pytest.raises(ConfigurationError, match="Mars"):
        Trigger.of("cron", "Mars/Base", hour=1)


def test_wrong_schedules_are_refused():
    trigger = Trigger.of("interval", "UTC", hours=1)
    with pytest.raises(ConfigurationError, match="no JSON data"):
        Schedule("a", "q", trigger, arguments={"x": object()})
    with pytest.raises(ConfigurationError, match="catch_up"):
        Schedule("a", "q", trigger, catch_up="some")
    with pytest.raises(ConfigurationError, match="misfire_grace_time"):
        Schedule("a", "q", trigger, misfire_grace_time=0)


def test_json_and_back():
    schedule = Schedule("a", "q", Trigger.of("cron", "UTC", hour="*/2"), {"x": [1]}, "SQLITE_QUEUE", {"priority": 3})
    assert Schedule.from_json(schedule.to_json()) == schedule


def fires(trigger, begin, count):
    found = [trigger.after(begin)]
    while len(found) < count:
        found.append(trigger.following(found[-1]))
    return found


def test_a_day_without_half_past_two():
    """29 March 2026: at 2:00 the clocks of Berlin show 3:00."""
    trigger = Trigger.of("cron", "Europe/Berlin", hour=2, minute=30)
    moments = fires(trigger, local(12, day=27).timestamp(), 4)
    shown = [datetime.datetime.fromtimestamp(moment, BERLIN).strftime("%d %H:%M") for moment in moments]
    assert shown == ["28 02:30", "29 03:30", "30 02:30", "31 02:30"]


def test_a_day_with_two_half_past_twos():
    """25 October 2026: at 3:00 the clocks of Berlin show 2:00 again."""
    trigger = Trigger.of("cron", "Europe/Berlin", hour=2, minute=30)
    moments = fires(trigger, local(12, day=24, month=10).timestamp(), 3)
    days = [datetime.datetime.fromtimestamp(moment, BERLIN).strftime("%d %H:%M") for moment in moments]
    assert days == ["25 02:30", "25 02:30", "26 02:30"]
    assert moments[1] - moments[0] == 3600


def test_an_interval_of_hours_knows_no_summer_time():
    trigger = Trigger.of("interval", "Europe/Berlin", hours=6, start_date=local(0, day=28))
    moments = fires(trigger, local(0, day=28).timestamp(), 12)
    assert {round(later - earlier) for earlier, later in itertools.pairwise(moments)} == {6 * 3600}


@given(
    minute=st.sampled_from(["*", "*/7", "0,30", "59"]),
    hour=st.sampled_from(["*", "2", "3", "1-3", "*/5"]),
    begin=st.integers(1_767_225_600, 1_798_761_600),  # the year 2026
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]),
)
def test_times_grow_and_match(minute, hour, begin, zone):
    trigger = Trigger.of("cron", zone, minute=minute, hour=hour)
    moments = fires(trigger, begin, 6)
    assert moments == sorted(set(moments))
    for moment in moments:
        shown = datetime.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone))
        assert shown.second == 0
        if minute == "59":
            assert shown.minute == 59
