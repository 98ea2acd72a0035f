"""Schedules: commands from elsewhere, ids, what cannot be published or read."""

import logging
import threading

import pytest

from fsdf_control.scheduling import ScheduleBook, Trigger
from fsdf_control.scheduling.schedule import derived_id
from fsdf_core.errors import BrokerUnavailable, ConfigurationError, UnknownName


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
    assert world.book.next_times()["job"] - world.begin == 20
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
