"""What stands in the text of arguments if a value is at a path: databases look for text faster than they read JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from fsdf_brokers.records.argument_path import Path

_SPELT_AS_STORED = re.compile(r"true|false|null|-?\d{1,15}")
_STORED_OTHERWISE = re.compile("[\0\ufffd]")
"""NUL is stored as an escape of the other."""
_LONGEST = 1000
"""SQLite takes no patterns of any length."""


def needles(path: Path, text: str) -> list[str]:
    """Return texts of which one is in the arguments, as they are stored, if the value at the path reads like this.

    Numbers with fractions or of many digits, lists and objects read otherwise in some databases: of those, the name
    alone is sure. Empty: nothing is sure.

    Args:
        path: where the value is.
        text: the value as text.
    """
    last = path[-1]
    if _STORED_OTHERWISE.search(f"{last}{text}"):
        return []
    name = f"{_quoted(last)}:" if isinstance(last, str) else ""
    found = [name + _quoted(text)]
    if _SPELT_AS_STORED.fullmatch(text):
        found.append(name + text)
    elif text[:1] in {*"-0123456789[{"}:
        found = [name]
    return found if all(found) and max(map(len, found)) <= _LONGEST else []


def _quoted(text: str) -> str:
    return orjson.dumps(text).decode()
