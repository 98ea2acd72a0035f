"""Schedules: triggers as data, what is due, who publishes, what is made up for."""

import datetime
import logging
import threading
import zoneinfo

import pytest

from fsdf_control.scheduling import Schedule, ScheduleBook, Scheduler, Trigger
from fsdf_control.scheduling.schedule import derived_id
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, UnknownName
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


@pytest.fixture
def world():
    return World()


def test_an_interval_fires_on_time(world):
    assert world.add()
    world.run(45, world.scheduler())
    assert world.times() == [10, 20, 30, 40]


def test_a_date_fires_once_and_is_gone(world):
    world.add(trigger=Trigger.of("date", "Europe/Berlin", run_date="2026-03-02 12:00:05"))
    world.run(20, world.scheduler())
    assert world.times() == [5]
    assert world.book.all() == {}
    assert world.book.next_times() == {}


def test_a_date_that_is_past_is_not_added(world):
    assert not world.add(trigger=Trigger.of("date", "Europe/Berlin", run_date="2020-07-24 13:53:06"))
    assert world.book.all() == {}


def test_cron_in_its_time_zone(world):
    world.add(trigger=Trigger.of("cron", "Asia/Shanghai", hour=19, minute="0,1", second=30))
    world.run(120, world.scheduler())
    assert world.times() == [30, 90]


def test_of_many_processes_one_publishes(world):
    world.add()
    first, second = world.scheduler("a"), world.scheduler("b")
    world.run(30, first, second)
    assert world.times() == [10, 20, 30]
    assert {name for name, *_ in world.published} == {"a"}
    assert (first.leads, second.leads) == (True, False)
    # a dies: no release. Its lease ends, the other takes over within 5 s.
    world.run(30, second)
    assert world.times() == [10, 20, 30, 40, 50, 60]
    assert second.leads


def test_a_stop_hands_over_at_once(world):
    world.add()
    first, second = world.scheduler("a"), world.scheduler("b")
    world.run(10, first, second)
    first.start()
    first.stop()
    second.turn()
    assert second.leads


def test_a_takeover_loses_nothing(world):
    trigger = Trigger.of("interval", "Europe/Berlin", seconds=1, start_date=local(12, 0, 1))
    world.add(trigger=trigger)
    world.run(5, world.scheduler("a"))
    world.run(10, world.scheduler("b"))  # a is dead, and its lease has not ended yet
    assert len(world.times()) == 15
    assert len({task_id for *_, task_id in world.published}) == 15


def test_who_stood_still_before_publishing_publishes_nothing_twice(world):
    world.add()
    first, second = world.scheduler("a"), world.scheduler("b")
    world.run(9, first)
    add = world.store.add

    def freeze(*arguments):
        marked = add(*arguments)
        world.store.add = add
        world.clock.advance(6)  # say by SIGSTOP; the other one takes over
        second.turn()
        return marked

    world.store.add = freeze
    world.clock.advance(1)
    first.turn()
    assert len(world.published) == 1
    assert world.published[0][0] == "b"


def test_a_job_replaced_while_it_is_published_keeps_its_new_time(world):
    world.add()
    scheduler = world.scheduler()
    publish = scheduler._publish

    def replaced_meanwhile(schedule, task_id):
        publish(schedule, task_id)
        later = Trigger.of("interval", "Europe/Berlin", hours=1, start_date=local(13))
        world.add(trigger=later, replace=True)

    scheduler._publish = replaced_meanwhile
    world.run(10, scheduler)
    assert world.book.next_times() == {"job": local(13).timestamp()}
    scheduler._publish = publish
    world.run(100, scheduler)
    assert world.times() == [10]


def test_a_death_between_publishing_and_the_mark_shows_the_same_task_id(world):
    world.add()
    first, second = world.scheduler("a"), world.scheduler("b")
    world.run(9, first)
    original = world.store.set
    world.store.set = lambda *_: (_ for _ in ()).throw(SystemExit)
    world.clock.advance(1)
    with pytest.raises(SystemExit):
        first.turn()
    world.store.set = original
    world.clock.advance(5)
    second.turn()
    (_, _, _, one), (_, _, _, other) = world.published
    assert one == other
    world.run(15, second)
    assert len({task_id for *_, task_id in world.published}) == 3  # at 10 (twice), 20 and 30 s


@pytest.mark.parametrize(
    ("catch_up", "grace", "expected"),
    [
        ("one", None, [60]),
        ("all", None, [60] * 6),
        ("none", None, []),
        ("all", 25, [60] * 3),
        ("one", 25, [60]),
    ],
)
def test_times_missed_while_nobody_ran(world, catch_up, grace, expected):
    world.add(catch_up=catch_up, misfire_grace_time=grace)
    world.clock.advance(60)
    world.scheduler().turn()
    assert world.times() == expected
    world.clock.advance(4)
    world.run(6, world.scheduler("b"))
    assert world.times() == [*expected, 70]


