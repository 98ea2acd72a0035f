"""When the clock on the wall shows certain times."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from fsdf_control.scheduling.timing import Timing, checked_names, moment_of, seconds_of
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_UTC = datetime.timezone.utc
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, naive as all instants here
_MICRO = datetime.timedelta(microseconds=1)
_SECOND = datetime.timedelta(seconds=1)
_DAY = datetime.timedelta(days=1)

_FIELDS = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second")


class CronTiming(Timing):
    """Moments whose local time matches all fields.

    Fields are those of APScheduler 3's CronTrigger, which finds the matching local times: a number or text such as
    "*/5", "1-5", "mon,wed", "last", "2nd fri". Day of week 0 is Monday. Fields left out are "*" above the finest one
    given, and their least value below it.

    Clocks that are put forward or back are met as Vixie cron does. With a fixed hour, times that the clocks skip
    are made up for by one tick when they jump, and times that they show twice count the first time: a daily job
    runs once on every day. With an hour of "*" or "*/n" the clocks are followed: skipped times do not happen, and
    those shown twice happen twice.

    Args:
        arguments: at least one field; `start_date` and `end_date` (both inclusive; a datetime, ISO text or seconds
            since the epoch), `jitter` (seconds; default 0).
        zone: whose local time counts.

    Raises:
        ConfigurationError: an argument is unknown or cannot be read; names it.

    Example:
        >>> import zoneinfo
        >>> hourly = CronTiming({"minute": 5}, zoneinfo.ZoneInfo("Europe/Berlin"))
        >>> hourly.first(now=0.0), hourly.next_after(300.0)
        (300.0, 3900.0)
    """

    kind = "cron"
    names = (*_FIELDS, "start_date", "end_date", "timezone", "jitter")

    def __init__(self, arguments: Mapping[str, Any], zone: datetime.tzinfo) -> None:
        from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy

        checked_names(self.kind, arguments, self.names)
        fields = {name: arguments[name] for name in _FIELDS if arguments.get(name) is not None}
        if not fields:
            raise ConfigurationError(f"cron: give at least one of {', '.join(_FIELDS)}")
        for name, value in fields.items():
            try:
                CronTrigger(**{name: value}, timezone=_UTC)
            except (ValueError, TypeError) as error:
                raise ConfigurationError(f"cron: {name} cannot be {value!r}: {error}") from None
        # The calendar without any zone: UTC has no gaps.
        self._trigger = CronTrigger(**fields, timezone=_UTC)
        hour = next(field for field in self._trigger.fields if field.name == "hour")
        self._fixed_hour = not str(hour).startswith("*")
        self._zone = zone
        self._start = moment_of(self.kind, "start_date", arguments.get("start_date"), zone)
        self._end = moment_of(self.kind, "end_date", arguments.get("end_date"), zone)
        self.jitter = seconds_of(self.kind, "jitter", arguments.get("jitter"))

    def first(self, now: float) -> float | None:
        """Return the first moment from `now` on."""
        return self.next_after(now - 1e-6)

    def next_after(self, moment: float) -> float | None:
        """Return the first moment after the given one."""
        if self._start is not None:
            moment = max(moment, self._start - 1e-6)
        try:
            found = self._found(_EPOCH + datetime.timedelta(microseconds=round(moment * 1e6) + 1))
        except OverflowError:
            return None
        if found is None:
            return None
        seconds = (found - _EPOCH) / _SECOND
        return None if self._end is not None and seconds > self._end else seconds

    def _found(self, instant: datetime.datetime) -> datetime.datetime | None:
        while True:
            offset = self._offset(instant)
            wall = self._wall(instant + offset)
            if wall is None:
                return None
            found = wall - offset
            change = self._change(instant, found)
            if change is None:
                if not (self._fixed_hour and self._shown_again(found)):
                    return found
                instant = found + _MICRO
            elif self._fixed_hour and wall < change + self._offset(change):
                return change
            else:
                instant = change

    def _wall(self, wall: datetime.datetime) -> datetime.datetime | None:
        """Return the first local time that matches, from the given one on."""
        found = self._trigger.get_next_fire_time(None, wall.replace(tzinfo=_UTC))
        return None if found is None else found.replace(tzinfo=None)

    def _change(self, after: datetime.datetime, until: datetime.datetime) -> datetime.datetime | None:
        """Return the first instant at which the offset from UTC is another one."""
        offset = self._offset(after)
        low = after
        while low < until:
            high = min(low + _DAY, until)
            if self._offset(high) != offset:
                return self._bisected(low, high, offset)
            low = high
        return None

    def _bisected(
        self, low: datetime.datetime, high: datetime.datetime, offset: datetime.timedelta
    ) -> datetime.datetime:
        # Clocks are changed at whole seconds.
        low, high = low.replace(microsecond=0), high if not high.microsecond else high + _SECOND
        high = high.replace(microsecond=0)
        while high - low > _SECOND:
            middle = low + (high - low) // _SECOND // 2 * _SECOND
            if self._offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high

    def _offset(self, instant: datetime.datetime) -> datetime.timedelta:
        return instant.replace(tzinfo=_UTC).astimezone(self._zone).utcoffset() or datetime.timedelta()

    def _shown_again(self, instant: datetime.datetime) -> bool:
        return instant.replace(tzinfo=_UTC).astimezone(self._zone).fold == 1
