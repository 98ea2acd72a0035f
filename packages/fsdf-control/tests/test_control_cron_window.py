"""Cron windows: the five fields, cron's days of the week, daylight saving time, and what a look costs."""

# ruff: noqa: DTZ001 - cron fields are about local time

import datetime
import doctest
import threading
import timeit
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control import cron_expression, cron_window
from fsdf_control.cron_expression import CronExpression
from fsdf_control.cron_window import CronWindow
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ConfigurationError
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import ShrinkableThreadPoolExecutor

SUNDAY = datetime.datetime(2026, 3, 29)
UTC = datetime.timezone.utc
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("61 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 32 * *", "day "),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day_of_week"),
        ("* * * * x", "day_of_week"),
        ("* * * * 5-1", "runs backwards"),
        ("* * * * */0", "step"),
        ("* * * * 1/", "step"),
        ("*/x * * * *", "minute"),
        ("* * * *", "5 fields"),
        ("", "5 fields"),
        (None, "5 fields"),
        ("* * * * * *", "5 fields"),
        ("0 0 30 2 *", "never"),
    ],
)
def test_what_is_wrong_is_named(text, says):
    with pytest.raises(ConfigurationError, match=says):
        CronWindow(text)


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("0", "0"),
        ("7", "0"),
        ("1", "1"),
        ("1-5", "12345"),
        ("5-7", "560"),
        ("0-2", "012"),
        ("sun", "0"),
        ("FRI-sun", "560"),
        ("*/2", "0246"),
        ("1-5/2", "135"),
        ("4/2", "46"),
        ("0,3,sat", "036"),
        ("*", "0123456"),
    ],
)
def test_days_of_the_week_mean_what_cron_means(field, days):
    expression = CronExpression(f"* * * * {field}")
    wanted = {int(day) for day in days}
    assert {day for day in range(7) if expression.matches(SUNDAY + datetime.timedelta(days=day))} == wanted


def test_a_day_of_month_or_a_day_of_week():
    either = CronExpression("0 0 13 * 5")
    assert either.matches(datetime.datetime(2026, 1, 13))  # a Tuesday
    assert either.matches(datetime.datetime(2026, 1, 16))  # a Friday
    assert not either.matches(datetime.datetime(2026, 1, 14))
    both = CronExpression("0 0 */2 * 5")
    assert not both.matches(datetime.datetime(2026, 1, 16))
    assert both.matches(datetime.datetime(2026, 1, 9))


def test_next_year_and_the_next_leap_day():
    clock = ManualClock(datetime.datetime(2026, 1, 1, tzinfo=BERLIN).timestamp())
    rule = CronWindow("30 12 29 2 *", BERLIN, clock)
    opens = datetime.datetime(2028, 2, 29, 12, 30, tzinfo=BERLIN).timestamp()
    assert rule.next_credit(0.0) == opens - clock.time()
    clock.advance(opens - clock.time() - 1)
    assert (rule.credit(0.0), rule.next_credit(0.0)) == (0, 1)
    clock.advance(1)
    assert rule.credit(0.0)
    clock.advance(60)
    assert not rule.credit(0.0)


@pytest.mark.parametrize(
    ("now", "text", "wait"),
    [
        ("2026-03-29T01:00+01:00", "30 2 * * *", 24.5 * 3600),  # 2:30 does not exist on this day
        ("2026-03-29T01:59+01:00", "0 3 * * *", 60),
        ("2026-10-25T02:50+02:00", "10 2 * * *", 20 * 60),  # 2:10 comes a second time
        ("2026-10-25T02:50+01:00", "10 2 * * *", (23 * 60 + 20) * 60),
    ],
)
def test_days_when_the_clocks_change(now, text, wait):
    clock = ManualClock(datetime.datetime.fromisoformat(now).timestamp())
    assert CronWindow(text, BERLIN, clock).next_credit(0.0) == wait


def spread(low, high):
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda two: f"{min(two)}-{max(two)}")
    part = st.one_of(number, span, st.just("*"), st.integers(1, high - low).map("*/{}".format))
    return st.lists(part, min_size=1, max_size=3).map(",".join)


@given(
    st.tuples(spread(0, 59), spread(0, 23), spread(1, 28), spread(1, 12)),
    st.datetimes(datetime.datetime(2020, 1, 1), datetime.datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_it_opens_when_a_cron_job_would_fire(fields, moment):
    minute = moment.replace(second=0, microsecond=0)
    names = dict(zip(("minute", "hour", "day", "month"), fields, strict=True))
    fires = CronTrigger(**names, timezone=UTC).get_next_fire_time(None, minute)
    rule = CronWindow(" ".join((*fields, "*")), "UTC", ManualClock(moment.timestamp()))
    assert bool(rule.credit(0.0)) is (fires == minute)
    assert rule.next_credit(0.0) == pytest.approx(max(0.0, (fires - moment).total_seconds()), abs=1e-4)


def test_a_look_is_cheap():
    for text in ("* * * * *", "0 0 29 2 *"):
        rule = CronWindow(text)
        assert min(timeit.repeat(lambda rule=rule: rule.credit(0.0), number=10_000, repeat=10)) / 10_000 < 2e-6


def test_a_consumer_runs_in_matching_minutes_only():
    queue = MemoryBroker().queue("q", serialize=True)
    clock = ManualClock(datetime.datetime(2026, 1, 1, 10, 59, 59, tzinfo=BERLIN).timestamp())
    rule = CronWindow("0 11 * * *", "Europe/Berlin", clock)
    Publisher(queue).publish({})
    ran = threading.Event()
    with (
        ShrinkableThreadPoolExecutor(max_workers=2) as pool,
        Consumer(ran.set, queue=queue, pool=pool, controls=[rule]) as consumer,
    ):
        consumer.start()
        assert not ran.wait(0.2)
        assert queue.size() == (1, 0, 0)
        clock.advance(1)
        assert ran.wait(5)
    assert queue.size().total == 0


@pytest.mark.parametrize("module", [cron_expression, cron_window], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
