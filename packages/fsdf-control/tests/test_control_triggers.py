"""Schedules as data: what is refused, and JSON."""

import pytest

from fsdf_control.scheduling import Schedule, Trigger
from fsdf_core.errors import ConfigurationError


def test_wrong_schedules_are_refused():
    trigger = Trigger.of("interval", "UTC", hours=1)
    with pytest.raises(ConfigurationError, match="no JSON data"):
        Schedule("a", "q", trigger, arguments={"x": object()})
    with pytest.raises(ConfigurationError, match="catch_up"):
        Schedule("a", "q", trigger, catch_up="some")
    with pytest.raises(ConfigurationError, match="misfire_grace_time"):
        Schedule("a", "q", trigger, misfire_grace_time=0)
    with pytest.raises(ConfigurationError, match="Did you mean 'cron'"):
        Trigger.of("crone")


@pytest.mark.parametrize("number", [1e308, 10**300, 10**400, float("inf"), float("nan"), -1e308])
@pytest.mark.parametrize("name", ["weeks", "days", "seconds", "start_date", "end_date", "jitter"])
def test_absurd_numbers_are_refused(name, number):
    with pytest.raises(ConfigurationError, match=name):
        Trigger.of("interval", "UTC", **{"hours": 1, name: number})


def test_the_longest_interval_has_moments():
    trigger = Trigger.of("interval", "UTC", days=36_000, start_date=0)
    assert trigger.timing.next_after(1.0) == 36_000 * 86400.0
    with pytest.raises(ConfigurationError, match="more than a hundred years"):
        Trigger.of("interval", "UTC", days=30_000, weeks=1_000)


def test_json_and_back():
    schedule = Schedule("a", "q", Trigger.of("cron", "UTC", hour="*/2"), {"x": [1]}, "SQLITE_QUEUE", {"priority": 3})
    assert Schedule.from_json(schedule.to_json()) == schedule


def test_jitter_is_the_same_everywhere_and_spreads():
    trigger = Trigger.of("interval", "UTC", seconds=60, start_date=0, jitter=20)
    schedule = Schedule("a", "q", trigger)
    late = [schedule.due_at(moment) - moment for moment in range(0, 6000, 60)]
    assert late == [Schedule("a", "q", trigger).due_at(moment) - moment for moment in range(0, 6000, 60)]
    assert all(0 <= each < 20 for each in late)
    assert max(late) - min(late) > 10
