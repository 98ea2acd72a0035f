"""Paths into arguments, as people write them: `user.tags[0].name`."""

from __future__ import annotations

import re

from fsdf_core.errors import ConfigurationError

Path = tuple[str | int, ...]

# Databases do not agree on how to write quotes and backslashes in a name.
_PART = re.compile(r"\.?([^.\[\]\"\\]+)|\[(\d{1,9})\]")


def parse_path(text: str) -> Path:
    """Return the names and indexes of a path.

    Raises:
        ConfigurationError: it is no path.
    """
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None or (position == 0 and text[0] == "."):
            parts.clear()
            break
        name, index = found.groups()
        parts.append(name if index is None else int(index))
        position = found.end()
    if not parts or isinstance(parts[0], int):
        raise ConfigurationError(f"{text!r} is no path into arguments: write user.name or tags[0], without quotes")
    return tuple(parts)
