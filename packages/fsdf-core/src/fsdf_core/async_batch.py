"""Micro-batches of `async def` functions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fsdf_core.async_executor import AsyncExecutor
from fsdf_core.batch import BatchExecutor, BatchMessage
from fsdf_core.context import current_message
from fsdf_core.host import Abandoned

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_core.batch import Batch
    from fsdf_core.message import Message


class AsyncBatchExecutor(BatchExecutor, AsyncExecutor):
    """`BatchExecutor` on a pool's event loop: one coroutine gathers, then it calls and another one gathers."""

    def __init__(self, batch: Batch, *arguments: Any) -> None:
        self._came = asyncio.Event()
        super().__init__(batch, *arguments)

    def begin(self, count: int) -> None:
        """Let a coroutine gather, unless one does."""
        self._pool.loop.call_soon_threadsafe(self._came.set)  # type: ignore[attr-defined] # a pool of coroutines
        super().begin(count)

    def _build(self) -> Callable[[], Any]:
        return self._gather_and_run_async

    async def _gather_and_run_async(self) -> None:
        members = self._open()
        for pause in self._gather(members, self._batch.wait, self._came):
            with suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(self._came.wait(), pause)
        if self._close():
            self._pool.execute_many(self.run_next, 1)
        if members:
            await self._run_async(members)

    async def _run_async(self, members: list[Message]) -> None:
        whole = BatchMessage(members)
        self._enter(whole)
        try:
            results = await self._call(whole)
        except Abandoned as error:
            await self._recover_async(whole, error)
            return
        except asyncio.CancelledError as error:
            if self._stopping.is_set():
                for member in members:
                    self._give_back(member)
                return
            results = [error] * len(members)
        except BaseException as error:  # noqa: BLE001 - a task may raise anything, the loop goes on
            results = [error] * len(members)
        self._distribute(members, results)

    def _enter(self, message: Message) -> None:
        current_message.task.set(message)

    async def _recover_next(self) -> None:
        member, error = self._failures.popleft()
        self._enter(member)
        await self._recover_async(member, error)
