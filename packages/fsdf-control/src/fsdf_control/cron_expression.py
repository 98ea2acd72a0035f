"""The five fields of a cron expression, with cron's own meaning of them."""

from __future__ import annotations

import datetime
from functools import lru_cache
from typing import Any

from fsdf_core.errors import ConfigurationError

_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LEAP_YEARS_DAYS = 366 * 28
"""Days after which the calendar repeats itself, leap days included."""


class CronExpression:
    """A set of minutes, such as "*/5 9-17 * * mon-fri".

    Fields: minute, hour, day of month, month, day of week (0 and 7 are Sunday). APScheduler's CronTrigger reads
    each of them; its other numbering of the days of the week (0 is Monday) is translated, and where both a day
    of month and a day of week are given, either suffices, as in Vixie cron and POSIX.

    Args:
        text: five fields, separated by blanks.

    Raises:
        ConfigurationError: not five fields, one that cannot be read (it is named), or no such minute ever.

    Example:
        >>> import datetime
        >>> working_hours = CronExpression("* 9-16 * * 1-5")
        >>> working_hours.matches(datetime.datetime(2026, 3, 31, 16, 59))
        True
        >>> working_hours.matches(datetime.datetime(2026, 3, 29, 12, 0))
        False
    """

    def __init__(self, text: str) -> None:
        fields = str(text).split()
        if len(fields) != len(("minute", "hour", "day", "month", "day_of_week")):
            raise ConfigurationError(
                f"a cron expression has 5 fields (minute hour day month day_of_week), such as '*/5 9-17 * * 1-5', "
                f"not {text!r}"
            )
        minute, hour, self._day_text, month, self._weekday_text = fields
        any_day = datetime.datetime(2000, 1, 1)  # noqa: DTZ001 - local by nature
        minutes, hours = _field(text, "minute", minute), _field(text, "hour", hour)
        self._minutes = [m for m in range(60) if _holds(minutes, any_day.replace(minute=m))]
        self._hours = [h for h in range(24) if _holds(hours, any_day.replace(hour=h))]
        self._day = _field(text, "day", self._day_text)
        self._month = _field(text, "month", month)
        self._weekday = _field(text, "day_of_week", self._weekday_text)
        if not any(self._holds_on(any_day + datetime.timedelta(days=day)) for day in range(_LEAP_YEARS_DAYS)):
            raise ConfigurationError(f"the cron expression {text!r} never comes true: its day is in no such month")

    def matches(self, local: datetime.datetime) -> bool:
        """Whether the minute of the local time belongs to the set."""
        return local.minute in self._minutes and local.hour in self._hours and self._holds_on(local)

    def next_today(self, local: datetime.datetime) -> datetime.datetime | None:
        """Return the first minute of the set that begins after `local` on the same day; None if there is none."""
        if not self._holds_on(local):
            return None
        for hour in self._hours:
            if hour < local.hour:
                continue
            for minute in self._minutes:
                if hour > local.hour or minute > local.minute:
                    return local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return None

    def _holds_on(self, local: datetime.datetime) -> bool:
        if not _holds(self._month, local):
            return False
        by_day, by_weekday = _holds(self._day, local), _holds(self._weekday, local)
        if self._day_text.startswith("*") or self._weekday_text.startswith("*"):
            return by_day and by_weekday
        return by_day or by_weekday


def _holds(field: Any, local: datetime.datetime) -> bool:
    return bool(field.get_next_value(local) == field.get_value(local))


def _field(text: str, name: str, value: str) -> Any:
    try:
        return _parse(name, _weekdays(value) if name == "day_of_week" else value)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the field {name} of the cron expression {text!r} cannot be {value!r}: {error}"
        ) from None


@lru_cache(maxsize=256)
def _parse(name: str, value: str) -> Any:
    from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy

    trigger = CronTrigger(**{name: value}, timezone=datetime.timezone.utc)
    return next(field for field in trigger.fields if field.name == name)


def _weekdays(value: str) -> str:
    """Return the days by name, so that their numbering does not matter."""
    days: set[int] = set()
    for part in value.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            low, high = 0, 6
        else:
            low = _weekday(first)
            high = _weekday(last) if dash else (6 if step else low)
        if dash and high == 0:
            high = 7
        if high < low:
            raise ValueError(f"{part!r} runs backwards")
        if "/" in part and not (step.isdecimal() and int(step)):
            raise ValueError(f"the step in {part!r} is no number above 0")
        days.update(day % 7 for day in range(low, high + 1, int(step or 1)))
    return ",".join(_NAMES[day] for day in sorted(days))


def _weekday(text: str) -> int:
    if text.lower() in _NAMES:
        return _NAMES.index(text.lower())
    if not (text.isascii() and text.isdecimal()) or int(text) > 7:  # noqa: PLR2004 - 7 is Sunday too
        raise ValueError(f"{text!r} is no day from 0 to 7, nor sun, mon, …")
    return int(text)
