"""The loop's decisions, with a clock that stands still."""

import dataclasses
import logging

import pytest

from fsdf_control.schedules import Job, MemoryJobStore, Runner
from fsdf_core.errors import BrokerUnavailable, StateUnavailable
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock

START = 1_000_000_000.0
JOB = Job("j", "q", "B", "interval", {"seconds": 10, "timezone": "UTC"}, {"x": 1}, anchor=START, next_run_time=START)


class World:
    """Some processes that share a job store and a state store."""

    def __init__(self):
        self.clock = ManualClock(START)
        self.jobs = MemoryJobStore()
        self.state = MemoryStateStore(self.clock)
        self.published = []
        self.logger = logging.getLogger("fsdf.schedules")

    def process(self, publish=None):
        return Runner(self.jobs, self.state, publish or self.publish, self.clock, self.logger)

    def publish(self, job, task_id):
        self.published.append((job.id, task_id))

    def ids(self, *moments):
        return [(JOB.id, JOB.task_id(START + moment)) for moment in moments]


@pytest.fixture
def world():
    return World()


class Death(BaseException):
    """A kill -9."""


def test_ticks_are_published_in_time_and_once(world):
    world.jobs.add(JOB)
    runner = world.process()
    for _ in range(30):
        assert runner.look() <= 1.0
        world.clock.advance(0.7)
    assert world.published == world.ids(0, 10, 20)
    assert world.jobs.get("j").next_run_time == START + 30


def test_it_looks_again_in_time_for_the_next_tick(world):
    world.jobs.add(dataclasses.replace(JOB, next_run_time=START + 0.25))
    assert world.process().look() == 0.25
    assert world.published == []


def test_only_the_holder_runs_ticks(world):
    world.jobs.add(JOB)
    first, second = world.process(), world.process()
    for _ in range(60):
        first.look()
        second.look()
        world.clock.advance(0.5)
    assert world.published == world.ids(0, 10, 20)
    assert second.lease.token == 0


def test_a_dead_holder_is_replaced_within_five_seconds_and_no_tick_is_lost(world):
    world.jobs.add(dataclasses.replace(JOB, trigger_args={"seconds": 1, "timezone": "UTC"}))
    first, second = world.process(), world.process()
    first.look()
    died = world.clock.time()
    waited = second.look()
    while len(world.published) == 1:
        world.clock.advance(waited)
        waited = second.look()
    assert world.clock.time() - died <= 5
    assert world.published == world.ids(0, 1, 2, 3, 4)


def test_a_holder_that_stops_is_replaced_at_once(world):
    first, second = world.process(), world.process()
    assert first.lease.held()
    assert not second.lease.held()
    first.lease.release()
    assert second.lease.held()


@pytest.mark.parametrize("moment", ["before the broker has it", "after the broker has it"])
def test_a_tick_whose_publisher_died_is_repeated_with_the_same_id(world, moment):
    def die(job, task_id):
        if moment.startswith("after"):
            world.publish(job, task_id)
        raise Death

    world.jobs.add(JOB)
    with pytest.raises(Death):
        world.process(die).look()
    world.clock.advance(4.5)
    world.process().look()
    assert set(world.published) == set(world.ids(0))
    assert len(world.published) == (2 if moment.startswith("after") else 1)


def test_a_tick_that_was_marked_done_is_not_repeated(world):
    class Store(MemoryJobStore):
        def change(self, job, version):
            raise Death

    world.jobs.add(JOB)
    jobs, world.jobs = world.jobs, Store()
    world.jobs._jobs, world.jobs._identity = jobs._jobs, jobs._identity
    with pytest.raises(Death):
        world.process().look()
    world.jobs = jobs
    world.clock.advance(4.5)
    world.process().look()
    assert world.published == world.ids(0)
    assert world.jobs.get("j").next_run_time == START + 10


def test_a_holder_that_stood_still_between_claim_and_publishing_does_not_publish(world):
    class Freezing(MemoryStateStore):
        frozen = False

        def add(self, values, ttl=None):
            found = super().add(values, ttl)
            if not self.frozen:
                self.frozen = True
                world.clock.advance(6)  # a SIGSTOP, and a SIGCONT later
                other.look()
            return found

    world.state = Freezing(world.clock)
    world.jobs.add(JOB)
    stopped, other = world.process(), world.process()
    stopped.look()
    assert world.published == world.ids(0)
    assert not stopped.lease.held()


def test_a_change_made_while_the_tick_runs_is_kept(world):
    def publish(job, task_id):
        world.publish(job, task_id)
        world.jobs.change(dataclasses.replace(job, next_run_time=None), job.version)

    world.jobs.add(JOB)
    runner = world.process(publish)
    runner.look()
    assert world.jobs.get("j").paused
    world.clock.advance(60)
    runner.look()
    assert world.published == world.ids(0)


def test_a_broker_that_is_away_is_said_once_and_the_tick_comes_later(world, caplog):
    def publish(job, task_id):
        if job.id == "j" and world.clock.time() < START + 5:
            raise BrokerUnavailable("gone")
        world.publish(job, task_id)

    caplog.set_level(logging.INFO)
    world.jobs.add(JOB)
    world.jobs.add(dataclasses.replace(JOB, id="other"))
    runner = world.process(publish)
    for _ in range(8):
        runner.look()
        world.clock.advance(1)
    assert [name for name, _ in world.published] == ["other", "j"]
    assert ("j", JOB.task_id(START)) in world.published
    said = [record.getMessage() for record in caplog.records]
    assert sum("cannot be published" in text for text in said) == 1
    assert "job 'j' works again" in said


def test_a_state_store_that_is_away_stops_the_ticks_and_is_said_once(world, caplog):
    class Away(MemoryStateStore):
        away = True

        def acquire(self, lease, owner, ttl):
            if self.away:
                raise StateUnavailable("gone")
            return super().acquire(lease, owner, ttl)

    world.state = Away(world.clock)
    world.jobs.add(JOB)
    runner = world.process()
    for _ in range(5):
        assert runner.look() <= 1
        world.clock.advance(1)
    assert world.published == []
    world.state.away = False
    runner.look()
    assert world.published == world.ids(0)
    assert sum("wait for the state store" in record.getMessage() for record in caplog.records) == 1


def test_a_job_that_this_version_cannot_time_does_not_stop_the_others(world, caplog):
    world.jobs.add(dataclasses.replace(JOB, id="a", trigger="lunar"))
    world.jobs.add(JOB)
    world.process().look()
    assert world.published == world.ids(0)
    assert "no trigger 'lunar'" in caplog.text


def test_a_date_is_forgotten_once_it_has_run(world):
    world.jobs.add(dataclasses.replace(JOB, trigger="date", trigger_args={"run_date": START, "timezone": "UTC"}))
    world.process().look()
    assert world.published == world.ids(0)
    assert world.jobs.all() == []


def test_marks_do_not_pile_up(world):
    world.jobs.add(JOB)
    runner = world.process()
    for _ in range(5):
        runner.look()
        world.clock.advance(10)
    marks = {f"fsdf:tick:{world.jobs.identity()}:{task_id}" for _, task_id in world.published}
    world.clock.advance(3601)
    assert set(world.state.get(sorted(marks))) == {None}
