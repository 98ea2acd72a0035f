"""A number that a message carries for itself."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar

if TYPE_CHECKING:
    from fsdf_core.message import Message

_Default = TypeVar("_Default")

_SHOWN = 80
"""Most characters of a wrong value that are logged."""


class NumberOption:
    """Reads one key of `extra`, which goes before a control's own value; 0 is a value like others.

    What is no such number (a foreign producer may send anything) is ignored, and said once.

    Args:
        name: the key.
        least: smallest number allowed; default 0.
        whole: only whole numbers; default False.

    Example:
        >>> from fsdf_core.message import Message
        >>> NumberOption("max_retry_times", whole=True).of(Message({}, {"max_retry_times": 0}), 3)
        0
    """

    def __init__(self, name: str, *, least: float = 0.0, whole: bool = False) -> None:
        self.logger = logging.getLogger("fsdf.control")
        self._name = name
        self._least = least
        self._whole = whole
        self._said = False

    def of(self, message: Message, default: _Default) -> float | _Default:
        """Return the message's number, or the default."""
        value = message.extra.get(self._name)
        if value is None:
            return default
        if is_number(value) and value >= self._least and (not self._whole or value == int(value)):
            return float(value) if not self._whole else int(value)
        if not self._said:
            self._said = True
            self.logger.warning(
                "task %s: %s must be a %s of at least %g, not %.*r: ignored, also in tasks to come",
                message.task_id, self._name, "whole number" if self._whole else "number", self._least, _SHOWN, value,
            )  # fmt: skip
        return default


def is_number(value: Any) -> TypeGuard[float]:
    """Whether the value is a finite number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
