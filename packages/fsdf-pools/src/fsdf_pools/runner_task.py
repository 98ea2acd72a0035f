"""Tasks of an event loop that can run one call after the other."""

from __future__ import annotations

import asyncio
import sys
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any
from weakref import getweakrefcount

if TYPE_CHECKING:
    from collections.abc import Callable

_references: Callable[[object], int] | None = getattr(sys, "getrefcount", None)


class RunnerTask(asyncio.Task[None]):
    """A task that knows whether what ran in it has left traces.

    A task costs an event loop ten times what a short coroutine does. So what runs coroutines may run the next one in
    the same task, if that one cannot tell it from a new one.
    """

    __slots__ = ("_context", "_known", "_touched", "_watched")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._touched = False
        super().__init__(*arguments, **options)

    def mark(self) -> None:
        """Remember how the task is now; for its own code only. `as_new` looks at it from the same place."""
        self._context: Context | None = copy_context()
        self._watched = getweakrefcount(self)
        self._known = _references(self) if _references is not None else 0

    def as_new(self) -> bool:
        """Whether the task is as it was at `mark`: the same context, nobody knows of it, it was not told anything."""
        try:
            return (
                _references is not None
                and _references(self) == self._known
                and not self._touched
                and copy_context() == self._context
                and getweakrefcount(self) == self._watched
            )
        except Exception:  # noqa: BLE001 - values of a context may be such as cannot be compared
            return False

    def cancel(self, *arguments: Any, **options: Any) -> bool:
        """Cancel it, as any task."""
        self._touched = True
        return super().cancel(*arguments, **options)

    def add_done_callback(self, *arguments: Any, **options: Any) -> None:
        """Add a callback, as to any task."""
        self._touched = True
        super().add_done_callback(*arguments, **options)

    def set_name(self, value: object) -> None:
        """Name it, as any task."""
        self._touched = True
        super().set_name(value)
