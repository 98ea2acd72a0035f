"""A trigger's arguments as plain data, and the timing that they describe."""

from __future__ import annotations

import datetime
import functools
import zoneinfo
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_control.moments import zone_of
from fsdf_control.number_option import is_number
from fsdf_control.scheduling.cron_timing import CronTiming
from fsdf_control.scheduling.date_timing import DateTiming
from fsdf_control.scheduling.interval_timing import IntervalTiming
from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_control.scheduling.timing import Timing

KINDS = (DateTiming.kind, IntervalTiming.kind, CronTiming.kind)


def plain_arguments(kind: str, arguments: Mapping[str, Any], timezone: str | None) -> dict[str, Any]:
    """Return a trigger's arguments as JSON data that names its time zone, so that every process reads them alike.

    Args:
        kind: "date", "interval" or "cron".
        arguments: what the trigger takes; `timezone` (an IANA name or a ZoneInfo) goes first.
        timezone: IANA name; None is the machine's zone.

    Raises:
        ConfigurationError: the kind is unknown, or an argument; it is named.
    """
    if kind not in KINDS:
        raise ConfigurationError(
            f"the trigger must be one of {', '.join(map(repr, KINDS))}, not {kind!r}.{did_you_mean(str(kind), KINDS)}"
        )
    name = _zone_name(arguments.get("timezone"), timezone)
    zone = zone_of(name)
    plain = {
        key: _plain(value, zone) for key, value in arguments.items() if value is not None and key != "timezone"
    } | {"timezone": name}
    timing_of.__wrapped__(kind, _text(kind, plain), 0.0)
    return plain


def build_timing(kind: str, arguments: Mapping[str, Any], anchor: float) -> Timing:
    """Return the timing of plain arguments.

    Args:
        kind: "date", "interval" or "cron".
        arguments: as `plain_arguments` has returned them.
        anchor: the start of an interval without `start_date`, in seconds since the epoch.

    Raises:
        ConfigurationError: the arguments are not valid; a newer version may have written them.
    """
    return timing_of(kind, _text(kind, arguments), anchor)


@functools.lru_cache(maxsize=1024)
def timing_of(kind: str, arguments: str, anchor: float) -> Timing:
    """Return the timing of arguments written as JSON."""
    given = orjson.loads(arguments)
    zone = zone_of(given.get("timezone")) or datetime.timezone.utc
    if kind == DateTiming.kind:
        return DateTiming(given, zone)
    if kind == IntervalTiming.kind:
        return IntervalTiming(given, zone, anchor)
    if kind == CronTiming.kind:
        return CronTiming(given, zone)
    raise ConfigurationError(f"this version of fsdf has no trigger {kind!r}")


def _text(kind: str, arguments: Mapping[str, Any]) -> str:
    for name, value in arguments.items():
        try:
            if isinstance(value, float) and not is_number(value):
                raise TypeError
            orjson.dumps(value)
        except TypeError:
            raise ConfigurationError(f"{kind}: {name} cannot be {value!r}") from None
    return orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: Any, zone: datetime.tzinfo | None) -> Any:
    if isinstance(value, datetime.datetime):
        return (value if value.utcoffset() is not None else value.replace(tzinfo=zone)).isoformat()
    return value


def _zone_name(given: Any, default: str | None) -> str:
    if given is None:
        given = default
    if given is None:
        from tzlocal import get_localzone  # noqa: PLC0415 - reads files

        given = get_localzone()
    if given is datetime.timezone.utc:
        return "UTC"
    name = given.key if isinstance(given, zoneinfo.ZoneInfo) else given
    if not isinstance(name, str):
        raise ConfigurationError(f"timezone: {given!r} has no IANA name: give one, such as 'Europe/Berlin'")
    return name
