"""The contract of a timing: at which moments a job is due."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from fsdf_control.moments import epoch_of
from fsdf_control.number_option import is_number
from fsdf_core.errors import ConfigurationError
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOWS = (60.0, 3600.0, 86400.0, 32 * 86400.0, 367 * 86400.0, 30 * 366 * 86400.0)
"""Seconds to look back for the last moment before a given one; the first window that has any holds few."""

LONGEST = 100 * 366 * 86400.0
"""Seconds, some hundred years: a longer interval or jitter is a mistake, and no calendar could hold its moments."""


class Timing(ABC):
    """The moments of a job, in seconds since the epoch, exact to the microsecond.

    Attributes:
        kind: the trigger's name: "date", "interval" or "cron".
        names: the arguments it takes.
        jitter: seconds by which a tick may be later than its moment.
    """

    kind: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    jitter: float

    @abstractmethod
    def first(self, now: float) -> float | None:
        """Return the first moment of a job that begins or resumes now; None if there is none any more."""

    @abstractmethod
    def next_after(self, moment: float) -> float | None:
        """Return the first moment after the given one; None if there is none."""

    def latest(self, first: float, now: float) -> float:
        """Return the last moment up to `now`, at least `first`."""
        found = first
        for window in _WINDOWS:
            start = max(first, now - window)
            step = self.next_after(start)
            while step is not None and step <= now:
                found, step = step, self.next_after(step)
            if found > first or start == first:
                break
        return found


def checked_names(kind: str, arguments: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Refuse arguments that a trigger does not take.

    Raises:
        ConfigurationError: names the argument and the nearest known one.
    """
    for name in arguments:
        if name not in names:
            raise ConfigurationError(
                f"the trigger {kind!r} takes no argument {name!r}.{did_you_mean(name, names)} "
                f"It takes: {', '.join(names)}."
            )


def moment_of(kind: str, name: str, value: Any, zone: datetime.tzinfo) -> float | None:
    """Return an argument that is a moment, in seconds since the epoch; None stays None.

    Raises:
        ConfigurationError: it cannot be read; names the argument.
    """
    if value is None:
        return None
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = value.isoformat()
    try:
        return round(epoch_of(value, zone), 6)
    except ConfigurationError as error:
        raise ConfigurationError(f"{kind}: {name}: {error}") from None


def seconds_of(kind: str, name: str, value: Any) -> float:
    """Return an argument that is a number from 0 to `LONGEST`; None is 0.

    Raises:
        ConfigurationError: it is none; names the argument.
    """
    if value is None:
        return 0.0
    if not is_number(value) or value < 0:
        raise ConfigurationError(f"{kind}: {name} must be a number of at least 0, not {value!r}")
    if value > LONGEST:
        raise ConfigurationError(f"{kind}: {name} is {value:g}, which is longer than a hundred years")
    return float(value)
