"""Looks at the first messages of a queue and leaves them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.codec import as_sent
from fsdf_core.errors import UnsupportedFeature
from fsdf_core.run import new_consumer_id

if TYPE_CHECKING:
    from fsdf_core.broker import Body, Delivery, Queue

_PATIENCE = 0.5
"""Seconds to wait for messages that should be there."""


def peek(queue: Queue, count: int) -> list[dict[str, Any]]:
    """Return up to `count` messages: body as text, and how often it was delivered.

    They are taken and given back, to their old place where the broker can; meanwhile no worker gets them.

    Raises:
        UnsupportedFeature: the broker has no acknowledgements, so looking would lose them.
        BrokerError: it cannot be reached.
    """
    broker = queue.broker
    if not broker.capabilities.acks:
        raise UnsupportedFeature(
            f"{type(broker).__name__} has no acknowledgements: its messages cannot be looked at without losing them"
        )
    if broker.capabilities.size:
        count = min(count, queue.size().ready)
    if not count:
        return []
    subscription = queue.subscribe(new_consumer_id(), count)
    held: list[Delivery] = []
    try:
        while len(held) < count and (got := subscription.receive(count - len(held), _PATIENCE)):
            held += got
        return [{"body": _text(each.body), "deliveries": each.delivery_count} for each in held]
    finally:
        try:
            if held:
                subscription.release(held)
        finally:
            subscription.close()


def _text(body: Body) -> str:
    sent = as_sent(body)
    return sent.decode("utf-8", "replace") if isinstance(sent, bytes) else orjson.dumps(sent, default=str).decode()
