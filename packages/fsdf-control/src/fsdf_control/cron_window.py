"""Tasks start in the minutes of a cron expression only."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from fsdf_control.cron_expression import CronExpression
from fsdf_control.window import Window
from fsdf_core.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from fsdf_core.clock import Clock


class CronWindow(Window):
    """Tasks start in each minute, of the local time, that the expression matches.

    Args:
        expression: five fields, minute hour day month day_of_week, with cron's meaning: see `CronExpression`.
        timezone: IANA name or a tzinfo; None (default) is the machine's zone.
        clock: tells the wall time; default the system's.

    Raises:
        ConfigurationError: a field cannot be read (it is named), or the time zone is unknown.

    Example:
        >>> from fsdf_core.testing.clock import ManualClock
        >>> clock = ManualClock(9.5 * 3600)  # Thursday, 1 January 1970, 09:30 UTC
        >>> window = CronWindow("* 9-17 * * 0", timezone="UTC", clock=clock)  # Sundays
        >>> window.credit(now=0.0), window.next_credit(now=0.0) / 3600
        (0.0, 71.5)
    """

    def __init__(
        self, expression: str, timezone: str | datetime.tzinfo | None = None, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        super().__init__(timezone, clock)
        self._expression = CronExpression(expression)

    def state(self, local: datetime.datetime) -> tuple[bool, datetime.datetime]:
        """Ask the expression about this minute and the rest of the day."""
        if self._expression.matches(local):
            return True, local.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
        midnight = datetime.datetime.combine(local.date() + datetime.timedelta(days=1), datetime.time())
        return False, self._expression.next_today(local) or midnight
