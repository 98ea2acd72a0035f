"""One test for pools of threads and of coroutines: a function that fits the pool."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fsdf_core.consumer import Consumer
from fsdf_core.coroutines import is_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.pool import Pool


def fitting(function: Callable[..., Any], pool: Pool) -> Callable[..., Any]:
    """Return the function, made `async def` if the pool runs coroutines; it gives way once, then runs on the loop."""
    if is_async(function) or not getattr(pool, "runs_coroutines", False):
        return function

    async def given_way(*args: Any, **arguments: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **arguments)

    return given_way


class FittingConsumer(Consumer):
    """A `Consumer` whose function is made to fit its pool."""

    def __init__(self, function: Callable[..., Any], *, pool: Pool, **parts: Any) -> None:
        super().__init__(fitting(function, pool), pool=pool, **parts)
