"""Messages that the function cannot be called with: another version of it, or another program, has sent them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from fsdf_core.control import Control
from fsdf_core.errors import DecodeError
from fsdf_core.verdict import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from fsdf_core.message import Message


class Misfit(Control):
    """Sends what does not fit the function's signature to `<queue>_dlx`, without another attempt.

    Trying again would not help, and to acknowledge it would lose work that nobody has looked at. It looks only at
    messages whose run raised a TypeError, or whose object could not be rebuilt (DecodeError).

    Args:
        function: whose signature counts.

    Raises:
        ValueError: a builtin that has none.

    Example:
        >>> from fsdf_core.message import Message
        >>> def add(x, y): ...
        >>> Misfit(add).on_error(Message({"x": 1, "z": 2}, {}), TypeError("unexpected keyword"), attempt=1).reason
        "add(x, y) cannot be called with x, z: missing a required argument: 'y'"
        >>> Misfit(add).on_error(Message({"x": 1, "y": "b"}, {}), TypeError("unsupported operand"), attempt=1)
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._title = getattr(function, "__qualname__", repr(function))
        self._signature = inspect.signature(function)
        kinds = inspect.Parameter
        # A message carries them all by name.
        self._by_name = [
            each.replace(kind=kinds.KEYWORD_ONLY)
            if each.kind not in {kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD}
            else each
            for each in self._signature.parameters.values()
            if each.kind is not kinds.VAR_POSITIONAL
        ]

    def on_error(self, message: Message, error: BaseException, attempt: int) -> DeadLetter | None:  # noqa: ARG002
        """Answer if the message is at fault, not the function."""
        if isinstance(error, DecodeError):
            return DeadLetter(str(error), type(error).__name__)
        if not isinstance(error, TypeError):
            return None
        try:
            inspect.Signature(self._by_name).bind(**message.arguments)
        except TypeError as misfit:
            given = ", ".join(message.arguments) or "nothing"
            return DeadLetter(f"{self._title}{self._signature} cannot be called with {given}: {misfit}", "TypeError")
        return None
