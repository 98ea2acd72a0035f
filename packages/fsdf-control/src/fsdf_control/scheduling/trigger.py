"""When a schedule fires, as data."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from fsdf_control.scheduling.interval_timing import IntervalTiming
from fsdf_control.scheduling.plain_trigger import build_timing, plain_arguments

if TYPE_CHECKING:
    from fsdf_control.scheduling.timing import Timing


@dataclass(frozen=True)
class Trigger:
    """A moment, an interval, or a cron-like pattern; see `DateTiming`, `IntervalTiming` and `CronTiming`.

    Attributes:
        kind: "date", "interval" or "cron".
        arguments: JSON data: dates as text or seconds since the epoch, `timezone` as an IANA name.

    Raises:
        ConfigurationError: the kind or an argument is unknown (suggests the nearest), or a value makes no sense.

    Example:
        >>> every_morning = Trigger.of("cron", timezone="Europe/Berlin", hour=8, minute=30)
        >>> every_morning.timing.first(0.0) / 3600  # on 1 January 1970 it was 7:30 in Greenwich
        7.5
    """

    kind: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _ = self.timing

    @classmethod
    def of(cls, kind: str, timezone: str | None = None, **arguments: Any) -> Trigger:
        """Return a trigger whose arguments are made JSON data, and whose time zone and start are settled.

        Args:
            kind: as the class.
            timezone: IANA name of the zone that is meant, if the arguments name none; None: the machine's.
            **arguments: as the class; dates may be datetimes, too.
        """
        plain = plain_arguments(kind, arguments, timezone)
        if kind == IntervalTiming.kind and "start_date" not in plain:
            timing = build_timing(kind, plain, 0.0)
            if isinstance(timing, IntervalTiming):
                # The first time is one interval from now, in every process that reads this.
                plain["start_date"] = round(time.time() + timing.seconds, 6)
        return cls(kind, plain)

    @property
    def timing(self) -> Timing:
        """The arithmetic."""
        return self._timing

    # With an underscore, it stays out of the JSON.
    @cached_property
    def _timing(self) -> Timing:
        return build_timing(self.kind, self.arguments, 0.0)
