"""Adding, listing, pausing, resuming, removing, running now."""

import dataclasses
import threading

import pytest

from fsdf_control.schedules import Job, MemoryJobStore, Scheduler, SQLJobStore
from fsdf_core.errors import ConfigurationError, UnknownName
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock

START = 1_000_000_000.0
HOURLY = Job("hourly", "q", "B", "interval", {"hours": 1}, {"x": 1})
ONCE = Job("once", "q", "B", "date", {"run_date": START + 60})


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture(params=["memory", "sqlite"])
def jobs(request, tmp_path):
    made = MemoryJobStore() if request.param == "memory" else SQLJobStore(f"sqlite:///{tmp_path}/jobs.sqlite")
    yield made
    made.close()


@pytest.fixture
def published():
    return []


@pytest.fixture
def scheduler(jobs, clock, published):
    state = MemoryStateStore(clock)
    return Scheduler(jobs, state, lambda job, task_id: published.append((job.id, task_id)), timezone="UTC", clock=clock)


def test_an_interval_begins_one_interval_from_now(scheduler, clock, published):
    job = scheduler.add(HOURLY)
    assert job.next_run_time == START + 3600
    runner = scheduler.runner()
    runner.look()
    assert published == []
    clock.advance(3600)
    runner.look()
    assert published == [("hourly", job.task_id(START + 3600))]


def test_the_same_words_again_change_nothing(scheduler, clock):
    job = scheduler.add(HOURLY)
    clock.advance(1800)
    assert scheduler.add(HOURLY) == job
    assert scheduler.add(HOURLY, replace_existing=True) == job
    scheduler.pause_job("hourly")
    assert scheduler.add(HOURLY, replace_existing=True).paused


def test_other_words_need_replace_existing(scheduler, clock):
    scheduler.add(HOURLY)
    clock.advance(1800)
    other = dataclasses.replace(HOURLY, trigger_args={"hours": 2})
    with pytest.raises(ConfigurationError, match="'hourly' is taken.*replace_existing=True"):
        scheduler.add(other)
    assert scheduler.add(other, replace_existing=True).next_run_time == START + 1800 + 7200
    assert len(scheduler.get_jobs()) == 1


def test_a_date_in_the_past_is_not_kept(scheduler, clock, caplog):
    assert scheduler.add(dataclasses.replace(ONCE, trigger_args={"run_date": START - 3600})).next_run_time is None
    assert scheduler.get_jobs() == []
    assert "'once' is not kept" in caplog.text
    assert scheduler.add(dataclasses.replace(ONCE, trigger_args={"run_date": START - 1})).next_run_time == START - 1


def test_a_date_that_nobody_ran_is_missed_and_not_in_the_past(scheduler, clock, published):
    scheduler.add(ONCE)
    clock.advance(86400)
    scheduler.add(ONCE, replace_existing=True)
    scheduler.runner().look()
    assert published == [("once", ONCE.task_id(START + 60))]
    assert scheduler.get_jobs() == []


def test_a_process_that_adds_a_date_that_has_just_run_does_not_run_it_again(scheduler, clock, published):
    scheduler.add(ONCE)
    clock.advance(60)
    runner = scheduler.runner()
    runner.look()
    clock.advance(2)
    scheduler.add(ONCE)
    runner.look()
    assert len(published) == 1
    assert scheduler.get_jobs() == []


def test_pause_and_resume(scheduler, clock, published):
    scheduler.add(HOURLY)
    runner = scheduler.runner()
    assert scheduler.pause_job("hourly").paused
    clock.advance(3 * 3600 + 60)
    runner.look()
    assert scheduler.resume_job("hourly").next_run_time == START + 4 * 3600
    runner.look()
    assert published == []
    clock.advance(3600)
    runner.look()
    assert len(published) == 1


def test_a_date_that_passed_during_the_pause_runs_at_the_resumption(scheduler, clock, published):
    scheduler.add(dataclasses.replace(ONCE, catch_up="none"))
    scheduler.pause_job("once")
    clock.advance(86400)
    scheduler.resume_job("once")
    scheduler.runner().look()
    assert len(published) == 1


def test_a_job_without_moments_is_forgotten_at_the_resumption(scheduler, clock):
    scheduler.add(dataclasses.replace(HOURLY, trigger_args={"hours": 1, "end_date": START + 9000}))
    scheduler.pause_job("hourly")
    clock.advance(86400)
    assert scheduler.resume_job("hourly") is None
    assert scheduler.get_jobs() == []


