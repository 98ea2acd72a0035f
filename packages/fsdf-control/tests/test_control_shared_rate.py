"""The rate that consumers share, in a model and in real consumers of one process."""

import doctest
import itertools
import logging
import threading
import time

import pytest

from fsdf_control import shared_rate
from fsdf_control.shared_rate import SharedRateLimit
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


class Fleet:
    """Consumers with work, that start what they may and tick each half second, in steps of 2 ms."""

    def __init__(self, qps, store=None):
        self.qps = qps
        self.clock = ManualClock()
        self.store = store or MemoryStateStore(self.clock)
        self.limits = {}
        self.next_ticks = {}
        self.starts = []
        self.full = True

    def join(self, name):
        limit = self.limits[name] = SharedRateLimit(self.qps, self.store)
        limit.start(
            Host(
                queue=MemoryBroker().queue("q"),
                consumer_id=name,
                pool=SoloExecutor(),
                clock=self.clock,
                logger=logging.getLogger("fsdf.q"),
                stopping=threading.Event(),
                wake=lambda: None,
                abandon=lambda message, error: None,
            )
        )
        self.next_ticks[name] = self.clock.time() + 0.5
        return limit

    def kill(self, name):
        del self.limits[name]

    def run(self, seconds):
        end = self.clock.time() + seconds
        while self.clock.time() < end:
            now = self.clock.time()
            for name, limit in self.limits.items():
                if now >= self.next_ticks[name]:
                    self.next_ticks[name] += 0.5
                    limit.tick(now)
                credit = limit.credit(now)
                if credit and self.full:
                    limit.spend(credit, now)
                    self.starts += [now] * credit
            self.clock.advance(0.002)

    def since(self, time):
        return [start for start in self.starts if start >= time]


@pytest.mark.parametrize("qps", [2, 20, 300])
def test_three_hold_the_rate_together_over_a_minute_in_which_one_dies(qps):
    fleet = Fleet(qps)
    for name in "abc":
        fleet.join(name)
    fleet.run(30)
    fleet.kill("b")
    fleet.run(30)
    assert len(fleet.starts) == pytest.approx(qps * 60, rel=0.05)


def test_a_death_a_newcomer_and_a_leaver_are_noticed_within_three_seconds():
    fleet = Fleet(100)
    first = fleet.join("a")
    second = fleet.join("b")
    fleet.run(1)
    assert (first.members, second.members) == (2, 2)
    third = fleet.join("c")
    fleet.run(1)
    assert (first.members, second.members, third.members) == (3, 3, 3)
    fleet.kill("c")
    fleet.run(3)
    assert (first.members, second.members) == (2, 2)
    fleet.kill("b")
    second.stop()
    fleet.run(1)
    assert first.members == 1
    now = fleet.clock.time()
    fleet.run(5)
    assert len(fleet.since(now)) == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize("full_from_the_start", [True, False])
def test_slow_starts_are_spread_evenly_over_the_consumers(full_from_the_start):
    fleet = Fleet(0.6)
    for name in "abc":
        fleet.join(name)
    fleet.full = full_from_the_start
    fleet.run(10)
    fleet.full = True
    fleet.run(60)
    settled = fleet.since(fleet.starts[0] + 12)
    gaps = [after - before for before, after in itertools.pairwise(settled)]
    assert min(gaps) > 1.6
    assert max(gaps) < 1.75
    assert len(fleet.since(1_000_000_010)) == pytest.approx(36, abs=2)


def test_messages_that_arrive_one_by_one_start_at_the_consumers_places():
    fleet = Fleet(1)
    for name in "abc":
        fleet.join(name)
    fleet.run(5)
    fleet.full = False
    fleet.run(20)
    quiet = fleet.clock.time()
    fleet.full = True
    fleet.run(3)
    after = fleet.since(quiet)
    assert len(after) == pytest.approx(3, abs=1)
    assert all(later - sooner > 0.9 for sooner, later in itertools.pairwise(after))


def test_the_rate_may_change():
    fleet = Fleet(10)
    limits = [fleet.join(name) for name in "ab"]
    fleet.run(2)
    for limit in limits:
        limit.qps = 50
    assert limits[0].qps == 50
    now = fleet.clock.time()
    fleet.run(4)
    assert len(fleet.since(now)) == pytest.approx(200, rel=0.05)
    with pytest.raises(ValueError, match="qps"):
        limits[0].qps = 0


def test_without_the_store_the_last_known_number_counts_and_stop_does_not_raise(caplog):
    class Away(MemoryStateStore):
        away = False

        def hash_set(self, key, fields):
            if self.away:
                raise StateUnavailable("gone")
            super().hash_set(key, fields)

        def hash_delete(self, key, fields):
            if self.away:
                raise StateUnavailable("gone")
            return super().hash_delete(key, fields)

    fleet = Fleet(100, Away())
    limits = [fleet.join(name) for name in "ab"]
    fleet.run(2)
    fleet.store.away = True
    with pytest.raises(StateUnavailable):
        limits[0].tick(fleet.clock.time())
    assert limits[0].members == 2
    limits[0].stop()
    assert "sign off" in caplog.text
    with pytest.raises(StateUnavailable):
        fleet.join("c")


@pytest.mark.parametrize("pool", [ShrinkableThreadPoolExecutor, SoloExecutor], ids=["THREADING", "SINGLE_THREAD"])
def test_two_real_consumers_share_the_rate(pool):
    store, queue = MemoryStateStore(), MemoryBroker().queue("q")
    Publisher(queue).publish_many([{}] * 400)
    starts = []
    limits = [SharedRateLimit(60, store) for _ in range(2)]
    with pool(4) as first, pool(4) as second:
        consumers = [
            Consumer(lambda: starts.append(time.monotonic()), queue=queue, pool=workers, controls=[limit])
            for workers, limit in zip((first, second), limits, strict=True)
        ]
        with consumers[0], consumers[1]:
            for consumer in consumers:
                consumer.start()
            threading.Event().wait(3.5)
            assert [limit.members for limit in limits] == [2, 2]
            consumers[1].stop()
            threading.Event().wait(1.2)
            assert limits[0].members == 1
    late = [start for start in starts if starts[0] + 1 <= start < starts[0] + 3]
    assert len(late) == pytest.approx(120, abs=8)


def test_docstrings_tell_the_truth():
    result = doctest.testmod(shared_rate)
    assert result.attempted
    assert not result.failed
