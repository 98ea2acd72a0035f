"""The wire form of a message: one JSON object, the arguments at the top, control data under `extra`.

It is the form of funboost and function_scheduling_distributed_framework, so their producers and consumers
can share a queue with fsdf. A foreign producer may leave `extra` out. JSON only: nothing that is read from
a broker can run code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.errors import DecodeError, EncodeError
from fsdf_core.message import EXTRA, Message
from fsdf_core.ready import extra_of

if TYPE_CHECKING:
    from fsdf_core.broker import Body, Delivery

PICKLED = "can_not_json_serializable_keys"
"""Key of `extra` with which funboost names arguments that it has pickled."""

_dumps = orjson.dumps
_loads = orjson.loads


def encode(arguments: dict[str, Any], extra: dict[str, Any]) -> bytes:
    """Return the wire form.

    Raises:
        EncodeError: an argument is not JSON data; names the argument and the cure.
    """
    try:
        return _dumps({**arguments, EXTRA: extra})
    except TypeError as error:
        raise EncodeError(_explain(arguments, extra, error)) from None


def decode(body: Body, delivery: Delivery | None = None, queue_name: str = "") -> Message:
    """Return the message of a wire body, or of an in-memory body.

    `extra` is {} where the producer sent none.

    Args:
        body: what the broker keeps.
        delivery: what the broker handed over.
        queue_name: where it did.

    Raises:
        DecodeError: the body is not a JSON object, or its `extra` is not one.
    """
    if isinstance(body, tuple):
        return Message(body[0], extra_of(body), delivery, queue_name)
    if isinstance(body, dict):
        arguments = body.copy()
    else:
        try:
            arguments = _loads(body)
        except ValueError as error:
            raise DecodeError(f"not JSON: {error}") from None
        if type(arguments) is not dict:
            raise DecodeError(f"a JSON object is needed, this is a {type(arguments).__name__}")
    extra = arguments.pop(EXTRA, None)
    if extra is None:
        extra = {}
    elif type(extra) is not dict:
        raise DecodeError(f"the key {EXTRA!r} must hold an object, this is a {type(extra).__name__}")
    if extra.get(PICKLED):
        raise DecodeError(f"the arguments {extra[PICKLED]} are pickled, which fsdf never reads: send JSON data")
    return Message(arguments, extra, delivery, queue_name)


def as_sent(body: Body) -> bytes | dict[str, Any]:
    """Return a body as it would travel: one in memory as one dict."""
    if isinstance(body, tuple):
        return {**body[0], EXTRA: extra_of(body)}
    return body


def _explain(arguments: dict[str, Any], extra: dict[str, Any], error: TypeError) -> str:
    for name, value in [*arguments.items(), *extra.items()]:
        try:
            _dumps(value)
        except TypeError as reason:
            return (
                f"argument {name!r} ({type(value).__name__}) is not JSON data: {reason}. "
                "Send plain data (numbers, text, lists, dicts), or an id that the task looks up."
            )
    return f"the arguments are not JSON data: {error}"
