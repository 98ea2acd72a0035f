"""Where a page of records ended, as text for the next question."""

from __future__ import annotations

import math
from typing import NamedTuple

from fsdf_core.errors import ConfigurationError


class Cursor(NamedTuple):
    """The last record of a page."""

    moment: float
    task_id: str

    def __str__(self) -> str:
        return f"{self.moment!r}~{self.task_id}"


def parse_cursor(text: str) -> Cursor:
    """Return the place.

    Raises:
        ConfigurationError: the text is no cursor.
    """
    moment, tilde, task_id = text.partition("~")
    try:
        place = Cursor(float(moment), task_id)
    except ValueError:
        place = Cursor(math.nan, "")
    if not tilde or math.isnan(place.moment):
        raise ConfigurationError("that is no cursor of a page of records: start from the first page")
    return place
