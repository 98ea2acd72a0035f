"""The background scheduler makes no state file for jobs in memory, and notices a job that comes there later."""

import threading

import pytest

from fsdf import ApsJobAdder, BrokerEnum, fsdf_background_scheduler, schedule_manager
from fsdf_core import registry
from fsdf_core.errors import UnknownName
from fsdf_core.settings import get_settings


@pytest.fixture(autouse=True)
def _own_schedules(monkeypatch):
    monkeypatch.setattr(schedule_manager, "_managers", {})
    monkeypatch.setattr(registry, "_open", {})
    yield
    fsdf_background_scheduler.shutdown()
    for manager in schedule_manager._managers.values():
        manager.shutdown()
    for store in registry._open.values():
        store.close()


def test_jobs_in_memory_need_no_file(decorate):
    arrived = threading.Semaphore(0)
    task = decorate(lambda: arrived.release())
    task.consume()
    fsdf_background_scheduler.start()
    job = fsdf_background_scheduler.add_timing_publish_job(task, "interval", seconds=0.1)
    assert arrived.acquire(timeout=30)
    assert [each.id for each in fsdf_background_scheduler.get_jobs()] == [job.id]
    fsdf_background_scheduler.remove_job(job.id)
    with pytest.raises(UnknownName):
        fsdf_background_scheduler.remove_job(job.id)
    fsdf_background_scheduler.shutdown()
    assert not registry.default_state_file(get_settings()).exists()
    assert not fsdf_background_scheduler._later.alive


def test_a_shared_job_that_comes_later_is_published(decorate):
    arrived = threading.Semaphore(0)
    task = decorate(lambda: arrived.release(), broker_kind=BrokerEnum.SQLITE_QUEUE)
    task.consume()
    fsdf_background_scheduler.start()
    waiting = fsdf_background_scheduler._later
    fsdf_background_scheduler.start()
    assert fsdf_background_scheduler._later is waiting
    job = ApsJobAdder(task, is_auto_start=False).add_push_job("interval", seconds=0.1)
    assert arrived.acquire(timeout=30)
    fsdf_background_scheduler.remove_job(job.id)
