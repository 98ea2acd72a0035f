"""Again and again after the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_control.scheduling.timing import LONGEST, Timing, checked_names, moment_of, seconds_of
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping

_UNITS = {"weeks": 604800, "days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
_SHORTEST = 0.05
_MICRO = 1_000_000


class IntervalTiming(Timing):
    """Moments at equal distances of elapsed time: changes to daylight saving time do not matter.

    They lie on the grid `start_date + n * interval`, whatever the delay of a tick.

    Args:
        arguments: `weeks`, `days`, `hours`, `minutes`, `seconds` (numbers, added up: from 0.05 s to a
            hundred years), `start_date` and `end_date` (both inclusive; a datetime, ISO text or seconds since the
            epoch), `jitter` (seconds; default 0).
        zone: reads moments without an offset.
        anchor: the start if there is no `start_date`, in seconds since the epoch; a job keeps it.

    Raises:
        ConfigurationError: an argument is unknown or cannot be read, or the interval is too short or too long.

    Example:
        >>> import datetime
        >>> minutely = IntervalTiming({"minutes": 1}, datetime.timezone.utc, anchor=60.0)
        >>> minutely.first(now=0.0), minutely.next_after(60.0), minutely.next_after(150.0)
        (60.0, 120.0, 180.0)
    """

    kind = "interval"
    names = (*_UNITS, "start_date", "end_date", "timezone", "jitter")

    def __init__(self, arguments: Mapping[str, Any], zone: datetime.tzinfo, anchor: float) -> None:
        checked_names(self.kind, arguments, self.names)
        self.seconds = sum(seconds_of(self.kind, unit, arguments.get(unit)) * size for unit, size in _UNITS.items())
        if self.seconds < _SHORTEST:
            raise ConfigurationError(
                f"interval: {', '.join(_UNITS)} must add up to at least {_SHORTEST} s, they are {self.seconds:g} s"
            )
        if self.seconds > LONGEST:
            raise ConfigurationError(f"interval: {', '.join(_UNITS)} add up to more than a hundred years")
        start = moment_of(self.kind, "start_date", arguments.get("start_date"), zone)
        self._end = moment_of(self.kind, "end_date", arguments.get("end_date"), zone)
        self.jitter = seconds_of(self.kind, "jitter", arguments.get("jitter"))
        self._start = round((anchor if start is None else start) * _MICRO)
        self._step = round(self.seconds * _MICRO)

    def first(self, now: float) -> float | None:
        """Return the first moment of the grid from `now` on."""
        return self.next_after(now - 1 / _MICRO)

    def next_after(self, moment: float) -> float | None:
        """Return the next moment of the grid."""
        steps = (round(moment * _MICRO) - self._start) // self._step + 1
        found = (self._start + max(0, steps) * self._step) / _MICRO
        return None if self._end is not None and found > self._end else found

    def latest(self, first: float, now: float) -> float:
        """Return the last moment of the grid up to `now`."""
        until = now if self._end is None else min(now, self._end)
        steps = (round(until * _MICRO) - self._start) // self._step
        return max(first, (self._start + steps * self._step) / _MICRO)
