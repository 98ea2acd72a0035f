"""Once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_control.scheduling.timing import Timing, checked_names, moment_of
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping


class DateTiming(Timing):
    """One moment.

    Args:
        arguments: `run_date` (a datetime, ISO text or seconds since the epoch).
        zone: reads a moment without an offset.

    Raises:
        ConfigurationError: an argument is unknown, missing or cannot be read.

    Example:
        >>> import datetime
        >>> once = DateTiming({"run_date": "1970-01-01 00:01:00"}, datetime.timezone.utc)
        >>> once.first(now=0.0), once.next_after(60.0)
        (60.0, None)
    """

    kind = "date"
    names = ("run_date", "timezone")
    jitter = 0.0

    def __init__(self, arguments: Mapping[str, Any], zone: datetime.tzinfo) -> None:
        checked_names(self.kind, arguments, self.names)
        moment = moment_of(self.kind, "run_date", arguments.get("run_date"), zone)
        if moment is None:
            raise ConfigurationError("date: run_date is missing")
        self._moment = moment

    def first(self, now: float) -> float:  # noqa: ARG002 - contract
        """Return the moment, even a past one: the job has not run yet."""
        return self._moment

    def next_after(self, moment: float) -> float | None:
        """Return the moment if it is still to come."""
        return self._moment if self._moment > moment else None
