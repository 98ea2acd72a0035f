"""The form of a message on a dead-letter queue.

A task message keeps its form, so that it can be replayed: `extra.dead_letter` says why it is there. A body that
is no task message is kept as text (or base64) under the key `body`, and the note says how under `encoding`.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.broker import OutgoingMessage
from fsdf_core.codec import as_sent, decode, encode
from fsdf_core.errors import DecodeError, EncodeError
from fsdf_core.message import EXTRA
from fsdf_core.task_id import new_task_id

if TYPE_CHECKING:
    from fsdf_core.broker import Body, Queue
    from fsdf_core.message import Message
    from fsdf_core.verdict import DeadLetter

SUFFIX = "_dlx"
"""A queue's dead-letter queue is named after it."""

NOTE = "dead_letter"
"""Key of `extra` that says why the message is on a dead-letter queue."""

_BODY = "body"


def dead_letter(message: Message, verdict: DeadLetter, target: Queue, now: float) -> OutgoingMessage:
    """Return what goes to the dead-letter queue.

    Args:
        message: the message, or a stand-in whose delivery could not be decoded.
        verdict: the reason.
        target: the dead-letter queue.
        now: seconds since the epoch.
    """
    note: dict[str, Any] = {
        "reason": _plain(verdict.reason),
        "error": _plain(verdict.error),
        "traceback": _plain(verdict.traceback),
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
        NOTE: note,
    }
    if not target.serializes:
        return OutgoingMessage({**arguments, EXTRA: extra})
    try:
        return OutgoingMessage(encode(arguments, extra))
    except EncodeError:
        # A queue that hands over any object has a dead-letter queue that cannot: better a picture than a loop.
        shown = {name: _plain(repr(value)) for name, value in arguments.items()}
        return OutgoingMessage(encode(shown, {"task_id": message.extra.get("task_id", extra["task_id"]), NOTE: note}))


def original_body(arguments: dict[str, Any], note: dict[str, Any]) -> Body | None:
    """Return the body of what was no task message, as it was sent; None if it was one."""
    encoding, body = note.get("encoding"), arguments.get(_BODY)
    if encoding == "object":
        return body
    if not isinstance(body, str):
        return None
    if encoding == "base64":
        try:
            return base64.b64decode(body, validate=True)
        except ValueError:
            return None
    return body.encode() if encoding == "utf-8" else None


def _original(body: Body, note: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode once more: the task may have changed what it was given."""
    try:
        message = decode(body)
    except DecodeError:
        return {_BODY: _text(as_sent(body), note)}, {}
    return message.arguments, message.extra


def _text(body: bytes | dict[str, Any], note: dict[str, Any]) -> Any:
    if isinstance(body, dict):
        try:
            note["encoding"] = "utf-8"
            return orjson.dumps(body).decode()
        except TypeError:
            note["encoding"] = "object"
            return body
    try:
        text = body.decode()
    except UnicodeDecodeError:
        note["encoding"] = "base64"
        return base64.b64encode(body).decode()
    note["encoding"] = "utf-8"
    return text


def _plain(text: str) -> str:
    """Make text of an exception fit for JSON: file names may hold halves of characters."""
    return text.encode(errors="backslashreplace").decode()
