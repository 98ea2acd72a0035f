"""The future of a published task: how it ended, for those who wait the way of `concurrent.futures` or `asyncio`."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from fsdf_core.answer import ASKED
from fsdf_core.errors import HasNotAsyncResult

if TYPE_CHECKING:
    import asyncio

    from fsdf.result import AsyncResult
    from fsdf_core.task_status import FunctionResultStatus

P = ParamSpec("P")
R = TypeVar("R")


class FuturePublishing(Generic[P, R]):
    """The part of a `BoosterPublisher` that publishes calls and returns futures, on any broker."""

    def get_future(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[FunctionResultStatus]:
        """Publish one call, written as the call itself, and return the future of how it ends: see `future_of`.

        The result comes back whatever `is_using_rpc_mode` says.

        Raises:
            TypeError: the function cannot be called like this.
            BrokerError: the broker did not accept it.
        """
        return future_of(self.published(args, kwargs, {ASKED: True}))

    def get_aio_future(self, /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[FunctionResultStatus]:
        """`get_future` for the running event loop: `status = await f.publisher.get_aio_future(1, y=2)`.

        Publishing itself blocks, as `push` does.
        """
        import asyncio  # noqa: PLC0415 - slow to import

        return asyncio.wrap_future(self.get_future(*args, **kwargs))

    def published(self, args: tuple[Any, ...], kwargs: dict[str, Any], extra: dict[str, Any]) -> AsyncResult[R]:
        """Publish one call with control data."""
        raise NotImplementedError


def future_of(published: AsyncResult[Any]) -> Future[FunctionResultStatus]:
    """Return a future of the task's `FunctionResultStatus`; a failed task's has `success` False.

    It cannot be cancelled: the task is on its queue. It raises `HasNotAsyncResult` if the task has not ended within
    its `rpc_timeout`, and what the state store raises if that cannot be asked.
    """
    future: Future[FunctionResultStatus] = Future()
    future.set_running_or_notify_cancel()

    def ended(status: dict[str, Any] | None) -> None:
        try:
            told = None if status is None else published.status_and_result_obj
        except BaseException as error:  # noqa: BLE001 - the future carries it
            future.set_exception(error)
            return
        if told is None:
            future.set_exception(HasNotAsyncResult(f"task {published.task_id} has not ended in time"))
        else:
            future.set_result(told)

    published.set_callback(ended)
    return future
