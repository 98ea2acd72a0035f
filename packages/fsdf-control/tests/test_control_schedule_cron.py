"""Cron over changes of the clocks."""

import datetime
import itertools
import zoneinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsdf_control.scheduling.cron_timing import CronTiming
from fsdf_core.errors import ConfigurationError

UTC = datetime.timezone.utc
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # by half an hour
    "Africa/Cairo",  # at midnight
    "America/Santiago",  # at midnight, autumn before spring
    "Asia/Kolkata",
    "Pacific/Apia",  # skipped a whole day in 2011
    "Africa/Casablanca",  # about Ramadan
]
zones = st.sampled_from(ZONES).map(zoneinfo.ZoneInfo)
starts = st.integers(0, 16 * 365 * 86400).map(lambda seconds: 1_262_304_000.0 + seconds)


def berlin(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


def run(timing, start, count):
    found = []
    for _ in range(count):
        start = timing.next_after(start)
        found.append(start)
    return found


def shown(moment, zone=BERLIN):
    return datetime.datetime.fromtimestamp(moment, zone).strftime("%d %H:%M:%S %z")


def test_a_daily_job_in_the_skipped_hour_runs_when_the_clocks_jump():
    timing = CronTiming({"hour": 2, "minute": 30}, BERLIN)
    assert [shown(moment) for moment in run(timing, berlin("2026-03-28T00:00"), 3)] == [
        "28 02:30:00 +0100",
        "29 03:00:00 +0200",
        "30 02:30:00 +0200",
    ]


def test_a_daily_job_in_the_hour_shown_twice_runs_the_first_time():
    timing = CronTiming({"hour": 2, "minute": 30}, BERLIN)
    assert [shown(moment) for moment in run(timing, berlin("2026-10-24T12:00"), 2)] == [
        "25 02:30:00 +0200",
        "26 02:30:00 +0100",
    ]


def test_between_the_two_the_second_is_not_run_either():
    second = datetime.datetime(2026, 10, 25, 2, 10, tzinfo=BERLIN, fold=1).timestamp()
    assert shown(CronTiming({"hour": 2, "minute": 30}, BERLIN).next_after(second)) == "26 02:30:00 +0100"


def test_an_hourly_job_follows_the_clocks():
    timing = CronTiming({"minute": 30}, BERLIN)
    assert [shown(moment) for moment in run(timing, berlin("2026-03-29T01:00"), 2)] == [
        "29 01:30:00 +0100",
        "29 03:30:00 +0200",
    ]
    assert [shown(moment) for moment in run(timing, berlin("2026-10-25T02:00"), 3)] == [
        "25 02:30:00 +0200",
        "25 02:30:00 +0100",
        "25 03:30:00 +0100",
    ]


def test_many_skipped_times_are_made_up_for_by_one_tick():
    timing = CronTiming({"hour": "2-3", "minute": "*/15"}, BERLIN)
    assert [shown(moment)[3:8] for moment in run(timing, berlin("2026-03-29T00:00"), 5)] == [
        "03:00", "03:15", "03:30", "03:45", "02:00",
    ]  # fmt: skip


def test_a_skipped_midnight_does_not_lose_the_day():
    cairo = zoneinfo.ZoneInfo("Africa/Cairo")
    start = datetime.datetime(2026, 4, 23, 12, tzinfo=cairo).timestamp()
    assert [shown(moment, cairo) for moment in run(CronTiming({"hour": 0}, cairo), start, 2)] == [
        "24 01:00:00 +0300",
        "25 00:00:00 +0300",
    ]


def test_start_and_end_are_inclusive():
    timing = CronTiming({"hour": 8, "start_date": "2026-05-02 08:00", "end_date": "2026-05-03 08:00"}, BERLIN)
    assert timing.first(berlin("2026-01-01T00:00")) == berlin("2026-05-02T08:00")
    assert run(timing, berlin("2026-01-01T00:00"), 2) == [berlin("2026-05-02T08:00"), berlin("2026-05-03T08:00")]
    assert timing.next_after(berlin("2026-05-03T08:00")) is None


def test_a_day_that_is_in_no_month_never_comes():
    assert CronTiming({"month": 2, "day": 30}, BERLIN).first(0.0) is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"hour": 25}, "cron: hour cannot be 25"),
        ({"hour": 1, "minute": "x"}, "cron: minute cannot be 'x'"),
        ({"hours": 1}, "no argument 'hours'. Did you mean 'hour'"),
        ({}, "at least one of"),
        ({"hour": 1, "end_date": "tomorrow"}, "cron: end_date"),
        ({"hour": 1, "jitter": -1}, "cron: jitter"),
        ({"minute": []}, "cron: minute"),
    ],
)
def test_a_wrong_argument_is_named(arguments, said):
    with pytest.raises(ConfigurationError, match=said):
        CronTiming(arguments, BERLIN)


@given(zone=zones, start=starts, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_daily_job_runs_once_for_every_day(zone, start, hour, minute):
    timing = CronTiming({"hour": hour, "minute": minute}, zone)
    moments = run(timing, start, 20)
    for moment, following in itertools.pairwise(moments):
        # A day of the clocks has 24 hours, give or take what they are changed by.
        assert 22.4 * 3600 < following - moment < 25.6 * 3600 or zone.key == "Pacific/Apia"
    for moment in moments:
        local = datetime.datetime.fromtimestamp(moment, zone)
        if (local.hour, local.minute) != (hour, minute):
            before = datetime.datetime.fromtimestamp(moment - 1, zone)
            assert before.utcoffset() < local.utcoffset()  # the clocks have just jumped
        assert local.fold == 0


@given(zone=zones, start=starts, minute=st.sampled_from(["*/10", "*/15", "7", "0,30", "59"]))
def test_an_hourly_job_runs_at_every_matching_time_of_the_clocks(zone, start, minute):
    timing = CronTiming({"minute": minute}, zone)
    wanted = set(range(0, 60, int(minute[2:]))) if minute[0] == "*" else set(map(int, minute.split(",")))
    start = start // 60 * 60
    expected = [
        moment
        for moment in (start + 60 * step for step in range(1, 30 * 60))
        if datetime.datetime.fromtimestamp(moment, zone).minute in wanted
    ]
    assert run(timing, start, len(expected)) == expected


@given(zone=zones, start=starts, later=st.integers(0, 40 * 86400), hour=st.sampled_from(["*", 2, "0-3", "*/6"]))
def test_the_latest_moment_is_the_last_of_all(zone, start, later, hour):
    timing = CronTiming({"hour": hour, "minute": 30}, zone)
    first = timing.next_after(start)
    latest = timing.latest(first, first + later)
    assert first <= latest <= first + later
    assert timing.next_after(latest) > first + later
