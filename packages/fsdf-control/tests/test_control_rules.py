"""The rules, without threads, brokers or sleeping."""

import doctest
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control import RateLimit, Requeue, Retry, rate_limit, requeue, retry
from fsdf_core.errors import ExceptionForPushToDlxqueue, ExceptionForRequeue, ExceptionForRetry
from fsdf_core.message import Message
from fsdf_core.verdict import Fail
from fsdf_core.verdict import Requeue as PutBack
from fsdf_core.verdict import Retry as RunAgain


def starts(limit, times):
    """Take all credit at each time."""
    count = 0
    for now in times:
        credit = int(limit.credit(now))
        if credit:
            limit.spend(credit, now)
            count += credit
    return count


@pytest.mark.parametrize("qps", [0.01, 0.2, 1, 5, 50, 500, 5000])
def test_holds_the_rate(qps):
    seconds = max(60, int(5 / qps))
    times = [tick / 1000 for tick in range(seconds * 1000)]
    assert starts(RateLimit(qps), times) == pytest.approx(qps * seconds, rel=0.01, abs=1)


def test_starts_are_evenly_spaced():
    limit = RateLimit(5)
    began = [tick / 100 for tick in range(300) if starts(limit, [tick / 100])]
    assert {round(after - before, 2) for before, after in itertools.pairwise(began)} <= {0.19, 0.2, 0.21}


def test_no_burst_after_a_pause():
    limit = RateLimit(100)
    starts(limit, [0.0])
    assert starts(limit, [10.0]) <= 5


def test_an_offer_that_waited_is_not_made_up_for():
    limit = RateLimit(10)
    assert limit.credit(0.0) == 1
    limit.spend(1, 7.0)
    assert limit.credit(7.05) == 0
    assert limit.next_credit(7.05) == pytest.approx(0.05)


def test_rate_may_change():
    limit = RateLimit(1)
    starts(limit, [0.0])
    limit.qps = 10
    assert limit.next_credit(0.0) == pytest.approx(0.1)
    for bad in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="qps"):
            limit.qps = bad


@given(st.floats(0.01, 5000), st.lists(st.floats(0, 3), min_size=1, max_size=60))
def test_never_more_than_the_rate(qps, pauses):
    times = []
    now = 0.0
    for pause in pauses:
        now += pause
        times.append(now)
    assert starts(RateLimit(qps), times) <= qps * now + max(1, 0.05 * qps) + 1


def test_retry_counts_and_overrides():
    rule = Retry(max_retries=2)
    plain = Message({}, {})
    assert [rule.on_error(plain, ValueError(), attempt) for attempt in (1, 2, 3)] == [RunAgain(), RunAgain(), Fail()]
    assert rule.on_error(plain, ExceptionForRetry(), 1) == RunAgain()
    assert rule.on_error(Message({}, {"max_retry_times": 0}), ValueError(), 1) == Fail()
    assert rule.on_error(Message({}, {"max_retry_times": 5}), ValueError(), 5) == RunAgain()
    assert rule.on_error(plain, ExceptionForRequeue(), 1) is None
    assert rule.on_error(plain, ExceptionForPushToDlxqueue(), 1) is None
    with pytest.raises(ValueError, match="negative"):
        Retry(-1)


def test_requeue_answers_its_signal_only():
    assert Requeue(2).on_error(Message({}, {}), ExceptionForRequeue(), 1) == PutBack(2)
    assert Requeue().on_error(Message({}, {}), ValueError(), 1) is None


@pytest.mark.parametrize("module", [rate_limit, retry, requeue], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