def test_after_a_long_outage_one_is_one(world):
    world.add(trigger=Trigger.of("interval", "Europe/Berlin", seconds=1, start_date=local(12)))
    world.clock.advance(86_400.5)
    scheduler = world.scheduler()
    for _ in range(5):
        scheduler.turn()
    assert world.times() == [86_400]


def test_what_is_too_late_is_dropped(world):
    world.add(misfire_grace_time=2)
    world.clock.advance(14)
    scheduler = world.scheduler()
    scheduler.turn()
    assert world.times() == []
    world.run(6, scheduler)
    assert world.times() == [20]


def test_pause_resume_and_remove_from_elsewhere(world):
    world.add()
    scheduler, elsewhere = world.scheduler(), ScheduleBook(world.store)
    world.run(10, scheduler)
    elsewhere.pause("job")
    world.run(25, scheduler)
    assert world.times() == [10]
    elsewhere.resume("job", world.clock.time())
    world.run(10, scheduler)
    assert world.times() == [10, 40]
    assert elsewhere.remove("job")
    world.run(20, scheduler)
    assert world.times() == [10, 40]
    assert not elsewhere.remove("job")
    for act in (elsewhere.pause, elsewhere.get, lambda name: elsewhere.resume(name, 0.0)):
        with pytest.raises(UnknownName, match="no schedule 'job'"):
            act("job")


def test_a_paused_process_leaves_the_work_to_others(world):
    world.add()
    first, second = world.scheduler("a"), world.scheduler("b")
    world.run(5, first, second)
    first.pause()
    world.run(30, first, second)
    assert {name for name, *_ in world.published} == {"b"}
    second.pause()
    first.resume()
    world.run(30, second, first)
    assert world.published[-1][0] == "a"


def test_ids(world):
    world.add(arguments={"x": 1})
    with pytest.raises(ConfigurationError, match="replace_existing=True"):
        world.add(arguments={"x": 2})
    scheduler = world.scheduler()
    world.run(15, scheduler)
    world.add(arguments={"x": 1}, replace=True)  # unchanged: goes on where it was
    assert world.book.next_times()["job"] - BEGIN == 20
    world.add(arguments={"x": 2}, replace=True)
    assert world.book.get("job").arguments == {"x": 2}
    trigger = Trigger.of("interval", "UTC", hours=1)
    assert derived_id("q", trigger, {"x": 1}) == derived_id("q", Trigger.of("interval", "UTC", hours=1), {"x": 1})
    assert derived_id("q", trigger, {"x": 1}) != derived_id("q", trigger, {"x": 2})


def test_an_interval_added_anew_at_each_start_keeps_its_beat(world):
    def add():
        world.add(trigger=Trigger.of("interval", "Europe/Berlin", days=1), replace=True)
        return world.book.next_times()["job"]

    first = add()
    world.clock.advance(3600)
    assert add() == first


def test_one_that_cannot_be_published_keeps_no_other_back_and_is_tried_again(world, caplog):
    world.add("bad")
    world.add("good")
    world.failing.add("bad")
    scheduler = world.scheduler()
    with caplog.at_level(logging.ERROR, "fsdf"):
        world.run(15, scheduler)
    assert world.times("good") == [10]
    assert world.times("bad") == []
    assert caplog.text.count("schedule bad cannot be published") == 1
    world.failing.clear()
    world.run(1, scheduler)
    assert world.times("bad") == [16]


def test_what_cannot_be_read_is_left_out(world, caplog):
    world.add()
    world.store.hash_set("fsdf:schedules:default", {"odd": b"\x80", "older": b'{"id": "older"}'})
    world.store.hash_set("fsdf:schedules:default:next", {"odd": b"soon"})
    world.run(10, world.scheduler())
    assert world.times() == [10]
    assert "schedule odd cannot be read" in caplog.text


def test_a_store_that_is_away_is_waited_for(world, caplog):
    world.add()
    scheduler = world.scheduler()
    back, tried = threading.Event(), threading.Event()
    acquire = world.store.acquire

    def flaky(*arguments):
        tried.set()
        if not back.is_set():
            raise BrokerUnavailable("gone")
        return acquire(*arguments)

    world.store.acquire = flaky
    with caplog.at_level(logging.INFO, "fsdf"):
        scheduler.start()
        try:
            assert tried.wait(5)
            back.set()
            pause = threading.Event()
            for _ in range(500):
                if scheduler.leads:
                    break
                pause.wait(0.01)
            assert scheduler.leads
        finally:
            scheduler.stop()
    assert "schedules cannot run now" in caplog.text
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fsdf-schedule")]
