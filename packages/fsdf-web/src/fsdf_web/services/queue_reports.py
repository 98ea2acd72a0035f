"""What there is to say about each queue."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fsdf_control.pausing import is_paused
from fsdf_core.dead_letter import SUFFIX
from fsdf_core.orders import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.roster import KnownQueue, Worker
    from fsdf_web.hub import Hub
    from fsdf_web.services.depths import Depth


@dataclass(frozen=True)
class QueueReport:
    """One queue.

    Attributes:
        known: its broker, function and parameters.
        depth: how much it holds.
        paused: nothing starts.
        workers: those that consume it.
        pace: what was ordered for all its workers.
    """

    known: KnownQueue
    depth: Depth
    paused: bool
    workers: tuple[Worker, ...] = ()
    pace: Pace = field(default_factory=Pace)

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.known.name

    @property
    def running(self) -> int:
        """Calls that run now, as the workers say."""
        return sum(worker.running for worker in self.workers)

    @property
    def per_second(self) -> float:
        """Tasks done a second."""
        return sum(worker.per_second for worker in self.workers)

    @property
    def qps(self) -> float | None:
        """Starts a second in each worker; None if nobody says, 0 is no limit."""
        return self.pace.qps if self.pace.qps is not None else max((each.qps for each in self.workers), default=None)

    @property
    def concurrency(self) -> int | None:
        """Calls at once in each worker; None if nobody says."""
        if self.pace.concurrency is not None:
            return self.pace.concurrency
        return max((each.concurrency for each in self.workers), default=None)

    @property
    def params(self) -> Mapping[str, Any]:
        """What its decorator says."""
        return self.known.params


def all_reports(hub: Hub) -> list[QueueReport]:
    """Return a report of every queue that is known, by name; dead-letter queues stand with their own.

    Raises:
        StateError: the state store cannot be reached.
    """
    known = hub.queues.all()
    names = [name for name in known if name.removesuffix(SUFFIX) not in known or not name.endswith(SUFFIX)]
    return _reports(hub, [known[name] for name in names])


def report_of(hub: Hub, name: str) -> QueueReport:
    """Return the report of one queue.

    Raises:
        UnknownName: nobody knows it.
        StateError: the state store cannot be reached.
    """
    return _reports(hub, [hub.queues.get(name)])[0]


def _reports(hub: Hub, queues: list[KnownQueue]) -> list[QueueReport]:
    roster = hub.roster()
    workers = roster.by_queue()
    depths = hub.depths.of(queue.name for queue in queues)
    return [
        QueueReport(
            queue,
            depths[queue.name],
            _is_paused(hub, queue.name),
            tuple(workers.get(queue.name, ())),
            roster.pace(queue.name),
        )
        for queue in queues
    ]


def _is_paused(hub: Hub, name: str) -> bool:
    return is_paused(hub.state_for(name), name)
