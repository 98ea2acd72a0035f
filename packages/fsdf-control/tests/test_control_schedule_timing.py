"""Dates, intervals and what is asked of every trigger."""

import datetime
import math
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control.scheduling.interval_timing import IntervalTiming
from fsdf_control.scheduling.plain_trigger import build_timing, plain_arguments
from fsdf_core.errors import ConfigurationError

UTC = datetime.timezone.utc
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
moments = st.integers(1_500_000_000_000_000, 1_900_000_000_000_000).map(lambda micros: micros / 1e6)


@given(anchor=moments, step=st.integers(50_000, 10**12), after=moments)
def test_an_interval_stays_on_its_grid(anchor, step, after):
    timing = IntervalTiming({"seconds": step / 1e6}, UTC, anchor)
    found = timing.next_after(after)
    assert found > after
    assert found >= anchor
    assert round((found - anchor) * 1e6) % step in {0, 1, step - 1}  # as exact as floats of this size are
    assert found == anchor or found - step / 1e6 <= after + 1e-6
    assert timing.next_after(found) == pytest.approx(found + step / 1e6, abs=1e-6)


@given(anchor=moments, step=st.integers(50_000, 10**12), first=st.integers(0, 1000), more=st.integers(0, 10**9))
def test_the_latest_of_an_interval_is_found_at_once(anchor, step, first, more):
    timing = IntervalTiming({"seconds": step / 1e6}, UTC, anchor)
    begin = timing.next_after(anchor + first * step / 1e6)
    now = begin + more
    latest = timing.latest(begin, now)
    assert begin <= latest <= now + 1e-6
    assert timing.next_after(latest) > now - 1e-6


def test_a_day_of_an_interval_has_24_hours_whatever_the_clocks_do():
    arguments = plain_arguments("interval", {"days": 1, "start_date": "2026-03-28 12:00"}, "Europe/Berlin")
    timing = build_timing("interval", arguments, 0.0)
    start = datetime.datetime(2026, 3, 28, 12, tzinfo=BERLIN).timestamp()
    assert timing.first(start) == start
    assert datetime.datetime.fromtimestamp(timing.next_after(start), BERLIN).hour == 13


def test_an_interval_ends():
    arguments = {"hours": 1, "start_date": 0, "end_date": 7200}
    timing = IntervalTiming(arguments, UTC, 0.0)
    assert [timing.next_after(0), timing.next_after(3600), timing.next_after(7200)] == [3600, 7200, None]
    assert timing.latest(3600, 1e9) == 7200


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        ("interval", {}, "at least 0.05 s, they are 0 s"),
        ("interval", {"seconds": 0.01}, "at least 0.05 s"),
        ("interval", {"seconds": "5"}, "interval: seconds must be a number"),
        ("interval", {"seconds": -5, "minutes": 1}, "interval: seconds must be a number"),
        ("interval", {"seconds": math.nan}, "interval: seconds"),
        ("interval", {"second": 5}, "no argument 'second'. Did you mean 'seconds'"),
        ("interval", {"seconds": 5, "jitter": "x"}, "interval: jitter"),
        ("interval", {"seconds": 5, "start_date": object()}, "interval: start_date"),
        ("date", {}, "date: run_date is missing"),
        ("date", {"run_date": "soon"}, "date: run_date: 'soon'"),
        ("date", {"run_date": 1, "seconds": 5}, "no argument 'seconds'"),
        ("intervall", {"seconds": 5}, "not 'intervall'. Did you mean 'interval'"),
        ("cron", {"hour": 1, "timezone": "Europe/Berlim"}, "unknown time zone 'Europe/Berlim'"),
        ("cron", {"hour": 1, "timezone": datetime.timezone(datetime.timedelta(hours=2))}, "timezone: .* IANA"),
    ],
)
def test_a_wrong_argument_is_named(kind, arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        plain_arguments(kind, arguments, "UTC")


def test_dates_are_read_in_the_time_zone_given_in_the_end():
    for given_date in (
        "2026-07-01 12:00",
        datetime.datetime(2026, 7, 1, 12),  # noqa: DTZ001 - read in the zone
        datetime.datetime(2026, 7, 1, 10, tzinfo=UTC),
    ):
        plain = plain_arguments("date", {"run_date": given_date}, "Europe/Berlin")
        assert build_timing("date", plain, 0.0).first(0.0) == datetime.datetime(2026, 7, 1, 10, tzinfo=UTC).timestamp()
    plain = plain_arguments("date", {"run_date": datetime.date(2026, 7, 1), "timezone": BERLIN}, "Asia/Tokyo")
    assert build_timing("date", plain, 0.0).first(0.0) == datetime.datetime(2026, 6, 30, 22, tzinfo=UTC).timestamp()


def test_the_zone_is_stored_by_name_so_that_every_host_reads_the_same():
    assert plain_arguments("cron", {"hour": 1}, "Asia/Tokyo")["timezone"] == "Asia/Tokyo"
    assert plain_arguments("cron", {"hour": 1, "timezone": UTC}, "Asia/Tokyo")["timezone"] == "UTC"
    assert zoneinfo.ZoneInfo(plain_arguments("cron", {"hour": 1}, None)["timezone"])
