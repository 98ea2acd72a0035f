"""A handle on a task for coroutines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from fsdf.result import AsyncResult
from fsdf.result_errors import failure, no_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from typing_extensions import Self

    from fsdf_core.answer import Answer
    from fsdf_core.task_status import FunctionResultStatus

R = TypeVar("R")

_callbacks: set[asyncio.Task[None]] = set()


class AioAsyncResult(Generic[R]):
    """A published task; waiting for it does not block the event loop: `await result`.

    Args:
        task_id: the task's id, or the `AsyncResult` to wrap.
        timeout: as of `AsyncResult`.

    Attributes:
        task_id: its id.
    """

    __slots__ = ("_handle",)

    def __init__(self, task_id: str | int | AsyncResult[R], timeout: float | None = None) -> None:
        self._handle: AsyncResult[R] = task_id if isinstance(task_id, AsyncResult) else AsyncResult(task_id)
        if timeout is not None:
            self._handle.set_timeout(timeout)

    @property
    def task_id(self) -> str:
        """The task's id."""
        return self._handle.task_id

    @property
    def result(self) -> Awaitable[R]:
        """The function's result, to be awaited: `get()`."""
        return self.get()

    async def get(self, timeout: float | None = None) -> R:
        """Wait for the function's result; raises as `AsyncResult.get`."""
        answer = await self._told(timeout)
        if not answer.success:
            raise failure(answer)
        result: R = answer.result
        return result

    @property
    def status_and_result(self) -> Awaitable[dict[str, Any] | None]:
        """How the task ended, to be awaited: as `AsyncResult.status_and_result`."""
        return self._status_dict()

    @property
    def status_and_result_obj(self) -> Awaitable[FunctionResultStatus | None]:
        """The same as an object."""
        return self._status()

    rpc_data = status_and_result_obj

    async def is_pending(self) -> bool:
        """Whether the task has not ended yet; does not wait for that."""
        return await asyncio.to_thread(self._handle.is_pending)

    async def is_success(self) -> bool:
        """Whether the function returned, after a wait for the task's end."""
        return (await self._told(None)).success

    def set_timeout(self, timeout: float) -> Self:
        """Wait so many seconds from now on."""
        self._handle.set_timeout(timeout)
        return self

    def set_callback(self, callback: Callable[[dict[str, Any] | None], Awaitable[Any]]) -> asyncio.Task[None]:
        """Await `callback(status_and_result)` in a task of the running loop, and return that task."""

        async def run() -> None:
            await callback(await self._status_dict())

        task = asyncio.get_running_loop().create_task(run())
        _callbacks.add(task)
        task.add_done_callback(_callbacks.discard)
        return task

    async def wait_rpc_data_or_raise(self, raise_exception: bool = True) -> FunctionResultStatus | None:  # noqa: FBT001, FBT002 - the known signature
        """Wait for the task's end: as `AsyncResult.wait_rpc_data_or_raise`."""
        if not raise_exception:
            return await self._status()
        answer = await self._told(None)
        if not answer.success:
            raise failure(answer)
        return answer.status()

    @staticmethod
    async def batch_wait_rpc_data_or_raise(
        r_list: list[AioAsyncResult[Any]],
        raise_exception: bool = True,  # noqa: FBT001, FBT002 - the known signature
    ) -> list[FunctionResultStatus | None]:
        """Wait for all of them: as `AsyncResult.batch_wait_rpc_data_or_raise`."""
        return list(await asyncio.gather(*[each.wait_rpc_data_or_raise(raise_exception) for each in r_list]))

    def __await__(self) -> Generator[Any, None, R]:
        """Wait for the function's result."""
        return self.get().__await__()

    async def _status_dict(self) -> dict[str, Any] | None:
        answer = await self._wait(None)
        return None if answer is None else answer.status_dict()

    async def _status(self) -> FunctionResultStatus | None:
        answer = await self._wait(None)
        return None if answer is None else answer.status()

    async def _told(self, timeout: float | None) -> Answer:
        answer = await self._wait(timeout)
        if answer is None:
            limit = self._handle.timeout if timeout is None else timeout
            raise no_answer([self.task_id], limit, self._handle.readers())
        return answer

    async def _wait(self, timeout: float | None) -> Answer | None:
        handle = self._handle
        if handle.answer is not None:
            return handle.answer
        loop = asyncio.get_running_loop()
        # In a thread: it may import the store's library.
        readers = await asyncio.to_thread(handle.readers)
        told: asyncio.Future[Answer | None] = loop.create_future()

        def finish(answer: Answer | None) -> None:
            if not told.done():
                told.set_result(answer)

        def tell(_: str, answer: Answer | None) -> None:
            loop.call_soon_threadsafe(finish, answer)

        limit = handle.timeout if timeout is None else timeout
        expected = [(reader, reader.expect([handle.task_id], tell, limit)) for reader in readers]
        try:
            answer = await told
        finally:
            for reader, expectation in expected:
                reader.forget(expectation)
        if answer is not None:
            handle.keep(answer)
        return answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AioAsyncResult) and other.task_id == self.task_id

    def __hash__(self) -> int:
        return hash(self.task_id)

    def __repr__(self) -> str:
        return f"AioAsyncResult({self.task_id!r})"
