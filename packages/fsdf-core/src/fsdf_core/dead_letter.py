"""The form of a message on a dead-letter queue.

A task message keeps its form, so that it can be replayed: `extra.dead_letter` says why it is there. A body that
is no task message is kept as text (or base64) under the key `body`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import decode, encode
from fsdf_core.errors import DecodeError
from fsdf_core.message import EXTRA
from fsdf_core.task_id import new_task_id

if TYPE_CHECKING:
    from fsdf_core.broker import Body, Queue
    from fsdf_core.message import Message
    from fsdf_core.verdict import DeadLetter

SUFFIX = "_dlx"
"""A queue's dead-letter queue is named after it."""


def dead_letter(message: Message, verdict: DeadLetter, target: Queue, now: float) -> OutgoingMessage:
    """Return what goes to the dead-letter queue.

    Args:
        message: the message, or a stand-in whose delivery could not be decoded.
        verdict: the reason.
        target: the dead-letter queue.
        now: seconds since the epoch.
    """
    note: dict[str, Any] = {
        "reason": verdict.reason,
        "error": verdict.error,
        "traceback": verdict.traceback,
        "attempts": message.attempt,
        "time": round(now, 4),
        "queue": target.name.removesuffix(SUFFIX),
    }
    if message.delivery is not None:
        note["deliveries"] = message.delivery.delivery_count
        arguments, extra = _original(message.delivery.body, note)
    else:
        arguments, extra = message.arguments, message.extra
    extra = {
        "task_id": new_task_id(),
        "publish_time": round(now, 4),
        **message.extra,
        **extra,
        "dead_letter": note,
    }
    if target.serializes:
        return OutgoingMessage(encode(arguments, extra))
    return OutgoingMessage({**arguments, EXTRA: extra})


def _original(body: Body, note: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode once more: the task may have changed what it was given."""
    try:
        message = decode(body)
    except DecodeError:
        raw = body if isinstance(body, bytes) else repr(body).encode()
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            note["encoding"] = "base64"
            text = base64.b64encode(raw).decode()
        else:
            note["encoding"] = "utf-8"
        return {"body": text}, {}
    return message.arguments, message.extra
