"""How numbers, times and data look to people."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

import orjson

NOTHING = "—"


def moment(seconds: float | None, zone: str | None) -> str:
    """Return a time for people, in the zone of the setting `timezone`; "—" for None."""
    if not seconds:
        return NOTHING
    tz = zoneinfo.ZoneInfo(zone) if zone else None
    try:
        return datetime.datetime.fromtimestamp(seconds, tz).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(seconds)


def duration(seconds: float | None) -> str:
    """Return a span of time for people.

    Example:
        >>> [duration(seconds) for seconds in (None, 0.0012, 3.5, 75, 7300, 200000)]
        ['—', '1.2 ms', '3.5 s', '1 min 15 s', '2 h 1 min', '2 d 7 h']
    """
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.3g} s"
    for big, small, names in ((86_400, 3600, "d h"), (3600, 60, "h min"), (60, 1, "min s")):
        if seconds >= big:
            first, second = names.split()
            return f"{int(seconds // big)} {first} {int(seconds % big // small)} {second}"
    return ""


def pretty(value: Any) -> str:
    """Return JSON data with line breaks, or what Python says of it."""
    return orjson.dumps(value, default=repr, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def brief(value: Any, longest: int = 120) -> str:
    """Return JSON data in one line, cut."""
    text = orjson.dumps(value, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def size(count: float | None) -> str:
    """Return a number of bytes for people.

    Example:
        >>> size(None), size(900), size(5_300_000)
        ('—', '900 B', '5.1 MiB')
    """
    if count is None:
        return NOTHING
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":  # noqa: PLR2004
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return ""
