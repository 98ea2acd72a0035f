"""The rate limit in a model of the dispatcher, and in real consumers."""

import bisect
import doctest
import itertools
import random
import statistics
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fsdf_control import rate_limit
from fsdf_control.rate_limit import RateLimit
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor


def model(limit, seconds, duration, *, workers=500, filled=lambda now: True, round_trip=0.0003, late=0.0005, seed=1):
    """Do as the dispatcher does, by a clock of its own; return the start times.

    `duration(now)` is how long a task takes, `filled(now)` whether the queue has messages.
    """
    rng = random.Random(seed)
    clock = ManualClock(0.0)
    busy = []
    starts = []
    while clock.time() < seconds:
        now = clock.time()
        busy = [end for end in busy if end > now]
        credit = limit.credit(now)
        if not credit:
            clock.advance(max(min(1.0, limit.next_credit(now)), 1e-6) + rng.uniform(0, 2 * late))
            continue
        room = min(credit, workers - len(busy))
        if not room:
            clock.advance(max(1e-6, min(0.05, min(busy) - now)) + rng.uniform(0, late))
            continue
        if not filled(now):
            clock.advance(0.01)
            continue
        clock.advance(rng.uniform(0, 2 * round_trip))
        count = min(room, limit.credit(clock.time()))
        limit.spend(count, clock.time())
        starts += [clock.time()] * count
        busy += [clock.time() + duration(clock.time()) for _ in range(count)]
    return [start for start in starts if start < seconds]


DURATIONS = {
    "0.1 ms": lambda now: 0.0001,
    "1 s": lambda now: 1.0,
    "random 0-50 ms": lambda now: random.Random(now).uniform(0, 0.05),
    "from 0.1 ms to 30 s and back": lambda now: 30.0 if 20 < now < 20.2 else 0.0001,
}


@pytest.mark.parametrize("duration", DURATIONS.values(), ids=DURATIONS)
@pytest.mark.parametrize("qps", [0.5, 5, 50, 500])
def test_a_minute_has_sixty_times_qps_starts(qps, duration):
    starts = model(RateLimit(qps), 60, duration, workers=1000)
    assert len(starts) == pytest.approx(qps * 60, rel=0.01, abs=1)
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert statistics.median(gaps) == pytest.approx(1 / qps, rel=0.1, abs=0.001)


@pytest.mark.parametrize("qps", [0.01, 5000])
def test_the_extremes_hold_too(qps):
    seconds = 500 if qps < 1 else 10
    starts = model(RateLimit(qps), seconds, lambda now: 0.0001)
    assert len(starts) == pytest.approx(qps * seconds, rel=0.01, abs=1)


def test_one_worker_with_random_durations_holds_the_rate():
    starts = model(RateLimit(30), 60, DURATIONS["random 0-50 ms"], workers=1)
    assert len(starts) == pytest.approx(1800, rel=0.01)


def test_a_machine_that_stalls_is_made_up_for_without_a_burst():
    stalls = iter([5.0, 5.3, 11.0])
    stall_at = [next(stalls)]
    limit = RateLimit(100)
    clock = ManualClock(0.0)
    starts = []
    while clock.time() < 30:
        if stall_at[0] is not None and clock.time() >= stall_at[0]:
            stall_at[0] = next(stalls, None)
            clock.advance(0.2)
        credit = limit.credit(clock.time())
        if credit:
            limit.spend(credit, clock.time())
            starts += [clock.time()] * credit
        clock.advance(max(1e-6, limit.next_credit(clock.time())))
    assert len(starts) == pytest.approx(3000, abs=3)
    assert most_within(starts, 0.1) <= 16


def most_within(starts, window):
    return max(bisect.bisect_left(starts, start + window) - place for place, start in enumerate(starts))


@pytest.mark.parametrize("qps", [1, 20, 500])
@pytest.mark.parametrize("pause", [0.06, 0.9, 10.0])
def test_no_burst_after_an_empty_queue(qps, pause):
    begun = 5.0
    starts = model(RateLimit(qps), 20, lambda now: 0.0, filled=lambda now: not begun < now < begun + pause)
    after = [start for start in starts if begun + pause <= start <= begun + pause + 1]
    assert len(after) <= qps * 1.01 + 1
    assert most_within(after, 10 / qps) <= 11 + qps * 0.02


@pytest.mark.parametrize("qps", [5, 50, 1000])
def test_no_burst_after_a_full_pool(qps):
    starts = model(RateLimit(qps), 30, lambda now: 10.0 if now < 10 else 0.0, workers=8)
    later = [start for start in starts if start > 10]
    assert most_within(later, 10 / qps) <= 11 + qps * 0.02
    assert len([start for start in starts if 21 <= start < 29]) == pytest.approx(qps * 8, rel=0.01, abs=1)


