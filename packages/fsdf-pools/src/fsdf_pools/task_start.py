"""How coroutines become tasks of a loop."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine

    Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


if sys.version_info >= (3, 12):
    from asyncio import Task
    from functools import partial

    def starter(loop: asyncio.AbstractEventLoop) -> Start:
        """Return what makes a task that begins at once, so that one which never waits costs the loop no turn.

        A loop with a task factory makes its tasks itself.
        """
        if loop.get_task_factory() is not None:
            return loop.create_task
        return partial(Task, loop=loop, eager_start=True)
else:

    def starter(loop: asyncio.AbstractEventLoop) -> Start:
        """Return what makes a task; it begins with the loop's next turn."""
        return loop.create_task
