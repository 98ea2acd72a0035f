"""What workers take.

A message without options that travels in memory is made when somebody wants to see it: mostly never, which saves a
fifth of what a small task costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.broker import Delivery
from fsdf_core.message import STAMPS, Message

if TYPE_CHECKING:
    from fsdf_core.broker import Pair, Stamped

Ready = Message | Delivery
"""A message, or the delivery of a `Stamped` body."""

SIZE = len(STAMPS) + 2
"""Items of a `Stamped` body."""


def opened(ready: Ready) -> Message:
    """Return the message, made now if need be."""
    if isinstance(ready, Message):
        return ready
    body: Any = ready.body
    message = message_from(body)
    message.delivery = ready
    return message


def message_from(body: Stamped) -> Message:
    """Return the message that a body stands for; it knows of no delivery."""
    message = Message(body[0], extra_of(body), None, body[-1])
    message.plain = True
    return message


def extra_of(body: Pair | Stamped) -> dict[str, Any]:
    """Return the control data of a body in memory."""
    return body[1] if len(body) != SIZE else dict(zip(STAMPS, body[1:-1], strict=True))
