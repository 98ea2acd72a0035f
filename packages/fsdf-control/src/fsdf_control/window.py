"""Tasks start at certain times of the day only."""

from __future__ import annotations

import datetime
import math
from abc import abstractmethod
from typing import TYPE_CHECKING

from fsdf_control.local_time import LocalTime
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_core.clock import Clock


class Window(Control):
    """Times at which tasks may start, read off the local clocks; outside them nothing is taken from the queue.

    Where the clocks are put forward or back, what they show decides.

    Args:
        timezone: IANA name or a tzinfo; None (default) is the machine's zone.
        clock: tells the wall time; default the system's.

    Raises:
        ConfigurationError: the time zone is unknown.
    """

    def __init__(self, timezone: str | datetime.tzinfo | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._place = LocalTime(timezone)
        self._clock = clock
        self._since = self._until = math.inf
        self._credit = 0.0
        self._opens = -math.inf

    @abstractmethod
    def state(self, local: datetime.datetime) -> tuple[bool, datetime.datetime]:
        """Return (open, until): until when, at most a day, that holds if the clocks just go on."""

    def credit(self, now: float) -> float:  # noqa: ARG002 - the wall time decides
        """Return UNLIMITED while open, 0 while closed."""
        wall = self._clock.time()
        if not self._since <= wall < self._until:
            if wall < self._since:
                self._opens = -math.inf  # the clock was put back
            is_open, self._until = self._look(wall)
            self._since = wall
            self._credit = UNLIMITED if is_open else 0.0
        return self._credit

    def next_credit(self, now: float) -> float:
        """Seconds until it opens; 0 while open."""
        if self.credit(now):
            return 0.0
        wall = self._clock.time()
        if not self._since <= wall < self._opens:
            self._opens = self._until
            while not (step := self._look(self._opens))[0]:
                self._opens = step[1]
        return max(0.0, self._opens - wall)

    def _look(self, wall: float) -> tuple[bool, float]:
        is_open, until = self.state(self._place.at(wall))
        return is_open, self._place.look_again(wall, until)


class TimeWindow(Window):
    """Tasks start between two times of the day only; use `open_between` or `closed_between`.

    The first time belongs to the span, the second does not. A span may pass midnight: 22:00 to 06:00.

    Args:
        start: "HH:MM" or "HH:MM:SS", local time.
        end: likewise; not equal to `start`.
        opens: whether tasks may start within the span (True), or outside it.
        timezone: IANA name or a tzinfo; None (default) is the machine's zone.
        clock: tells the wall time; default the system's.

    Raises:
        ConfigurationError: a time cannot be read, both are equal, or the time zone is unknown.

    Example:
        >>> from fsdf_core.testing.clock import ManualClock
        >>> clock = ManualClock(12 * 3600.0)  # 1 January 1970, 12:00 UTC
        >>> window = TimeWindow.closed_between("10:00:00", "22:00:00", timezone="UTC", clock=clock)
        >>> window.credit(now=0.0), window.next_credit(now=0.0) / 3600
        (0.0, 10.0)
        >>> clock.advance(10 * 3600)
        >>> window.credit(now=0.0)
        inf
    """

    def __init__(
        self,
        start: str,
        end: str,
        *,
        opens: bool,
        timezone: str | datetime.tzinfo | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(timezone, clock)
        self._start, self._end = _time(start), _time(end)
        if self._start == self._end:
            raise ConfigurationError(f"a time window from {start} to {end} is empty: give two different times")
        self._opens_within = opens

    @classmethod
    def open_between(
        cls, start: str, end: str, *, timezone: str | datetime.tzinfo | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> TimeWindow:
        """Let tasks start from `start` to `end` only; see the class."""
        return cls(start, end, opens=True, timezone=timezone, clock=clock)

    @classmethod
    def closed_between(
        cls, start: str, end: str, *, timezone: str | datetime.tzinfo | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> TimeWindow:
        """Let no task start from `start` to `end`; see the class."""
        return cls(start, end, opens=False, timezone=timezone, clock=clock)

    def state(self, local: datetime.datetime) -> tuple[bool, datetime.datetime]:
        """Compare the time of the day."""
        now, start, end = local.time(), self._start, self._end
        within = start <= now < end if start < end else now >= start or now < end
        midnight = datetime.datetime.combine(local.date() + datetime.timedelta(days=1), datetime.time())
        ahead = [datetime.datetime.combine(local.date(), edge) for edge in (start, end) if edge > now]
        return within == self._opens_within, min([*ahead, midnight])


def _time(text: str) -> datetime.time:
    for form in ("%H:%M:%S", "%H:%M"):
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).time()
        except (ValueError, TypeError):
            continue
    raise ConfigurationError(f"a time of the day is 'HH:MM' or 'HH:MM:SS', such as '22:00', not {text!r}")
