"""What can be done to tasks: run them again, end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_control.kill import kill
from fsdf_control.masking import MASK
from fsdf_core.errors import ConfigurationError
from fsdf_core.records import REQUEUED, RUNNING
from fsdf_web.services.publishing import publish, publish_many
from fsdf_web.services.task_search import matching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.records import TaskRecord
    from fsdf_web.hub import Hub
    from fsdf_web.services.task_search import TaskFilter

_KEPT = ("max_retry_times", "function_timeout", "priority", "other_extra_params", "user_extra_info", "filter_str")
"""Control data that the new task takes over."""


def run_one(hub: Hub, record: TaskRecord, arguments: Mapping[str, Any] | None = None) -> str:
    """Publish a task again, as a new one; return its id.

    Args:
        hub: where queues are found.
        record: the old one.
        arguments: instead of the old ones; None (default): as they were.

    Raises:
        ConfigurationError: secrets among the arguments were masked, so nobody knows them.
        UnknownName: nobody knows the queue any more.
        BrokerError: the broker did not accept it.
    """
    given, extra = _call(record, arguments)
    return publish(hub, record.queue, given, extra).task_id


def run_again(hub: Hub, wanted: TaskFilter) -> int:
    """Publish every matching task again; return how many.

    Raises:
        FsdfError: as `run_one`; nothing is published if arguments are not fit, some may be if a broker fails.
    """
    # All first: what is published while reading would match, too.
    by_queue: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for record in matching(hub, wanted):
        by_queue.setdefault(record.queue, []).append(_call(record))
    for queue_name in by_queue:
        hub.queues.get(queue_name)
    for queue_name, calls in by_queue.items():
        publish_many(hub, queue_name, calls)
    return sum(map(len, by_queue.values()))


def _call(record: TaskRecord, arguments: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    given = record.arguments if arguments is None else arguments
    if has_mask(given):
        raise ConfigurationError(f"secrets of {record.task_id} are masked ({MASK}): edit the arguments first")
    return dict(given), {name: record.extra[name] for name in _KEPT if record.extra.get(name) is not None}


def end_one(hub: Hub, queue_name: str, task_id: str) -> None:
    """Ask for a task's end.

    Raises:
        StateError: the state store cannot be reached.
    """
    kill(hub.state_for(queue_name), queue_name, task_id)


def end_tasks(hub: Hub, wanted: TaskFilter) -> int:
    """Ask for the end of every matching task that is not done; return how many."""
    count = 0
    for record in matching(hub, wanted):
        if record.status in {RUNNING, REQUEUED}:
            end_one(hub, record.queue, record.task_id)
            count += 1
    return count


def has_mask(value: Any) -> bool:
    """Whether a secret was masked anywhere in the data."""
    if isinstance(value, dict):
        return any(map(has_mask, value.values()))
    if isinstance(value, list):
        return any(map(has_mask, value))
    return bool(value == MASK)
