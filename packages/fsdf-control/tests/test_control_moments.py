"""Times as people and other programs write them."""

import datetime
import zoneinfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsdf_control.moments import epoch_of, iso_text, zone_of
from fsdf_core.errors import ConfigurationError

UTC = datetime.timezone.utc
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
zones = st.sampled_from(
    [None]
    + [
        zoneinfo.ZoneInfo(name)
        for name in (
            "UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Asia/Shanghai", "Asia/Kathmandu",
            "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo",
        )
    ]
)  # fmt: skip
locals_ = st.datetimes(datetime.datetime(1975, 1, 1), datetime.datetime(2037, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "garbage",
    [
        "", "soon", "12:00", "2026-02-30", "2026-03-31 25:00:00", "31.03.2026", "2026-03-31T17:40:00+25:00",
        "2026-03-31 17:40:00 Europe/Berlin", "1774950000", 1774950000000, float("nan"), float("inf"), 10**400,
        True, [], {}, b"2026-03-31", object(), datetime.date(2026, 3, 31), "9" * 10_000,
    ],
)  # fmt: skip
def test_garbage_is_refused_briefly(garbage):
    with pytest.raises(ConfigurationError) as caught:
        epoch_of(garbage, UTC)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("edge", [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31, 23, 59)])  # noqa: DTZ001
@pytest.mark.parametrize("zone", [None, UTC, zoneinfo.ZoneInfo("Asia/Shanghai"), zoneinfo.ZoneInfo("America/New_York")])
def test_the_ends_of_time_are_no_crash(edge, zone):
    try:
        epoch = epoch_of(edge, zone)
        iso_text(epoch, zone)
    except ConfigurationError:
        pass
    for far in (1e300, -1e300, 253_402_300_799.0 + 90_000):
        with pytest.raises(ConfigurationError):
            iso_text(far, zone)


def test_unknown_zones_are_named():
    for name in ("Berlin", "", "../../etc/passwd", "Europe"):
        with pytest.raises(ConfigurationError, match="time zone"):
            zone_of(name)
    assert zone_of(None) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01 01:00:05", 5),
        ("1970-01-01T01:00:05", 5),
        ("1970-01-01T01:00", 0),
        ("1970-01-01", -3600),
        (" 1970-01-01 01:00:05 ", 5),
        ("1970-01-01T00:00:05Z", 5),
        ("1970-01-01t00:00:05z", 5),
        ("1970-01-01T00:00:05.25+00:00", 5.25),
        ("1970-01-01T00:00:05,250Z", 5.25),
        ("1970-01-01T00:00:05.123456789Z", 5.123456),
        ("1970-01-01T02:00:05+0200", 5),
        ("1970-01-01T02:00:05 +02", 5),
        ("1969-12-31T20:30:05-03:30", 5),
        (5, 5),
        (5.5, 5.5),
    ],
)
def test_forms(text, seconds):
    assert epoch_of(text, BERLIN) == seconds


def test_a_skipped_time_is_moved_forward():
    skipped = epoch_of("2026-03-29 02:30:00", BERLIN)
    assert iso_text(skipped, BERLIN) == "2026-03-29T03:30:00+02:00"


def test_a_time_shown_twice_is_the_first_unless_told_otherwise():
    assert iso_text(epoch_of("2026-10-25 02:30:00", BERLIN), UTC) == "2026-10-25T00:30:00+00:00"
    second = datetime.datetime(2026, 10, 25, 2, 30, fold=1)  # noqa: DTZ001
    assert iso_text(epoch_of(second, BERLIN), UTC) == "2026-10-25T01:30:00+00:00"


@given(st.floats(-1e9, 4e9), zones, zones)
def test_iso_text_is_read_alike_in_every_zone(epoch, written, read):
    assert epoch_of(iso_text(epoch, written), read) == pytest.approx(epoch, abs=2e-6)


@given(locals_, zones)
def test_a_local_time_is_what_the_clocks_show_or_is_moved_out_of_a_gap(local, zone):
    epoch = epoch_of(local, zone)
    shown = datetime.datetime.fromtimestamp(epoch, UTC).astimezone(zone)
    moved = shown.replace(tzinfo=None) - local
    if moved:
        # Nothing shows it: neither just before nor just after the gap.
        assert datetime.timedelta(0) < moved <= datetime.timedelta(days=1)
        before = datetime.datetime.fromtimestamp(epoch - moved.total_seconds(), UTC).astimezone(zone)
        assert before.replace(tzinfo=None) != local
    else:
        assert epoch_of(shown.replace(fold=0), zone) == epoch


@given(st.floats(0, 2e9), zones)
@example(1792891800.0, BERLIN)
def test_of_two_equal_local_times_it_is_the_first(epoch, zone):
    epoch = float(int(epoch))
    local = datetime.datetime.fromtimestamp(epoch, UTC).astimezone(zone)
    found = epoch_of(local.replace(tzinfo=None, fold=0), zone)
    assert found <= epoch
    assert local.fold == (found < epoch)
