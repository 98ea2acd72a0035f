"""Which tasks count as equal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from fsdf_core.message import Message

Key = Callable[["Message"], str]
"""Returns the same text for messages that count as equal."""

FILTER_STR = "filter_str"
"""Key of `extra`: text that stands for the arguments."""

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def digest(message: Message, key: Key | None) -> str:
    """Return 32 hexadecimal digits (BLAKE2b, 128 bits) of what makes the task.

    That is `extra["filter_str"]` if the message has it, else what `key` returns, else the arguments as JSON with
    sorted keys. Arguments that are no JSON data (in memory) count by their `repr`.

    Example:
        >>> from fsdf_core.message import Message
        >>> digest(Message({"a": 1, "b": 2}, {}), None) == digest(Message({"b": 2, "a": 1}, {}), None)
        True
    """
    text = message.extra.get(FILTER_STR)
    if text is not None:
        data = b"s" + str(text).encode(errors="backslashreplace")
    elif key is not None:
        data = b"s" + key(message).encode(errors="backslashreplace")
    else:
        try:
            data = b"a" + orjson.dumps(message.arguments, default=repr, option=_OPTIONS)
        except TypeError:
            # Whole numbers beyond 64 bits, text that is no Unicode, ….
            data = b"r" + repr(sorted(message.arguments.items())).encode(errors="backslashreplace")
    return hashlib.blake2b(data, digest_size=16).hexdigest()
