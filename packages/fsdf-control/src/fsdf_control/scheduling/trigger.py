"""When a schedule fires, as data: the kind and the arguments of an APScheduler trigger."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPAN = ("start_date", "end_date", "timezone", "jitter")
_ARGUMENTS = {
    "date": ("run_date", "timezone"),
    "interval": ("weeks", "days", "hours", "minutes", "seconds", *_SPAN),
    "cron": ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second", *_SPAN),
}
_DATES = ("run_date", "start_date", "end_date")


@dataclass(frozen=True)
class Trigger:
    """A moment, an interval, or a cron-like pattern.

    Where the clocks are put forward, a pattern's time that they skip comes as much later; where they are put back,
    one that they show twice comes twice. Intervals know no clocks.

    Attributes:
        kind: "date", "interval" or "cron".
        arguments: those of APScheduler's `DateTrigger`, `IntervalTrigger` or `CronTrigger`, as JSON data: dates as
            ISO text, `timezone` as an IANA name, `jitter` in seconds. Note that `day_of_week=0` is Monday.

    Raises:
        ConfigurationError: the kind or an argument is unknown (suggests the nearest), or a value makes no sense.

    Example:
        >>> every_morning = Trigger.of("cron", timezone="Europe/Berlin", hour=8, minute=30)
        >>> first = every_morning.after(0.0)
        >>> first / 3600  # on 1 January 1970 it was 7:30 in Greenwich
        7.5
    """

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = _ARGUMENTS.get(self.kind)
        if known is None:
            raise ConfigurationError(
                f"trigger {self.kind!r} is none of date, interval, cron.{did_you_mean(str(self.kind), _ARGUMENTS)}"
            )
        for name in self.arguments:
            if name not in known:
                raise ConfigurationError(
                    f"a trigger of kind {self.kind} has no argument {name!r}.{did_you_mean(name, known)}"
                )
        try:
            _ = self._built
        except (TypeError, ValueError, LookupError, OverflowError) as error:
            raise ConfigurationError(f"trigger {self.kind} with {self.arguments}: {error}") from None

    @classmethod
    def of(cls, kind: str, timezone: str | None = None, **arguments: Any) -> Trigger:
        """Return a trigger whose arguments are made JSON data, and whose time zone and start are settled.

        Args:
            kind: as the class.
            timezone: IANA name of the zone that is meant; None: the machine's.
            **arguments: as the class; dates may be datetimes or dates, too.
        """
        settled = {name: _as_text(name, value) for name, value in arguments.items() if value is not None}
        if kind in _ARGUMENTS:
            settled["timezone"] = timezone or _machine_zone()
        if kind == "interval" and "start_date" not in settled and not set(settled) - set(_ARGUMENTS[kind]):
            # The first time is one interval from now, in every process that reads this.
            settled["start_date"] = cls(kind, settled).start.isoformat()
        return cls(kind, settled)

    @property
    def start(self) -> datetime.datetime:
        """When an interval begins."""
        begin: datetime.datetime = self._built.start_date
        return begin

    @cached_property
    def _built(self) -> Any:
        from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped] # noqa: PLC0415 - slow
        from apscheduler.triggers.date import DateTrigger  # type: ignore[import-untyped] # noqa: PLC0415
        from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped] # noqa: PLC0415

        arguments = dict(self.arguments)
        if self.kind == "date":
            return DateTrigger(**arguments)
        if self.kind == "interval":
            if not any(arguments.get(unit) for unit in _ARGUMENTS["interval"][:5]):
                raise ValueError("give weeks, days, hours, minutes or seconds")
            built = IntervalTrigger(**arguments)
            if built.interval_length <= 0:
                raise ValueError("the interval must be longer than 0 s")
            return built
        return CronTrigger(**arguments)

    def after(self, moment: float) -> float | None:
        """Return the first time at or after the moment, in seconds since the epoch; None if there is none."""
        return self._next(None, moment)

    def due(self, first: float, now: float) -> Iterator[float]:
        """Yield `first` and the times that follow it, up to now."""
        fire: float | None = first
        while fire is not None and fire <= now:
            yield fire
            fire = self.following(fire)

    def following(self, fire: float) -> float | None:
        """Return the time that comes after the one at `fire`; None if that was the last."""
        return self._next(fire, fire)

    def _next(self, previous: float | None, now: float) -> float | None:
        zone = self._built.timezone if self.kind != "date" else datetime.timezone.utc
        before = None if previous is None else datetime.datetime.fromtimestamp(previous, zone)
        found = self._built.get_next_fire_time(before, datetime.datetime.fromtimestamp(now, zone))
        if found is None:
            return None
        fire: float = found.timestamp()
        if previous is not None and fire <= previous:
            # Where the clocks are put back, a pattern can match the hour that it has just matched.
            return self._next(None, previous + 1)
        return fire


def _as_text(name: str, value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    if name in _DATES and not isinstance(value, str):
        raise ConfigurationError(f"{name} is a datetime or ISO text, not {value!r}")
    return value if isinstance(value, str | int | float) else str(value)


def _machine_zone() -> str:
    from tzlocal import get_localzone  # noqa: PLC0415 - reads the machine's settings

    return str(get_localzone())
