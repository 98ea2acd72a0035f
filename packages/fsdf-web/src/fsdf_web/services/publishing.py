"""Putting calls on queues whose functions are not known here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_control.delay import Delay
from fsdf_core.errors import ConfigurationError
from fsdf_core.publisher import Publisher
from fsdf_core.resend import priority_of
from fsdf_core.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_core.message import Message
    from fsdf_core.roster import KnownQueue
    from fsdf_web.hub import Hub


def publish(
    hub: Hub,
    queue_name: str,
    arguments: Mapping[str, Any],
    extra: Mapping[str, Any],
    broker_kind: str | None = None,
) -> Message:
    """Publish a call.

    Args:
        hub: where queues are found.
        queue_name: where it goes.
        arguments: by name.
        extra: control data, such as `task_id`, `countdown` and `priority`.
        broker_kind: for a queue that nobody knows yet.

    Raises:
        UnknownName: nobody knows the queue.
        ConfigurationError: the function cannot be called like this.
        EncodeError: the arguments are no JSON data, or one is called "extra".
        BrokerError: the broker did not accept it.
    """
    known = hub.queues.all().get(queue_name)
    if known is not None:
        check_arguments(known, arguments)
    queue = hub.queues.open(queue_name, broker_kind)
    zone = hub.settings.timezone
    publisher = Publisher(queue, controls=[Delay(zone)], timezone=zone)
    hub.depths.forget(queue_name)
    return publisher.publish(dict(arguments), dict(extra), priority=priority_of(dict(extra)) if extra else 0)


def publish_many(hub: Hub, queue_name: str, calls: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Publish calls of one queue in batches.

    Args:
        hub: where queues are found.
        queue_name: where they go.
        calls: arguments and control data of each.

    Raises:
        FsdfError: as `publish`; batches of 1000 before the one that fails are published.
    """
    known = hub.queues.get(queue_name)
    by_priority: dict[int, list[tuple[dict[str, Any], dict[str, Any]]]] = {}
    for arguments, extra in calls:
        check_arguments(known, arguments)
        by_priority.setdefault(priority_of(extra) if extra else 0, []).append((arguments, extra))
    zone = hub.settings.timezone
    publisher = Publisher(hub.queues.open(queue_name), controls=[Delay(zone)], timezone=zone)
    for priority, some in by_priority.items():
        publisher.publish_many(some, priority=priority)
    hub.depths.forget(queue_name)


def check_arguments(known: KnownQueue, arguments: Mapping[str, Any]) -> None:
    """Compare arguments with what the workers say of their function.

    Raises:
        ConfigurationError: one is missing or unknown; names it.
    """
    parameters = known.parameters
    if not parameters:
        return
    named = [str(each.get("name")) for each in parameters if not each.get("variadic")]
    missing = [
        str(each.get("name"))
        for each in parameters
        if each.get("required") and not each.get("variadic") and each.get("name") not in arguments
    ]
    if missing:
        raise ConfigurationError(f"{known.function or known.name} needs {', '.join(map(repr, missing))}")
    if any(each.get("variadic") == "kwargs" for each in parameters):
        return
    for name in arguments:
        if name not in named:
            raise ConfigurationError(f"{known.function or known.name} has no {name!r}.{did_you_mean(name, named)}")
