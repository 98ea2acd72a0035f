"""Shared rates, quotas and keys of several processes, one of which is killed."""

import itertools
import threading
from collections import Counter

import pytest

from .rate_fleet import RateFleet

pytestmark = pytest.mark.crash


@pytest.fixture
def fleets(tmp_path):
    made = []

    def make(rule, number, state_url=None):
        made.append(RateFleet(tmp_path / rule, rule, number, state_url))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


def run_three(fleet, seconds):
    """Run three workers for `seconds` from their first start, kill one half-way; return starts and the kill's time."""
    for _ in range(3):
        fleet.start()
    fleet.wait_for(fleet.events)
    began = fleet.events()[0][0]
    threading.Event().wait(seconds / 2)
    fleet.kill(fleet.workers[1])
    threading.Event().wait(seconds / 2 + 0.5)
    starts = [time for time, _ in fleet.events() if time < began + seconds]
    return [time - began for time in starts], seconds / 2


@pytest.mark.realtime
def test_three_processes_hold_the_rate_although_one_is_killed(fleets):
    qps, seconds = 60, 20
    fleet = fleets("rate", qps)
    fleet.publisher.publish_many([{}] * qps * seconds * 2)
    starts, killed = run_three(fleet, seconds)
    # 3 s without the third of one member, and 5 % of all.
    assert qps * (seconds * 0.95 - 1) <= len(starts) <= qps * seconds * 1.05
    before = [start for start in starts if killed - 6 <= start < killed]
    after = [start for start in starts if killed + 3.2 <= start < killed + 9.2]
    assert len(before) == pytest.approx(qps * 6, rel=0.05)
    assert len(after) == pytest.approx(qps * 6, rel=0.05)


@pytest.mark.realtime
def test_slow_starts_of_three_processes_are_spread(fleets):
    fleet = fleets("rate", 2)
    fleet.publisher.publish_many([{}] * 100)
    for _ in range(3):
        fleet.start()
    fleet.wait_for(lambda: all(fleet.at_work(worker) for worker in fleet.workers))
    threading.Event().wait(8)
    settled = [time for time, _ in fleet.events()][-10:]
    gaps = [after - before for before, after in itertools.pairwise(settled)]
    assert min(gaps) > 0.3
    assert max(gaps) < 0.7


@pytest.mark.parametrize("server", [None, "redis_url"], ids=["sqlite", "redis"])
def test_a_quota_of_three_processes_is_never_exceeded_and_loses_one_chunk_at_most(fleets, server, request):
    limit = 200
    fleet = fleets("quota", limit, request.getfixturevalue(server) if server else None)
    fleet.publisher.publish_many([{}] * limit * 2)
    for _ in range(3):
        fleet.start()
    fleet.wait_for(lambda: len(fleet.events()) >= limit / 4)
    fleet.kill(fleet.workers[0])
    fleet.wait_for(lambda: len(fleet.events()) >= limit - limit / 20 - 50)
    threading.Event().wait(2)
    assert limit - limit / 20 - 50 <= len(fleet.events()) <= limit


def test_the_slots_of_a_killed_process_are_free_within_some_seconds(fleets):
    fleet = fleets("key", 1)
    fleet.publisher.publish({"key": "a", "seconds": 60})
    dying = fleet.start()
    fleet.wait_for(fleet.events)
    fleet.publisher.publish_many([{"key": key, "seconds": 0.05} for key in "aabbbb"])
    fleet.start()
    fleet.wait_for(lambda: len(fleet.events("end")) == 4)
    assert {key for _, key in fleet.events("end")} == {"b"}
    assert Counter(key for _, key in fleet.events())["a"] == 1
    threading.Event().wait(5)
    assert Counter(key for _, key in fleet.events())["a"] == 1
    fleet.kill(dying)
    fleet.wait_for(lambda: Counter(key for _, key in fleet.events())["a"] >= 2, 11)
    spans = zip(fleet.events(), fleet.events("end"), strict=False)
    assert all(begin[0] <= end[0] for begin, end in spans if begin[1] == end[1] == "b")
