"""A handle on one schedule."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fsdf_control.scheduling import Schedule, ScheduleBook


class ScheduledJob:
    """One job, read from its store when asked; in whatever process it was added.

    Args:
        book: where it is.
        job_id: its id.

    Attributes:
        id: its id.
    """

    def __init__(self, book: ScheduleBook, job_id: str) -> None:
        self._book = book
        self.id = job_id

    @property
    def schedule(self) -> Schedule:
        """All that is known of it.

        Raises:
            UnknownName: it was removed, or has fired for the last time.
        """
        return self._book.get(self.id)

    @property
    def name(self) -> str:
        """Its name, the id if it has none."""
        return self.schedule.name or self.id

    @property
    def kwargs(self) -> dict[str, Any]:
        """The arguments that are published, by name."""
        return self.schedule.arguments

    @property
    def queue_name(self) -> str:
        """The queue they are published to."""
        return self.schedule.queue_name

    @property
    def paused(self) -> bool:
        """Whether it publishes nothing."""
        return self.schedule.paused

    @property
    def next_run_time(self) -> datetime.datetime | None:
        """When it publishes next, in the machine's zone; None if it is paused or over."""
        moment = self._book.next_times().get(self.id)
        if moment is None or self.paused:
            return None
        return datetime.datetime.fromtimestamp(moment).astimezone()

    def pause(self) -> None:
        """Publish nothing until `resume`."""
        self._book.pause(self.id)

    def resume(self) -> None:
        """Publish again; what was missed is not made up for."""
        self._book.resume(self.id, time.time())

    def remove(self) -> None:
        """Delete the job."""
        self._book.remove(self.id)

    def __repr__(self) -> str:
        return f"<ScheduledJob {self.id!r}>"
