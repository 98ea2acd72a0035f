"""Quotas: never more starts than the limit, in any aligned period or any window."""

import datetime
import doctest
import logging
import threading
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdf_control import quota, quota_period
from fsdf_control.quota import Quota
from fsdf_control.quota_period import Period
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import StateUnavailable
from fsdf_core.host import Host
from fsdf_core.publisher import Publisher
from fsdf_core.states.memory import MemoryStateStore
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

UTC = datetime.timezone.utc
STEPS = st.lists(st.tuples(st.floats(0, 0.7), st.integers(1, 5)), min_size=1, max_size=120)


def host(clock):
    return Host(
        queue=MemoryBroker().queue("q"),
        consumer_id="c",
        pool=SoloExecutor(),
        clock=clock,
        logger=logging.getLogger("fsdf.q"),
        stopping=threading.Event(),
        wake=lambda: None,
        abandon=lambda message, error: None,
    )


def take(control, clock, most):
    """Start as many tasks as wanted and allowed; return how many."""
    count = min(most, int(control.credit(clock.monotonic())))
    if count:
        control.spend(count, clock.monotonic())
    return count


def periods_of(starts, seconds):
    counts = {}
    for time, count in starts:
        counts[int(time // seconds)] = counts.get(int(time // seconds), 0) + count
    return counts


def fullest_window(starts, seconds):
    return max(sum(count for time, count in starts if 0 <= time - begin < seconds) for begin, _ in starts)


@settings(deadline=None)
@given(STEPS, st.integers(1, 8), st.sampled_from([0.5, 1, 2]))
def test_fixed_never_more_than_the_limit_in_a_period(steps, limit, seconds):
    clock = ManualClock(1000.0)
    control = Quota(limit, seconds, clock=clock, timezone=UTC)
    starts = []
    for pause, wanted in steps:
        clock.advance(pause)
        starts.append((clock.time(), take(control, clock, wanted)))
    assert max(periods_of(starts, seconds).values()) <= limit


@settings(deadline=None)
@given(STEPS, st.integers(1, 8), st.sampled_from([0.5, 1, 2]))
def test_sliding_never_more_than_the_limit_in_any_window(steps, limit, seconds):
    clock = ManualClock(1000.0)
    control = Quota(limit, seconds, mode="sliding", clock=clock)
    starts = []
    for pause, wanted in steps:
        clock.advance(pause)
        starts.append((clock.monotonic(), take(control, clock, wanted)))
    assert fullest_window(starts, seconds) <= limit


@settings(deadline=None, max_examples=50)
@given(st.data(), STEPS, st.integers(1, 60), st.sampled_from(["fixed", "sliding"]))
def test_shared_never_more_than_the_limit_whoever_starts_stops_or_dies(data, steps, limit, mode):
    clock = ManualClock(1000.0)
    store = MemoryStateStore(clock)
    fleet = []
    starts = []
    for pause, wanted in steps:
        clock.advance(pause)
        event = data.draw(st.sampled_from(["work", "work", "work", "join", "stop", "die"]))
        if event == "join" or not fleet:
            control = Quota(limit, 2, mode=mode, store=store, clock=clock, timezone=UTC)
            control.start(host(clock))
            fleet.append(control)
        elif event in {"stop", "die"}:
            control = fleet.pop()
            if event == "stop":
                control.stop()
            continue
        control = data.draw(st.sampled_from(fleet))
        starts.append((clock.time(), take(control, clock, 10 * wanted)))
    if mode == "fixed":
        assert not starts or max(periods_of(starts, 2).values()) <= limit
    else:
        assert not starts or fullest_window(starts, 2) <= limit


@pytest.mark.parametrize("mode", ["fixed", "sliding"])
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_shared_the_whole_quota_can_be_used(limit, mode):
    clock = ManualClock(6000.0)
    store = MemoryStateStore(clock)
    fleet = [Quota(limit, "m", mode=mode, store=store) for _ in range(3)]
    for control in fleet:
        control.start(host(clock))

    def drain():
        used = 0
        for _ in range(40):
            used += sum(take(control, clock, 3) for control in fleet for _ in range(limit))
            clock.advance(0.3)
        return used

    assert drain() == limit
    clock.advance(62)
    assert drain() == limit


def test_shared_what_a_stopped_consumer_reserved_is_given_back():
    clock = ManualClock(6000.0)
    store = MemoryStateStore(clock)
    first, second = Quota(100, "h", store=store), Quota(100, "h", store=store)
    first.start(host(clock))
    second.start(host(clock))
    assert sum(take(first, clock, 1) for _ in range(20)) == 20
    first.stop()
    assert sum(take(second, clock, 100) for _ in range(40)) == 80
    second.stop()
    first.start(host(clock))
    assert first.credit(clock.monotonic()) == 0


def test_shared_nothing_starts_while_the_store_is_away(caplog):
    class Away(MemoryStateStore):
        away = True

        def increment(self, key, by=1, ttl=None):
            if self.away:
                raise StateUnavailable("gone")
            return super().increment(key, by, ttl)

    clock = ManualClock()
    store = Away(clock)
    control = Quota(10, "m", store=store)
    control.start(host(clock))
    for _ in range(10):
        assert control.credit(clock.monotonic()) == 0
        clock.advance(0.3)
    assert len(caplog.records) == 1
    store.away = False
    assert control.credit(clock.monotonic()) > 0
    store.away = True
    control.stop()
    assert "lost for this period" in caplog.text


def test_used_up_it_says_when_there_will_be_more():
    clock = ManualClock(6030.0)
    control = Quota(2, "m", clock=clock, timezone=UTC)
    assert take(control, clock, 5) == 2
    assert control.credit(clock.monotonic()) == 0
    assert control.next_credit(clock.monotonic()) == pytest.approx(30)
    clock.advance(30)
    assert control.credit(clock.monotonic()) == 2


def test_a_stop_does_not_renew_the_quota_and_a_clock_set_back_neither():
    clock = ManualClock(6030.0)
    control = Quota(2, "m")
    control.start(host(clock))
    assert take(control, clock, 5) == 2
    control.stop()
    control.start(host(clock))
    assert control.credit(clock.monotonic()) == 0
    clock.advance(31)
    assert take(control, clock, 5) == 2
    clock.advance(-2)
    assert control.credit(clock.monotonic()) == 0


@pytest.mark.parametrize(
    ("limit", "period", "mode"),
    [(0, "m", "fixed"), (1, "w", "fixed"), (1, 0, "fixed"), (1, float("inf"), "fixed"), (1, "m", "rolling")],
)
def test_a_wrong_parameter_is_named(limit, period, mode):
    with pytest.raises(ValueError, match="quota|period"):
        Quota(limit, period, mode)


def test_days_begin_at_midnight_of_the_zone_when_clocks_change_too():
    zone = zoneinfo.ZoneInfo("Europe/Berlin")
    day = Period("d", zone)
    for month, date, hours in [(3, 29, 23), (7, 1, 24), (10, 25, 25)]:
        midnight = datetime.datetime(2026, month, date, tzinfo=zone).timestamp()
        number = day.index(midnight)
        assert day.index(midnight - 1) == number - 1
        assert day.index(midnight + hours * 3600 - 1) == number
        assert day.index(midnight + hours * 3600) == number + 1


@given(st.floats(0, 4e9), st.sampled_from(["s", "m", "h", "d", 7, 0.5]))
def test_periods_follow_each_other(time, length):
    period = Period(length, datetime.timezone(datetime.timedelta(hours=5, minutes=30)))
    left = period.until_next(time)
    assert 0 < left <= period.seconds
    assert period.index(time + left + 1e-5) == period.index(time) + 1


POOLS = {"THREADING": lambda: ShrinkableThreadPoolExecutor(max_workers=8), "SINGLE_THREAD": SoloExecutor}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
@pytest.mark.parametrize("store", [None, MemoryStateStore()], ids=["local", "shared"])
def test_a_real_consumer_pulls_nothing_when_it_is_used_up(pool, store):
    clock = ManualClock(6000.0)
    queue = MemoryBroker().queue(f"quota-{id(pool)}")
    Publisher(queue).publish_many([{}] * 12)
    ran = threading.Semaphore(0)
    with pool() as workers:
        control = Quota(5, "m", store=store, clock=clock)
        with Consumer(ran.release, queue=queue, pool=workers, controls=[control]) as consumer:
            consumer.start()
            for left in (7, 2):
                assert all(ran.acquire(timeout=5) for _ in range(5))
                assert not ran.acquire(timeout=0.3)
                assert queue.size().ready == left
                clock.advance(60)
            assert all(ran.acquire(timeout=5) for _ in range(2))


@pytest.mark.parametrize("module", [quota, quota_period], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_two_shared_quotas_of_one_queue_do_not_see_each_other():
    clock = ManualClock(1_500_000.0)
    store = MemoryStateStore(clock)
    fixed, sliding = Quota(10, "m", store=store), Quota(10, 3000, mode="sliding", store=store)
    for control in (fixed, sliding):
        control.start(host(clock))
    # A reservation is small at first.
    assert sum(take(fixed, clock, 10) for _ in range(20)) == 10
    assert sum(take(sliding, clock, 10) for _ in range(20)) == 10
