"""What tests send to queues, and what they got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.broker import OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf_core.broker import Body, Delivery, Queue


def send(queue: Queue, *bodies: Body, **options: Any) -> None:
    """Send bodies in one batch, each with the options of `OutgoingMessage`."""
    queue.send([OutgoingMessage(body, **options) for body in bodies])


def bodies(deliveries: Iterable[Delivery]) -> list[Body]:
    """Return what was delivered."""
    return [delivery.body for delivery in deliveries]


def numbered(count: int) -> list[Body]:
    """Return so many bodies, all different."""
    return [b'{"n":%d}' % number for number in range(count)]
