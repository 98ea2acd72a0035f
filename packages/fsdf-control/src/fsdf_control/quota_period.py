"""Periods of a quota: how long they are, and which one a moment belongs to."""

from __future__ import annotations

import datetime
import math

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_HOUR = 3600
_DAY = 86400


class Period:
    """A length of time; periods of it follow each other without a gap.

    Minutes, hours and days begin as on a clock in the time zone; other lengths are counted from 1970.

    Args:
        length: "s", "m", "h", "d", or seconds above 0.
        timezone: whose midnight begins a day; None (default): the machine's.

    Raises:
        ValueError: the length is none of these.

    Example:
        >>> minute = Period("m", datetime.timezone.utc)
        >>> minute.seconds, minute.index(125.0), minute.until_next(125.0)
        (60.0, 2, 55.0)
    """

    def __init__(self, length: str | float, timezone: datetime.tzinfo | None = None) -> None:
        seconds = _UNITS.get(length, 0.0) if isinstance(length, str) else float(length)
        if not 0 < seconds < math.inf:
            raise ValueError(f"a period is 's', 'm', 'h', 'd' or a number of seconds above 0, not {length!r}")
        self.seconds = seconds
        self._timezone = timezone

    def index(self, time: float) -> int:
        """Return the number of the period at `time`, seconds since the epoch."""
        return math.floor((time + self._shift(time)) / self.seconds)

    def until_next(self, time: float) -> float:
        """Return the seconds until the next period; on a day when clocks change, up to an hour off."""
        return self.seconds - (time + self._shift(time)) % self.seconds

    def _shift(self, time: float) -> float:
        moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc).astimezone(self._timezone)
        offset = moment.utcoffset() or datetime.timedelta()
        # The hour that clocks repeat or skip is an hour of its own, so only a day's begin follows them.
        return offset.total_seconds() if self.seconds >= _DAY else offset.total_seconds() % _HOUR
