"""The known names for schedules, in this process."""

import datetime
import logging
import threading

import pytest

from fsdf import (
    ApsJobAdder,
    BrokerEnum,
    TaskOptions,
    boost,
    fsdf_background_scheduler,
    schedule_manager,
    timing_publish_deco,
)
from fsdf_core import registry
from fsdf_core.errors import ConfigurationError, UnknownName


@pytest.fixture(autouse=True)
def _own_schedules(monkeypatch):
    monkeypatch.setattr(schedule_manager, "_managers", {})
    monkeypatch.setattr(schedule_manager, "_strangers", {})
    monkeypatch.setattr(registry, "_open", {})
    yield
    fsdf_background_scheduler.shutdown()
    for manager in list(schedule_manager._managers.values()):
        manager.shutdown()
        manager.remove_all_jobs()
    for store in registry._open.values():
        store.close()


@pytest.fixture
def came():
    return []


@pytest.fixture(params=[BrokerEnum.MEMORY_QUEUE, BrokerEnum.SQLITE_QUEUE])
def task(request, decorate, came):
    arrived = threading.Semaphore(0)

    def add(x, y=1):
        came.append((x, y))
        arrived.release()

    made = decorate(add, broker_kind=request.param)
    made.arrived = arrived
    return made


def test_the_background_scheduler(task, came):
    soon = datetime.datetime.now() + datetime.timedelta(seconds=0.4)  # noqa: DTZ005 - as users write it
    job = fsdf_background_scheduler.add_job(
        timing_publish_deco(task), "interval", id="each", seconds=0.3, kwargs={"x": 5, "y": 6}
    )
    fsdf_background_scheduler.add_job(timing_publish_deco(task), "date", run_date=soon, args=(1, 2))
    fsdf_background_scheduler.add_timing_publish_job(task, "cron", day_of_week="*", hour=14, minute=51, args=(7,))
    fsdf_background_scheduler.start()
    task.consume()
    for _ in range(4):
        assert task.arrived.acquire(timeout=10)
    assert came.count((1, 2)) == 1
    assert came.count((5, 6)) >= 3
    assert job.kwargs == {"x": 5, "y": 6}
    assert {each.id for each in fsdf_background_scheduler.get_jobs()} >= {"each"}
    fsdf_background_scheduler.pause_job("each")
    assert fsdf_background_scheduler.get_job("each").paused
    fsdf_background_scheduler.resume_job("each")
    fsdf_background_scheduler.remove_job("each")
    assert fsdf_background_scheduler.get_job("each") is None
    with pytest.raises(UnknownName):
        fsdf_background_scheduler.remove_job("each")


def test_a_job_is_checked_when_it_is_added(task):
    adder = ApsJobAdder(task, is_auto_start=False)
    with pytest.raises(TypeError, match="misses x"):
        adder.add_push_job("interval", seconds=1)
    with pytest.raises(ConfigurationError, match="Did you mean 'seconds'"):
        adder.add_push_job("interval", second=1, args=(1,))
    with pytest.raises(ConfigurationError, match="no JSON data"):
        adder.add_push_job("interval", seconds=1, args=(object(),))
    adder.add_push_job("interval", seconds=1, args=(1,), id="a")
    with pytest.raises(ConfigurationError, match="replace_existing"):
        adder.add_push_job("interval", seconds=2, args=(1,), id="a")
    adder.add_push_job("interval", seconds=2, args=(1,), id="a", replace_existing=True)
    assert len(adder.aps_obj.get_jobs()) == 1
    with pytest.raises(ConfigurationError, match="takes timing_publish_deco"):
        fsdf_background_scheduler.add_job(print, "interval", seconds=1)
    with pytest.raises(ConfigurationError, match="Did you mean 'redis'"):
        schedule_manager.ScheduleManager("reddis")


def test_a_past_date_warns(task, caplog):
    with caplog.at_level(logging.WARNING, "fsdf"):
        assert (
            ApsJobAdder(task, is_auto_start=False).add_push_job("date", run_date="2020-07-24 13:53:06", args=(1,))
            is None
        )
    assert "never fires" in caplog.text


def test_a_script_that_starts_again_adds_its_job_once(task):
    for _ in range(2):
        adder = ApsJobAdder(task, is_auto_start=False)
        adder.add_push_job("interval", hours=1, args=(1,))
        adder.add_push_job("cron", hour=1, args=(1,))
    assert len(adder.aps_obj.get_jobs()) == 2


def test_run_now(task, came):
    adder = ApsJobAdder(task, is_auto_start=False)
    adder.add_push_job("interval", hours=1, args=(3,), id="hourly")
    task_id = adder.aps_obj.run_job("hourly")
    assert task_id
    task.consume()
    assert task.arrived.acquire(timeout=10)
    assert came == [(3, 1)]


def test_times_are_read_in_the_settings_zone(task, monkeypatch):
    monkeypatch.setenv("FSDF_TIMEZONE", "Asia/Shanghai")
    import fsdf_core.settings

    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    job = ApsJobAdder(task, is_auto_start=False).add_push_job("cron", hour=3, args=(1,))
    assert job.next_run_time.astimezone(datetime.timezone.utc).hour == 19


def test_a_job_can_be_changed(task, came):
    adder = ApsJobAdder(task, is_auto_start=False)
    job = adder.add_push_job("interval", hours=1, args=(1,), id="a")
    jobs = adder.aps_obj
    before = job.next_run_time
    jobs.modify_job("a", name="mine", kwargs={"x": 2})
    assert (job.name, job.kwargs, job.next_run_time) == ("mine", {"x": 2}, before)
    jobs.reschedule_job("a", "interval", hours=5)
    assert job.next_run_time > before
    with pytest.raises(ConfigurationError, match="Did you mean 'kwargs'"):
        jobs.modify_job("a", kwarg={})
    with pytest.raises(UnknownName):
        jobs.reschedule_job("b", "interval", hours=5)


def test_a_method_of_an_object(came):
    heard = threading.Event()

    class Counter:
        def __init__(self, start):
            self.obj_init_params = {"start": start}
            self.start = start

        @boost("scheduled-method", broker_kind=BrokerEnum.MEMORY_QUEUE)
        def add(self, x):
            came.append(self.start + x)
            heard.set()

    adder = ApsJobAdder(Counter(10).add)
    adder.add_push_job("interval", seconds=0.1, args=(5,))
    Counter.add.consume()
    try:
        assert heard.wait(10)
    finally:
        Counter.add.stop()
    assert came[0] == 15


def test_options_travel(task, came):
    task_options = TaskOptions(priority=7)
    adder = ApsJobAdder(task, is_auto_start=False)
    job = adder.add_push_job("interval", hours=1, args=(1,), id="a", task_options=task_options)
    assert job.schedule.extra == {"priority": 7}
