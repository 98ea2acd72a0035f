"""Pause from another process, over a kill and a restart."""

import threading
import time

import pytest

from fsdf_control.pausing import is_paused, pause, resume

from .rate_fleet import RateFleet


@pytest.fixture(params=[None, "redis_url"], ids=["sqlite", "redis"])
def fleet(request, tmp_path):
    state_url = request.getfixturevalue(request.param) if request.param else None
    fleet = RateFleet(tmp_path, "pause", state_url=state_url)
    yield fleet
    fleet.close()


@pytest.mark.realtime
def test_another_process_follows_within_a_second_and_a_new_one_stays_paused(fleet):
    fleet.publisher.publish({})
    worker = fleet.start()
    fleet.wait_for(fleet.events)
    pause(fleet.store, "rates")
    threading.Event().wait(1)
    fleet.publisher.publish_many([{}] * 10)
    threading.Event().wait(0.5)
    assert len(fleet.events()) == 1
    fleet.kill(worker)
    fleet.start()
    threading.Event().wait(2)
    assert len(fleet.events()) == 1
    assert is_paused(fleet.store, "rates")
    resume(fleet.store, "rates")
    resumed = time.time()
    fleet.wait_for(lambda: len(fleet.events()) == 11)
    assert fleet.events()[1][0] - resumed < 1
