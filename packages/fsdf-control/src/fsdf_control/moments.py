"""Moments as people and other programs write them.

Local times without an offset are read in a time zone, as PEP 495 does it: one that the clocks skip (daylight
saving begins) is moved forward by what they skip, one that they show twice (it ends) is the first of the two,
unless a datetime says `fold=1`.
"""

from __future__ import annotations

import datetime
import re
import zoneinfo
from typing import Any

from fsdf_control.number_option import is_number
from fsdf_core.errors import ConfigurationError

_TEXT = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d)(?P<second>:\d\d)?(?:[.,](?P<fraction>\d+))?)?"
    r"\s*(?P<offset>Z|[+-]\d\d(?::?\d\d(?::\d\d)?)?)?",
    re.IGNORECASE | re.ASCII,
)
_LATEST = 253_402_300_799.0
"""The end of the year 9999; a number above it is in milliseconds, most likely."""

_SHOWN = 80


def zone_of(name: str | None) -> datetime.tzinfo | None:
    """Return the time zone; None is the machine's own.

    Args:
        name: IANA name such as "Europe/Berlin".

    Raises:
        ConfigurationError: there is no such zone.
    """
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"unknown time zone {name!r}: use an IANA name such as 'Europe/Berlin' (on Windows: pip install tzdata)"
        ) from None


def epoch_of(moment: Any, zone: datetime.tzinfo | None) -> float:
    """Return the moment in seconds since the epoch.

    Args:
        moment: a datetime, ISO 8601 text ("2026-03-31 17:40:00", "2026-03-31T17:40:00.5+02:00", "2026-03-31"),
            or seconds since the epoch.
        zone: where a time without an offset is read; None is the machine's zone.

    Raises:
        ConfigurationError: it is none of these, or no time between the years 1 and 9999.

    Example:
        >>> epoch_of("1970-01-01 01:00:00", zone_of("Europe/Berlin"))
        0.0
        >>> epoch_of("1970-01-01T00:00:01.5Z", None)
        1.5
    """
    if is_number(moment):
        if abs(moment) > _LATEST:
            raise _unreadable(moment, "numbers are seconds since the epoch, this looks like milliseconds")
        return float(moment)
    if isinstance(moment, str):
        local = _parsed(moment)
    elif isinstance(moment, datetime.datetime):
        local = moment
    else:
        raise _unreadable(moment, "give a datetime, ISO text or seconds since the epoch")
    try:
        if local.utcoffset() is None:
            local = local.replace(tzinfo=zone)
        return local.timestamp()
    except (OverflowError, OSError, ValueError) as error:
        raise _unreadable(moment, str(error)) from None


def iso_text(epoch: float, zone: datetime.tzinfo | None) -> str:
    """Return the moment as ISO text with its offset from UTC, so that it is read alike everywhere.

    Raises:
        ConfigurationError: the time is beyond the years 1 to 9999.

    Example:
        >>> iso_text(0.5, zone_of("Europe/Berlin"))
        '1970-01-01T01:00:00.500000+01:00'
    """
    try:
        moment = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).astimezone(zone)
    except (OverflowError, OSError, ValueError) as error:
        raise _unreadable(epoch, str(error)) from None
    return moment.isoformat()


def _parsed(text: str) -> datetime.datetime:
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise _unreadable(text, "write it like 2026-03-31 17:40:00 or 2026-03-31T17:40:00+02:00")
    fraction = (found["fraction"] or "")[:6].ljust(6, "0")
    try:
        moment = datetime.datetime.fromisoformat(
            f"{found['date']}T{found['time'] or '00:00'}{found['second'] or ':00'}.{fraction}"
        )
        offset = _offset(found["offset"])
    except ValueError as error:
        raise _unreadable(text, str(error)) from None
    return moment if offset is None else moment.replace(tzinfo=offset)


def _offset(text: str | None) -> datetime.timezone | None:
    if text is None:
        return None
    if text in "Zz":
        return datetime.timezone.utc
    digits = text[1:].replace(":", "").ljust(6, "0")
    size = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]), seconds=int(digits[4:6]))
    return datetime.timezone(-size if text[0] == "-" else size)


def _unreadable(moment: Any, why: str) -> ConfigurationError:
    return ConfigurationError(f"{moment!r:.{_SHOWN}} is no time that can be read: {why}")
