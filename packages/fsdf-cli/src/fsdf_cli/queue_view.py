"""What is to be seen of a queue now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fsdf_cli.addresses import DEAD, publishing_only, roster, state
from fsdf_cli.mistakes import troubles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf_core.broker import Queue
    from fsdf_core.roster import KnownQueue, Worker


@dataclass(frozen=True)
class QueueView:
    """A queue at one moment.

    Attributes:
        queue: its name.
        broker_kind: its broker.
        ready: messages that can be delivered now; None where nobody can tell.
        delayed: messages that wait for their time.
        unacked: messages that workers have.
        dead: messages on the dead-letter queue; None where nobody can tell, or has said that there is one.
        workers: living consumers.
        running: calls that run.
        per_second: tasks done a second, over the last 10 s.
        paused: nothing starts.
        qps: ordered starts a second; None: what the code says.
        concurrency: ordered calls at once; None: what the code says.
        trouble: why the numbers are missing.
    """

    queue: str
    broker_kind: str
    ready: int | None = None
    delayed: int | None = None
    unacked: int | None = None
    dead: int | None = None
    workers: int = 0
    running: int = 0
    per_second: float = 0.0
    paused: bool = False
    qps: float | None = None
    concurrency: int | None = None
    trouble: str = ""


def views(known: Sequence[KnownQueue]) -> list[QueueView]:
    """Look at queues; one that cannot be reached says why."""
    workers = roster().by_queue()
    return [view(each, workers.get(each.name, ())) for each in known]


def view(known: KnownQueue, workers: Sequence[Worker]) -> QueueView:
    """Look at one queue."""
    from fsdf_control.pausing import is_paused  # noqa: PLC0415 - only if there are queues

    pace = roster().pace(known.name)
    numbers: dict[str, int | None] = {}
    trouble = ""
    try:
        numbers = _numbers(known)
    except troubles() as error:
        trouble = str(error)
    return QueueView(
        queue=known.name,
        broker_kind=known.broker_kind,
        workers=len(workers),
        running=sum(worker.running for worker in workers),
        per_second=round(sum(worker.per_second for worker in workers), 1),
        paused=is_paused(state(), known.name),
        qps=pace.qps,
        concurrency=pace.concurrency,
        trouble=trouble,
        **numbers,
    )


def _numbers(known: KnownQueue) -> dict[str, int | None]:
    queue: Queue = publishing_only(known).publisher.queue()
    can = queue.broker.capabilities
    if not can.size or not can.cross_process:
        return {}
    size = queue.size()
    dead = None
    # At a server, to open a queue may mean to make it: only where the task is known to use it.
    used = bool(known.params.get("is_push_to_dlx_queue_when_retry_max_times")) or not can.cross_machine
    if can.acks and used and not known.name.endswith(DEAD):
        dead = queue.broker.queue(known.name + DEAD).size().total
    return {
        "ready": size.ready,
        "delayed": size.delayed if can.delay else None,
        "unacked": size.unacked if can.acks else None,
        "dead": dead,
    }
