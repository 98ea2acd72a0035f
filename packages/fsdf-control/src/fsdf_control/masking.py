"""Arguments as they may be shown: plain JSON data of bounded size, secrets masked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
SECRETS = (
    "password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "private_key", "access_key",
    "authorization", "credentials", "cookie",
)  # fmt: skip
"""Names of arguments that are masked without being asked to."""
LARGEST = 1_000_000
"""Bytes of JSON above which data are replaced by their beginning."""
_SHOWN = 1000
_DEEPEST = 50
_KNOWN_NAMES = 10_000
_LEAST, _GREATEST = -(2**63), 2**63 - 1


class Mask:
    """Replaces the values of secret arguments at any depth.

    A name is secret if it equals one of `names`, or ends with it after an underscore: `db_password`, `X-Api-Key`.
    Case does not matter, and a hyphen is an underscore.

    Args:
        names: names of secrets, besides those of `SECRETS`.

    Example:
        >>> Mask(["pin"])({"user": {"pin": 1234, "accessToken": "x", "access_token": "y"}})
        {'user': {'pin': '***', 'accessToken': '***', 'access_token': '***'}}
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._ends = tuple(_plain(name) for name in (*SECRETS, *names))
        self._known: dict[str, bool] = {}
        self._harmless: set[str] = set()

    def text_of_plain(self, arguments: dict[str, Any]) -> str | None:
        """Return the JSON of arguments that can be shown as they are; None of secrets, of what is nested or long."""
        if not self._harmless.issuperset(arguments):
            return None
        for value in arguments.values():
            kind = type(value)
            if kind is str:
                if len(value) >= _SHOWN or not value.isascii():
                    return None
            elif kind is not int and kind is not float:
                return None
        try:
            return orjson.dumps(arguments).decode()
        except TypeError:  # integers of more than 64 bits
            return None

    def __call__(self, arguments: dict[str, Any], depth: int = 0) -> dict[str, Any]:
        """Return a copy in which secrets are masked, and what is nested too deep is left out."""
        return {
            name: MASK if self._is_secret(name) else value if isinstance(value, _SCALARS) else self._deep(value, depth)
            for name, value in arguments.items()
        }

    def _deep(self, value: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            return "…"
        if isinstance(value, dict):
            return self({str(name): inner for name, inner in value.items()}, depth + 1)
        if isinstance(value, (list, tuple)):
            return [each if isinstance(each, _SCALARS) else self._deep(each, depth + 1) for each in value]
        return value

    def _is_secret(self, name: str) -> bool:
        secret = self._known.get(name)
        if secret is None:
            plain = _plain(name)
            secret = any(plain == end or plain.endswith(f"_{end}") for end in self._ends)
            if len(self._known) < _KNOWN_NAMES:
                self._known[name] = secret
                if not secret:
                    self._harmless.add(name)
        return secret


def shown(value: Any) -> Any:
    """Return data that any store takes: JSON as the codec reads it back, what is none as text, cut if too large.

    Example:
        >>> shown({"when": {1, 1}, 2: float("inf")})
        {'when': '{1}', '2': None}
    """
    if value is None or value is True or value is False or (isinstance(value, (int, str)) and _is_small(value)):
        return value
    try:
        text = _json(value)
    except (ValueError, TypeError, RecursionError):  # it contains itself, or cannot even be printed
        return f"<{type(value).__name__}>"
    if len(text) > LARGEST:
        return f"{text[:_SHOWN].decode(errors='ignore')}… ({len(text)} bytes)"
    return orjson.loads(text)


def cut(text: str, most: int) -> str:
    """Return the end of a text that is too long, in characters that UTF-8 knows."""
    return (text if len(text) <= most else f"…{text[-most:]}").encode(errors="replace").decode()


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # integers of more than 64 bits, half characters, keys of other kinds
        text = json.dumps(_printable(value), default=str)
        return text.encode()


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {_printable(str(name)): _printable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(each) for each in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, int) and not _is_small(value):
        return str(value)
    return value if isinstance(value, (int, float, bool, type(None))) else str(value)


def _is_small(value: int | str) -> bool:
    if isinstance(value, str):
        return value.isascii() and len(value) < _SHOWN
    return _LEAST <= value <= _GREATEST


def _plain(name: str) -> str:
    """Return a name in the spelling of Python."""
    if not name.islower() and not name.isupper():
        name = "".join(f"_{letter}" if letter.isupper() else letter for letter in name)
    return name.lower().replace("-", "_").replace("__", "_").lstrip("_")


_SCALARS = (str, int, float, bool, type(None))
