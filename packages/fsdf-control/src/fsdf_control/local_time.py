"""The wall time of a place, with its changes to and from daylight saving time."""

from __future__ import annotations

import datetime
import math
import zoneinfo

from fsdf_core.errors import ConfigurationError


class LocalTime:
    """Translates seconds since the epoch to local time and back.

    Args:
        timezone: IANA name or a tzinfo; None (default) is the machine's zone.

    Raises:
        ConfigurationError: the name is unknown.

    Example:
        >>> LocalTime("Europe/Berlin").at(0.0)
        datetime.datetime(1970, 1, 1, 1, 0)
    """

    def __init__(self, timezone: str | datetime.tzinfo | None = None) -> None:
        if isinstance(timezone, str):
            try:
                timezone = zoneinfo.ZoneInfo(timezone)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError):
                raise ConfigurationError(
                    f"unknown time zone {timezone!r}: use an IANA name such as 'Europe/Berlin' "
                    "(on Windows: pip install tzdata)"
                ) from None
        self._zone = timezone

    def at(self, wall: float) -> datetime.datetime:
        """Return what the clocks on the wall show then, as a naive datetime."""
        return datetime.datetime.fromtimestamp(wall, self._zone).replace(tzinfo=None)

    def look_again(self, wall: float, until: datetime.datetime) -> float:
        """Return when the clocks will show `until`, or are put forward or back before that.

        Args:
            wall: seconds since the epoch.
            until: a naive local time after `at(wall)`, at most some days.
        """
        instant = wall + (until - self.at(wall)).total_seconds()
        if self._offset(instant) == self._offset(wall):
            return instant
        before, after = math.floor(wall), math.ceil(instant)
        offset = self._offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return min(float(after), instant)

    def _offset(self, wall: float) -> datetime.timedelta | None:
        return datetime.datetime.fromtimestamp(wall, self._zone).astimezone(self._zone).utcoffset()
