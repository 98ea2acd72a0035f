"""Executors of the standard library's kind over a queue: calls run in this process or in any other."""

from __future__ import annotations

import threading
import time
from concurrent import futures
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf.booster import Booster
from fsdf.broker_kind import BrokerEnum
from fsdf.concurrent_mode import ConcurrentModeEnum
from fsdf.executor_calls import Caller, called_async, find, reference_of
from fsdf.params import BoosterParams
from fsdf.state import state_of
from fsdf.task_future import TaskFuture
from fsdf_control.kill import kill
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from fsdf.result import AsyncResult

P = ParamSpec("P")
T = TypeVar("T")

REGISTRY = "fsdf_executors"
"""Executors' queues are in a registry of their own, which `BoostersManager.consume_all` does not know."""


class QueueExecutor(Executor):
    """Publishes calls of importable functions to a queue, and returns futures of their results.

    The calls run where an executor of the same queue consumes: in this process, or in others, which need the same
    modules. All parameters of a task hold for each call: retries, rates, timeouts and the rest. Arguments and results
    are JSON data.

    Args:
        params: of the queue, or only its name. Results always come back.
        consume: run calls in this process, too. Default True.
        modules: names of modules and packages whose own functions may be called here. Needed to consume a queue that
            other programs can write to: they could call any function otherwise. Default None: any, on MEMORY_QUEUE.

    Raises:
        ConfigurationError: a parameter is not valid, or `modules` is missing.

    Example:
        >>> from math import sqrt
        >>> with QueueExecutor(BoosterParams(queue_name="roots", broker_kind="MEMORY_QUEUE")) as executor:
        ...     executor.submit(sqrt, 16).result()
        4.0
    """

    def __init__(
        self, params: BoosterParams | str, *, consume: bool = True, modules: Sequence[str] | None = None
    ) -> None:
        if isinstance(params, str):
            params = BoosterParams(queue_name=params)
        if consume and modules is None and params.broker_kind != BrokerEnum.MEMORY_QUEUE:
            raise ConfigurationError(
                "whoever can write to the queue could call any function: "
                'name the modules whose functions may be called, modules=["app.tasks"]'
            )
        self._modules = modules
        self._lock = threading.Lock()
        self._pending: set[TaskFuture[Any]] = set()
        self._closed = False
        own = {"is_using_rpc_mode": True, "booster_registry_name": REGISTRY}
        params = params.model_copy(update=own)
        waits = params.concurrent_mode == ConcurrentModeEnum.ASYNC
        self._booster: Booster[..., Any] = Booster(params, self._runner(waits=waits))
        self._kill = self._kill_task if params.is_support_remote_kill_task else None
        self._consumes = consume
        if consume:
            self._booster.consume()

    # -- what travels ----------------------------------------------------------------------------

    def _runner(self, *, waits: bool) -> Callable[..., Any]:
        modules = self._modules

        async def run_async(function: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
            return await called_async(find(function, modules), args, kwargs)

        return run_async if waits else Caller(modules)

    def _pack(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"function": reference_of(fn), "args": list(args), "kwargs": kwargs}

    def _unpack(self, result: Any) -> Any:
        return result

    def _explain(self, call: dict[str, Any], error: BaseException) -> BaseException:  # noqa: ARG002 - for subclasses
        return error

    def _forget(self, call: dict[str, Any]) -> None:
        """The call has ended, or was given up."""

    # -- calls -----------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> TaskFuture[T]:
        """Publish a call.

        Returns:
            The future of its result. It raises `TaskFailed` if the call failed for good, with the traceback of the
            worker in its text, and `HasNotAsyncResult` if it has not ended within `rpc_timeout`.

        Raises:
            RuntimeError: the executor was shut down.
            ConfigurationError: another process cannot find the function.
            EncodeError: an argument is not JSON data; names it.
            BrokerError: the broker did not accept it.
        """
        self._check_open()
        call = self._pack(fn, args, dict(kwargs))
        return self._future(self._booster.publish(call), call)

    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,  # noqa: ARG002 - the standard library's signature
    ) -> Iterator[T]:
        """Publish a call for each tuple of arguments, in batches; return the results in order.

        Args:
            fn: the function.
            *iterables: of its positional arguments.
            timeout: seconds from now that the results have; default: no limit but `rpc_timeout`.
            chunksize: without effect: batches are as large as the broker likes them.

        Raises:
            RuntimeError: as `submit`, and so on; `TimeoutError` and what a call raises come from the iterator.
        """
        self._check_open()
        deadline = None if timeout is None else time.monotonic() + timeout
        calls = [self._pack(fn, args, {}) for args in zip(*iterables, strict=False)]
        pending: list[TaskFuture[T]] = list(map(self._future, self._booster.publish_many(calls), calls))

        def results() -> Iterator[T]:
            try:
                pending.reverse()
                while pending:
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    # The iterator must not keep the results that it has handed over.
                    yield pending.pop().result(left)
            finally:
                for future in pending:
                    future.cancel()

        return results()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more calls, and stop consuming when those of this executor have ended.

        Args:
            wait: return only then; otherwise this process stops consuming at once. Default True.
            cancel_futures: give up the calls that have not ended. Default False.
        """
        self._closed = True
        with self._lock:
            pending = list(self._pending)
        if cancel_futures:
            for future in pending:
                future.cancel()
        if wait:
            futures.wait(pending)
        if self._consumes:
            self._booster.stop(None if wait else 0.0)

    def _future(self, published: AsyncResult[Any], call: dict[str, Any]) -> TaskFuture[Any]:
        future: TaskFuture[Any] = TaskFuture(published, self._kill)
        with self._lock:
            self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        future.add_done_callback(lambda _: self._forget(call))
        future.listen(self._unpack, partial(self._explain, call))
        return future

    def _kill_task(self, task_id: str) -> None:
        queue = self._booster.publisher.queue()
        kill(state_of(queue), queue.name, task_id)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the executor accepts no more calls: it was shut down")


FunboostPool = QueueExecutor
FunboostFuture = TaskFuture
"""The known names."""
