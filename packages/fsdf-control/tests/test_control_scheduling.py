"""Schedules: triggers as data, what is due, who publishes, what is made up for."""

import pytest

from fsdf_control.scheduling import Trigger


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
    trigger = Trigger.of("interval", "Europe/Berlin", seconds=1, start_date=world.local(12, 0, 1))
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
        later = Trigger.of("interval", "Europe/Berlin", hours=1, start_date=world.local(13))
        world.add(trigger=later, replace=True)

    scheduler._publish = replaced_meanwhile
    world.run(10, scheduler)
    assert world.book.next_times() == {"job": world.local(13).timestamp()}
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
    world.add(trigger=Trigger.of("interval", "Europe/Berlin", seconds=1, start_date=world.local(12)))
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
