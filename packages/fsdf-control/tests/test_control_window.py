"""Time windows: arithmetic, daylight saving time, and consumers that start nothing outside."""

import datetime
import doctest
import threading
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fsdf_control import local_time, window
from fsdf_control.window import TimeWindow
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.consumer import Consumer
from fsdf_core.errors import ConfigurationError
from fsdf_core.publisher import Publisher
from fsdf_core.testing.clock import ManualClock
from fsdf_pools import ShrinkableThreadPoolExecutor, SoloExecutor

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"]


def instant(text, zone=BERLIN, fold=0):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def at(text, start, end, *, opens=True, fold=0):
    clock = ManualClock(instant(text, fold=fold))
    return TimeWindow(start, end, opens=opens, timezone=BERLIN, clock=clock), clock


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("25:00", "10:00", "25:00"),
        ("10:00", "", "''"),
        (None, "10:00", "None"),
        ("10:00", "10:00:60", "10:00:60"),
        ("10:00", "10:00:00", "empty"),
    ],
)
def test_bad_times_are_named(start, end, says):
    with pytest.raises(ConfigurationError, match=says):
        TimeWindow.open_between(start, end)


def test_unknown_zone():
    with pytest.raises(ConfigurationError, match="Mars/Olympus"):
        TimeWindow.open_between("10:00", "11:00", timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("time", "start", "end", "within"),
    [
        ("09:59:59", "10:00", "22:00", False),
        ("10:00:00", "10:00", "22:00", True),
        ("21:59:59.999", "10:00:00", "22:00:00", True),
        ("22:00:00", "10:00", "22:00", False),
        ("23:00:00", "22:00", "06:00", True),
        ("00:00:00", "22:00", "06:00", True),
        ("06:00:00", "22:00", "06:00", False),
        ("12:00:00", "22:00", "06:00", False),
        ("23:59:59", "18:30:15", "00:00", True),
        ("00:00:00", "18:30:15", "00:00", False),
    ],
)
def test_the_span_and_its_opposite(time, start, end, within):
    for opens in (True, False):
        rule, _ = at(f"2026-01-15T{time}", start, end, opens=opens)
        assert bool(rule.credit(0.0)) is (within is opens)
        assert (rule.next_credit(0.0) == 0) is (within is opens)


def test_it_opens_and_closes_as_the_clock_goes_and_is_put_back():
    rule, clock = at("2026-01-15T21:00:00", "22:00", "06:00")
    assert (rule.credit(0.0), rule.next_credit(0.0)) == (0, 3600)
    clock.advance(3600)
    assert rule.credit(0.0) == float("inf")
    clock.advance(8 * 3600)
    assert (rule.credit(0.0), rule.next_credit(0.0)) == (0, 16 * 3600)
    clock.advance(-9.5 * 3600)
    assert (rule.credit(0.0), rule.next_credit(0.0)) == (0, 5400)


@pytest.mark.parametrize(
    ("now", "fold", "start", "wait"),
    [
        ("2026-03-28T23:00", 0, "03:00", 3 * 3600),  # the hour from 2 to 3 is left out
        ("2026-03-29T01:00", 0, "02:30", 3600),  # 2:30 never comes: open once the clocks show 3:00
        ("2026-10-24T23:00", 0, "03:30", 5.5 * 3600),  # the hour from 2 to 3 comes twice
        ("2026-10-25T01:30", 0, "02:30", 3600),
        ("2026-10-25T02:10", 1, "02:30", 1200),
    ],
)
def test_days_when_the_clocks_change(now, fold, start, wait):
    rule, clock = at(now, start, "12:00", fold=fold)
    assert rule.next_credit(0.0) == wait
    clock.advance(wait)
    assert rule.credit(0.0)


def test_clocks_put_back_within_the_window_close_it_again():
    rule, clock = at("2026-10-25T02:45", "02:30", "12:00")
    assert rule.credit(0.0)
    clock.advance(15 * 60)
    assert (rule.credit(0.0), rule.next_credit(0.0)) == (0, 1800)


times = st.times().map(lambda time: time.replace(microsecond=0))
changes = [instant(f"2026-{day}T00:00") for day in ("03-29", "10-25", "04-05", "03-08", "11-01")]
near_changes = st.builds(lambda day, offset: day + offset, st.sampled_from(changes), st.floats(-90_000, 180_000))


@given(
    st.one_of(st.floats(0, 4e9), near_changes),
    times,
    times,
    st.sampled_from(ZONES),
    st.booleans(),
    st.lists(st.floats(0, 1), max_size=20),
)
@example(instant("2026-10-25T01:00"), datetime.time(2, 30), datetime.time(2, 45), "Europe/Berlin", True, [0.99])
def test_it_opens_when_said_and_not_before(wall, start, end, zone, opens, looks):
    if start == end:
        return
    clock = ManualClock(wall)

    def fresh():
        return TimeWindow(str(start), str(end), opens=opens, timezone=zone, clock=clock)

    rule = fresh()
    wait = rule.next_credit(0.0)
    assert (wait == 0) is bool(rule.credit(0.0))
    assert wait <= 3 * 86_400
    for part in looks:
        clock._now = wall + part * wait
        if part * wait < wait - 1e-3:
            assert not fresh().credit(0.0)
            assert not rule.credit(0.0)
    clock._now = wall + wait + 1e-5
    local = datetime.datetime.fromtimestamp(clock.time(), ZoneInfo(zone)).time()
    within = start <= local < end if start < end else local >= start or local < end
    assert within is opens
    assert rule.credit(0.0)
    assert fresh().credit(0.0)


@pytest.mark.parametrize("kind", [ShrinkableThreadPoolExecutor, SoloExecutor])
def test_a_consumer_takes_nothing_while_closed(kind):
    queue = MemoryBroker().queue("q", serialize=True)
    Publisher(queue).publish_many({"x": x} for x in range(20))
    rule, clock = at("2026-01-15T21:59:50", "22:00", "06:00")
    asked, ran, done = threading.Event(), [], threading.Event()

    class Watched(TimeWindow):
        def next_credit(self, now):
            asked.set()
            return super().next_credit(now)

    rule.__class__ = Watched

    def task(x):
        ran.append(x)
        if len(ran) == 20:
            done.set()

    with kind(max_workers=4) as pool, Consumer(task, queue=queue, pool=pool, controls=[rule]) as consumer:
        consumer.start()
        for _ in range(2):
            asked.clear()
            assert asked.wait(5)
        assert (queue.size().ready, queue.size().unacked, ran) == (20, 0, [])
        clock.advance(10)
        assert done.wait(5)
        assert consumer.stop()
    assert sorted(ran) == list(range(20))
    assert queue.size().total == 0


@pytest.mark.parametrize("module", [local_time, window], ids=lambda module: module.__name__)
def test_docstrings_tell_the_truth(module):
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
