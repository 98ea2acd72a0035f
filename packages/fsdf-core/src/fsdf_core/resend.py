"""A message sent anew, with changed control data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import decode, encode
from fsdf_core.message import EXTRA

if TYPE_CHECKING:
    from fsdf_core.broker import Queue
    from fsdf_core.message import Message

PRIORITY = "priority"
"""Key of `extra` that remembers the priority a message was sent with."""

_OTHERS = "other_extra_params"
_OTHER_NAMES = (PRIORITY, "priroty")  # the second as funboost spells it


def resent(message: Message, changes: dict[str, Any], target: Queue, delay: float = 0.0) -> OutgoingMessage:
    """Return what goes to the queue in the message's stead; the task id stays.

    The arguments are those of the delivered body: the task may have changed what it was given.

    Args:
        message: a delivered message.
        changes: keys of `extra` and their new values; None removes a key.
        target: the queue it goes to.
        delay: seconds before it may be delivered.
    """
    arguments, extra = message.arguments, dict(message.extra)
    if message.delivery is not None:
        original = decode(message.delivery.body)
        arguments = original.arguments
        extra.update(original.extra)
    extra.update(changes)
    extra = {key: value for key, value in extra.items() if value is not None}
    body = encode(arguments, extra) if target.serializes else {**arguments, EXTRA: extra}
    return OutgoingMessage(body, delay, priority_of(extra))


def priority_of(extra: dict[str, Any]) -> int:
    """Return the priority that control data ask for, ours or funboost's; 0 if they do not, or not with a number."""
    wanted = extra.get(PRIORITY)
    if wanted is None and isinstance(others := extra.get(_OTHERS), dict):
        wanted = next((others[key] for key in _OTHER_NAMES if key in others), None)
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else 0
