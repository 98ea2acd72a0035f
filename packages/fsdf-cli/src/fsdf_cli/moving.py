"""Moves messages from one queue to another, on whatever brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import as_sent, decode, encode
from fsdf_core.errors import ConfigurationError, DecodeError, UnsupportedFeature
from fsdf_core.message import EXTRA
from fsdf_core.resend import priority_of
from fsdf_core.run import new_consumer_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.broker import Delivery, Queue

_BATCH = 200
_PATIENCE, _GLANCE = 2.0, 0.2
"""Seconds to wait for a message that should be there, and for one that may be."""


def move(source: Queue, target: Queue, limit: int | None = None, tell: Callable[[int], None] = lambda _: None) -> int:
    """Move what is ready now, in order: each batch is received, sent, and only then acknowledged.

    An interruption loses nothing; the batch at hand may be on both queues then, and a further call moves the rest.
    Messages that wait for their time stay until it has come.

    Args:
        source: where from.
        target: where to.
        limit: how many at most; None: as many as are ready when the call begins.
        tell: called with the number moved, after each batch.

    Returns:
        How many were moved.

    Raises:
        ConfigurationError: both are the same queue.
        UnsupportedFeature: the source's broker has no acknowledgements, so moving could lose.
        BrokerError: a broker cannot be reached, or accepts no more.
    """
    can = source.broker.capabilities
    if type(source.broker) is type(target.broker) and source.name == target.name:
        raise ConfigurationError(f"{source.name} is both ends of the move")
    if not can.acks:
        raise UnsupportedFeature(
            f"{type(source.broker).__name__} has no acknowledgements: what is taken from {source.name} is gone if the "
            "move is interrupted. Consume it to its end instead"
        )
    if can.size:
        ready = source.size().ready
        limit = ready if limit is None else min(limit, ready)
    moved = 0
    if limit == 0:
        return moved
    subscription = source.subscribe(new_consumer_id(), _BATCH)
    try:
        while limit is None or moved < limit:
            wanted = _BATCH if limit is None else min(_BATCH, limit - moved)
            deliveries = subscription.receive(wanted, _PATIENCE if can.size else _GLANCE)
            if not deliveries:
                break
            target.send([_outgoing(delivery, target) for delivery in deliveries])
            subscription.ack(deliveries)
            moved += len(deliveries)
            tell(moved)
    finally:
        subscription.close()
    return moved


def _outgoing(delivery: Delivery, target: Queue) -> OutgoingMessage:
    body = delivery.body
    priority = 0
    if target.broker.capabilities.priority:
        try:
            priority = priority_of(decode(body).extra)
        except DecodeError:
            priority = 0
    if target.serializes and not isinstance(body, bytes):
        whole = cast("dict[str, Any]", as_sent(body))
        body = encode({name: value for name, value in whole.items() if name != EXTRA}, whole.get(EXTRA) or {})
    return OutgoingMessage(body, priority=priority)
