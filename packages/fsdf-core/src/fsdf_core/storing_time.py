"""When a task's status was stored, under the names that users of this family of frameworks know."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any


def storing_times(moment: float, timezone: str | None = None) -> dict[str, Any]:
    """Return `insert_time` and `utime` (seconds since the epoch), `insert_time_str` and `insert_minutes` (text).

    Args:
        moment: when it was stored, seconds since the epoch.
        timezone: IANA name for the text; None (default) is the machine's zone.
    """
    text = time_text(moment, timezone)
    return {"insert_time": moment, "insert_time_str": text, "insert_minutes": text[:16], "utime": moment}


def time_text(moment: float, timezone: str | None = None) -> str:
    """Return a time as "2030-01-31 08:00:00"; arguments as above."""
    zone = None if timezone is None else zoneinfo.ZoneInfo(timezone)
    return datetime.datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")
