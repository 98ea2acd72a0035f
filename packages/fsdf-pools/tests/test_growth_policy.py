from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fsdf_pools.growth import GrowthPolicy, Tick

TICK = 0.005


def simulate(rate, ticks, *, late=0.0, workers=1, limit=10_000, elapsed=TICK):
    """Let the policy grow a pool whose throughput is rate(workers); give the workers at the end."""
    policy = GrowthPolicy()
    for _ in range(ticks):
        taken = round(rate(workers) * elapsed)
        workers = min(limit, workers + policy.more(Tick(workers, taken, elapsed, late, 100_000)))
    return workers


def test_blocked_workers_double_each_tick():
    assert simulate(lambda _: 0, 10) == 1024


def test_quick_calls_never_grow():
    assert simulate(lambda _: 500_000, 1000) == 1


def test_calls_of_a_millisecond_that_overlap_grow_until_it_no_longer_helps():
    end = simulate(lambda workers: min(workers * 1000, 40_000), 100)
    assert 40 <= end <= 250


def test_calls_that_hold_the_interpreter_hardly_grow():
    assert simulate(lambda _: 2000, 400, late=0.005, elapsed=0.01) <= 16


def test_a_busy_interpreter_needs_more_evidence():
    assert simulate(lambda _: 0, 4, late=0.005, elapsed=0.01) == 1
    assert simulate(lambda _: 0, 5, late=0.005, elapsed=0.01) == 2


def test_a_starved_tick_among_quick_ones_is_no_reason_to_grow():
    policy = GrowthPolicy()
    for number in range(200):
        taken = 0 if number % 3 else 5000
        assert policy.more(Tick(1, taken, 0.01, 0.005, 1000)) == 0


def test_growth_resumes_when_quick_calls_turn_slow():
    policy = GrowthPolicy()
    for _ in range(50):
        policy.more(Tick(4, 20, TICK, 0.0, 1000))
    assert policy.more(Tick(4, 0, TICK, 0.0, 1000)) == 4


ticks = st.builds(
    Tick,
    st.integers(1, 5000),
    st.integers(0, 100_000),
    st.floats(0.0005, 1),
    st.floats(0, 1),
    st.integers(1, 10_000),
)


@given(st.lists(ticks, max_size=50))
def test_it_never_more_than_doubles_nor_exceeds_the_backlog(history):
    policy = GrowthPolicy()
    for tick in history:
        assert 0 <= policy.more(tick) <= min(tick.workers, tick.backlog)


@given(st.lists(ticks, max_size=50))
def test_blocked_workers_are_always_helped_in_the_end(history):
    policy = GrowthPolicy()
    for tick in history:
        policy.more(tick)
    policy.forget()
    assert any(policy.more(Tick(8, 0, 0.02, 0.01, 5)) for _ in range(3))