def test_run_now_leaves_the_ticks_alone(scheduler, published):
    job = scheduler.add(HOURLY)
    task_id = scheduler.run_job("hourly")
    assert published == [("hourly", task_id)]
    assert scheduler.get_job("hourly") == job


def test_modify(scheduler):
    scheduler.add(HOURLY)
    scheduler.modify_job("hourly", name="n", arguments={"x": 2}, next_run_time="2001-09-09 02:00:00")
    job = scheduler.get_job("hourly")
    assert (job.name, job.arguments, job.next_run_time) == ("n", {"x": 2}, START + 800)
    with pytest.raises(ConfigurationError, match="'argument' cannot be changed. Did you mean 'arguments'"):
        scheduler.modify_job("hourly", argument={})
    with pytest.raises(ConfigurationError, match="catch_up must be"):
        scheduler.modify_job("hourly", catch_up="some")
    with pytest.raises(ConfigurationError, match="misfire_grace_time must be"):
        scheduler.modify_job("hourly", misfire_grace_time=0)


def test_reschedule(scheduler, clock):
    scheduler.add(HOURLY)
    scheduler.pause_job("hourly")
    clock.advance(5)
    assert scheduler.reschedule_job("hourly", "interval", minutes=1).next_run_time == START + 65
    assert scheduler.reschedule_job("hourly", "cron", hour=2).next_run_time == START + 800
    with pytest.raises(ConfigurationError, match="no moment from now on"):
        scheduler.reschedule_job("hourly", "cron", hour=2, end_date=START)
    with pytest.raises(ConfigurationError, match="cron: hour cannot be 'x'"):
        scheduler.reschedule_job("hourly", "cron", hour="x")
    assert scheduler.get_job("hourly").trigger_args["hour"] == 2


@pytest.mark.parametrize("change", ["remove_job", "pause_job", "resume_job", "modify_job", "run_job"])
def test_a_job_that_is_not_there_is_named(scheduler, change):
    scheduler.add(HOURLY)
    with pytest.raises(UnknownName, match="no job 'hourli'. Did you mean 'hourly'"):
        getattr(scheduler, change)("hourli")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trigger_args": {"day": 30, "month": 2}, "trigger": "cron"}, "never comes true"),
        ({"trigger_args": {"hour": "x"}, "trigger": "cron"}, "cron: hour cannot be 'x'"),
        ({"trigger": "weekly"}, "must be one of"),
        ({"catch_up": "every"}, "catch_up must be one of"),
        ({"misfire_grace_time": -1}, "misfire_grace_time"),
        ({"arguments": {"x": {1}}}, r"arguments\['x'\]"),
        ({"id": ""}, "id must not be empty"),
    ],
)
def test_what_is_wrong_is_said_when_it_is_added(scheduler, changes, said):
    with pytest.raises(ConfigurationError, match=said):
        scheduler.add(dataclasses.replace(HOURLY, **changes))
    assert scheduler.get_jobs() == []


def test_a_state_that_other_processes_do_not_see_is_refused(tmp_path):
    scheduler = Scheduler(SQLJobStore(f"sqlite:///{tmp_path}/j.sqlite"), MemoryStateStore(), lambda *_: None)
    with pytest.raises(ConfigurationError, match="FSDF_STATE_URL"):
        scheduler.start()


def test_the_thread_runs_ticks_at_once_and_ends():
    ran = threading.Event()
    scheduler = Scheduler(MemoryJobStore(), MemoryStateStore(), lambda *_: ran.set(), timezone="UTC")
    scheduler.start()
    scheduler.start()
    assert [thread.name for thread in threading.enumerate()].count("fsdf-schedule") == 1
    scheduler.add(dataclasses.replace(HOURLY, trigger_args={"seconds": 0.1}))
    assert ran.wait(5)
    assert scheduler.stop()
    assert not scheduler.running
    assert "fsdf-schedule" not in [thread.name for thread in threading.enumerate()]
    ran.clear()
    scheduler.start()
    assert ran.wait(5)
    scheduler.shutdown()


def test_the_thread_outlives_a_job_store_that_fails(caplog):
    class Failing(MemoryJobStore):
        fails = 2

        def due(self, until):
            if self.fails:
                self.fails -= 1
                raise OSError("gone")
            return super().due(until)

    ran = threading.Event()
    jobs = Failing()
    scheduler = Scheduler(jobs, MemoryStateStore(), lambda *_: ran.set(), timezone="UTC")
    scheduler.add(dataclasses.replace(HOURLY, trigger_args={"seconds": 0.1}))
    scheduler.start()
    assert ran.wait(10)
    scheduler.stop()
    assert caplog.text.count("schedules fail") == 1