def test_an_offer_looked_at_again_is_still_one_that_waited():
    limit = RateLimit(1)
    assert limit.credit(0.0) == 1
    assert limit.credit(0.9) == 1
    limit.spend(1, 0.9)
    assert limit.credit(1.5) == 0
    assert limit.next_credit(1.5) == pytest.approx(0.4)


@settings(deadline=None)
@given(st.floats(0.01, 5000), st.integers(0, 1000), st.floats(0, 0.04), st.integers(1, 50))
def test_never_more_than_the_rate_over_any_time(qps, seed, round_trip, workers):
    starts = model(
        RateLimit(qps), min(10, 1000 / qps), lambda now: 0.01, seed=seed, round_trip=round_trip, workers=workers
    )
    for place, start in enumerate(starts):
        assert place <= (start - starts[0] + rate_limit._GRAIN) * qps + 1


def test_a_new_rate_counts_at_once():
    limit = RateLimit(0.01)
    limit.credit(0.0)
    limit.spend(1, 0.0)
    limit.qps = 10
    assert limit.next_credit(5.0) == 0
    assert limit.credit(5.0) == 1
    limit.spend(1, 5.0)
    assert limit.next_credit(5.0) == pytest.approx(0.1)
    limit.qps = 0.1
    assert limit.next_credit(5.0) == pytest.approx(10)


POOLS = {"THREADING": lambda: ShrinkableThreadPoolExecutor(max_workers=400), "SINGLE_THREAD": SoloExecutor}


def consume(limit, seconds, seconds_each=lambda: 0.0, pool=POOLS["THREADING"]):
    """Run a consumer with more messages than it can run; return the starts of its first `seconds`."""
    queue = MemoryBroker().queue("rates", serialize=True)
    Publisher(queue).publish_many([{}] * int(limit.qps * seconds * 2 + 50))
    starts, most_held = [], []
    pause = threading.Event()

    def task():
        starts.append(time.monotonic())
        most_held.append(queue.size().unacked)
        pause.wait(seconds_each())

    with pool() as workers, Consumer(task, queue=queue, pool=workers, controls=[limit]) as consumer:
        consumer.start()
        threading.Event().wait(seconds + 0.2)
        pause.set()
    starts.sort()
    return [start for start in starts if start < starts[0] + seconds], max(most_held)


@pytest.mark.parametrize("kind", ["0 ms", "random", "0.5 s"])
@pytest.mark.parametrize("qps", [5, 50, 500])
@pytest.mark.realtime
def test_a_real_consumer_holds_the_rate(qps, kind):
    rng = random.Random(3)
    each = {"0 ms": lambda: 0.0, "random": lambda: rng.uniform(0, 0.05), "0.5 s": lambda: 0.5}[kind]
    starts, most_held = consume(RateLimit(qps), 2, each)
    assert len(starts) == pytest.approx(qps * 2, rel=0.01, abs=3 + qps * 0.02)
    gaps = [after - before for before, after in itertools.pairwise(starts)]
    assert statistics.median(gaps) == pytest.approx(1 / qps, rel=0.25)
    assert most_held <= qps * (1 + each()) + 2


@pytest.mark.realtime
def test_a_real_consumer_holds_a_high_rate():
    starts, most_held = consume(RateLimit(2000), 2)
    assert len(starts) == pytest.approx(4000, rel=0.03)
    assert most_held <= 2000
    assert most_within(starts[:1000], 0.1) <= 260


@pytest.mark.parametrize("qps", [5, 50])
@pytest.mark.realtime
def test_a_single_thread_holds_the_rate(qps):
    rng = random.Random(3)
    starts, _ = consume(RateLimit(qps), 3, lambda: rng.uniform(0, 1 / qps), POOLS["SINGLE_THREAD"])
    assert len(starts) == pytest.approx(qps * 3, rel=0.01, abs=3)


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_the_rate_of_a_running_consumer_changes_at_once(pool):
    limit = RateLimit(0.01)
    changed = []

    def steer():
        threading.Event().wait(0.3)
        limit.qps = 100
        changed.append(time.monotonic())

    queue = MemoryBroker().queue("changing")
    Publisher(queue).publish_many([{}] * 50)
    starts = []
    enough = threading.Event()

    def task():
        starts.append(time.monotonic())
        if len(starts) == 50:
            enough.set()

    with pool() as workers, Consumer(task, queue=queue, pool=workers, controls=[limit]) as consumer:
        consumer.start()
        steer()
        assert enough.wait(10)
    assert sum(start < changed[0] for start in starts) <= 1
    assert starts[1] - changed[0] < 0.3
    assert starts[-1] - starts[1] == pytest.approx(0.48, abs=0.15)


def test_docstrings_tell_the_truth():
    assert doctest.testmod(rate_limit) == doctest.TestResults(0, 4)
