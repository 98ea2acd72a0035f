"""What becomes of ticks that come late."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control.schedules.catch_up import plan
from fsdf_control.schedules.job import Job

MINUTELY = Job("m", "q", "B", "interval", {"minutes": 1, "timezone": "UTC"}, anchor=0.0, next_run_time=600.0)


def test_nothing_is_due_before_its_time():
    assert plan(MINUTELY, 599.9).ticks == []
    assert plan(MINUTELY, 599.9).next_run_time == 600.0


def test_a_tick_is_published_and_the_next_one_planned():
    assert plan(MINUTELY, 600.3) == plan(MINUTELY, 600.0)
    assert plan(MINUTELY, 600.3).ticks == [600.0]
    assert plan(MINUTELY, 600.3).next_run_time == 660.0


@pytest.mark.parametrize("catch_up", ["one", "all", "none"])
def test_ticks_of_a_takeover_are_not_missed(catch_up):
    secondly = dataclasses.replace(MINUTELY, trigger_args={"seconds": 1, "timezone": "UTC"}, catch_up=catch_up)
    assert plan(secondly, 604.5).ticks == [600.0, 601.0, 602.0, 603.0, 604.0]
    assert not plan(secondly, 604.5).dropped


@pytest.mark.parametrize(("catch_up", "ticks"), [("one", [780.0]), ("all", [600.0, 660.0, 720.0, 780.0]), ("none", [])])
def test_after_an_outage_the_policy_counts(catch_up, ticks):
    found = plan(dataclasses.replace(MINUTELY, catch_up=catch_up), 800.0)
    assert found.ticks == ticks
    assert found.next_run_time == 840.0
    assert found.dropped == (catch_up != "all")


@pytest.mark.parametrize(("catch_up", "ticks"), [("one", []), ("all", []), ("none", [])])
def test_what_is_later_than_the_grace_is_dropped_whatever_the_policy(catch_up, ticks):
    found = plan(dataclasses.replace(MINUTELY, catch_up=catch_up, misfire_grace_time=15), 800.0)
    assert (found.ticks, found.next_run_time, found.dropped) == (ticks, 840.0, True)


def test_all_within_the_grace():
    found = plan(dataclasses.replace(MINUTELY, catch_up="all", misfire_grace_time=100), 800.0)
    assert (found.ticks, found.dropped) == ([720.0, 780.0], True)


def test_a_missed_date_runs_unless_told_otherwise():
    once = Job("d", "q", "B", "date", {"run_date": 600, "timezone": "UTC"}, next_run_time=600.0)
    assert plan(once, 90_000.0) == dataclasses.replace(plan(once, 600.0))
    assert plan(once, 90_000.0).ticks == [600.0]
    assert plan(once, 90_000.0).next_run_time is None
    assert plan(dataclasses.replace(once, catch_up="none"), 90_000.0).ticks == []
    assert plan(dataclasses.replace(once, misfire_grace_time=60), 90_000.0).ticks == []


def test_a_long_outage_of_a_quick_job_is_worked_off_in_portions():
    quick = dataclasses.replace(MINUTELY, trigger_args={"seconds": 1, "timezone": "UTC"}, catch_up="all")
    found, ticks = plan(quick, 1000.0), []
    while found.ticks:
        assert len(found.ticks) <= 100
        ticks += found.ticks
        quick = dataclasses.replace(quick, next_run_time=found.next_run_time)
        found = plan(quick, 1000.0)
    assert ticks == [float(moment) for moment in range(600, 1001)]


@given(
    late=st.floats(0, 1e6),
    jitter=st.sampled_from([0, 7, 90]),
    catch_up=st.sampled_from(["one", "all", "none"]),
    grace=st.sampled_from([None, 5, 60, 3600]),
    seconds=st.sampled_from([1, 60, 3600]),
)
def test_plans_end_and_never_go_back(late, jitter, catch_up, grace, seconds):
    arguments = {"seconds": seconds, "jitter": jitter, "timezone": "UTC"}
    job = dataclasses.replace(MINUTELY, trigger_args=arguments, catch_up=catch_up, misfire_grace_time=grace, anchor=0.0)
    job = dataclasses.replace(job, next_run_time=3600.0)
    now, published = 3600.0 + late, []
    for _ in range(3):
        found = plan(job, now)
        published += found.ticks
        assert found.next_run_time >= job.next_run_time
        assert all(job.due(tick) <= now for tick in found.ticks)
        assert all(grace is None or now - job.due(tick) <= grace for tick in found.ticks)
        job = dataclasses.replace(job, next_run_time=found.next_run_time)
    assert published == sorted(set(published))
    if catch_up != "all":
        assert job.due(job.next_run_time) > now


def test_jitter_is_the_same_in_every_process():
    job = dataclasses.replace(MINUTELY, trigger_args={"minutes": 1, "jitter": 30, "timezone": "UTC"})
    delays = [job.due(moment) - moment for moment in (600.0, 660.0, 720.0, 600.0)]
    assert delays[0] == delays[3]
    assert len(set(delays)) == 3
    assert all(0 <= delay <= 30 for delay in delays)
