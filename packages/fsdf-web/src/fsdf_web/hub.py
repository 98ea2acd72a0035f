"""What pages and API calls work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from fsdf_control.scheduling import ScheduleBook
from fsdf_core import registry
from fsdf_core.roster import KnownQueue, Roster
from fsdf_web.audit import Audit
from fsdf_web.queue_directory import QueueDirectory
from fsdf_web.security.door import Door
from fsdf_web.services.dead_letter_desk import DeadLetterDesk
from fsdf_web.services.depths import Depths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fsdf_core.records import RecordStore
    from fsdf_core.settings import Settings
    from fsdf_core.state import StateStore
    from fsdf_web.config import WebSettings
    from fsdf_web.queue_directory import LocalQueue


class Hub:
    """The stores, the queues and the door of one app; opens nothing before it is asked.

    Args:
        settings: where the stores are.
        web: the UI's own settings.
        local: names the queues of this process.
    """

    def __init__(self, settings: Settings, web: WebSettings, local: Callable[[], Iterable[LocalQueue]]) -> None:
        self.settings = settings
        self.web = web
        self.door = Door(web.tokens(), self.state)
        self.audit = Audit(self.state)
        self.queues = QueueDirectory(settings, local, self.roster, (self._recorded_queues, self._scheduled_queues))
        self.depths = Depths(self.queues.open)
        self.dead_letters = DeadLetterDesk(self.queues.open)

    def state(self) -> StateStore:
        """Return the state store.

        Raises:
            StateError: it cannot be reached.
        """
        return registry.open_state(self.settings)

    def state_for(self, queue_name: str) -> StateStore:
        """Return the store with the state of a queue: in this process's memory if the queue is there, too."""
        local = self.queues.local(queue_name)
        if self.settings.state_url is None and local and not local.broker.capabilities.cross_process:
            return registry.states.get("memory").from_url("memory://", self.settings)
        return self.state()

    def records(self) -> RecordStore:
        """Return the record store.

        Raises:
            StateError: it cannot be reached.
        """
        return registry.open_records(self.settings)

    def close(self) -> None:
        """Close what was opened here; the stores are the process's."""
        self.depths.close()
        self.queues.close()

    def roster(self) -> Roster:
        """Return who works. Raises as `state`."""
        return Roster(self.state())

    def schedules(self) -> ScheduleBook:
        """Return what is scheduled. Raises as `state`."""
        return ScheduleBook(self.state())

    def _recorded_queues(self) -> Iterable[KnownQueue]:
        return [KnownQueue(name) for name in self.records().queues()]

    def _scheduled_queues(self) -> Iterable[KnownQueue]:
        return [
            KnownQueue(schedule.queue_name, schedule.broker_kind, schedule.broker_options)
            for schedule in self.schedules().all().values()
        ]


def hub_of(request: Request) -> Hub:
    """Return the hub of the request's app."""
    hub: Hub = request.app.state.hub
    return hub


TheHub = Annotated[Hub, Depends(hub_of)]
"""A handler's parameter."""
