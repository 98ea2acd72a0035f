"""The executor over a queue of this process."""

from __future__ import annotations

import itertools
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsdf.broker_kind import BrokerEnum
from fsdf.concurrent_mode import ConcurrentModeEnum
from fsdf.executor import QueueExecutor
from fsdf.executor_calls import called, called_async
from fsdf.params import BoosterParams
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ELSEWHERE = (ConcurrentModeEnum.PROCESS, ConcurrentModeEnum.RAY)


class MemoryExecutor(QueueExecutor):
    """A `QueueExecutor` of this process alone: any function, any objects, with the parameters of a task.

    A future raises `TaskFailed`, whose cause is what the call raised last.

    Args:
        concurrent_num: calls at once. Default 50.
        qps: starts a second. Default None: no limit.
        **params: further fields of `BoosterParams`.

    Raises:
        ConfigurationError: a parameter is not valid, or its calls would run in other processes (PROCESS, RAY).
    """

    def __init__(self, concurrent_num: int = 50, qps: float | None = None, **params: Any) -> None:
        given = {"queue_name": f"fsdf-executor-{uuid.uuid4().hex[:12]}", "broker_kind": BrokerEnum.MEMORY_QUEUE}
        self._numbers = itertools.count()
        self._calls: dict[int, _Call] = {}
        task = BoosterParams(**{**given, "concurrent_num": concurrent_num, "qps": qps, **params})
        if task.concurrent_mode in _ELSEWHERE or getattr(task.specify_concurrent_pool, "runs_elsewhere", False):
            raise ConfigurationError(
                "the calls of a MemoryExecutor stay in this process: for other processes use QueueExecutor, whose "
                "functions are importable"
            )
        super().__init__(task)

    def _runner(self, *, waits: bool) -> Callable[..., Any]:
        def run(number: int) -> int:
            if (call := self._calls.get(number)) is not None:
                with call.outcome():
                    call.result = called(call.fn, call.args, call.kwargs)
            return number

        async def run_async(number: int) -> int:
            if (call := self._calls.get(number)) is not None:
                with call.outcome():
                    call.result = await called_async(call.fn, call.args, call.kwargs)
            return number

        return run_async if waits else run

    def _pack(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        self._calls[number] = _Call(fn, args, kwargs)
        return {"number": number}

    def _unpack(self, result: Any) -> Any:
        return self._calls[result].result

    def _explain(self, call: dict[str, Any], error: BaseException) -> BaseException:
        error.__cause__ = self._calls[call["number"]].error
        return error

    def _forget(self, call: dict[str, Any]) -> None:
        self._calls.pop(call["number"], None)


@dataclass
class _Call:
    """A call in this process, and what it has come to."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any = None
    error: BaseException | None = None

    @contextmanager
    def outcome(self) -> Iterator[None]:
        """Keep what is raised inside."""
        try:
            yield
        except BaseException as error:
            self.error = error
            raise


MemoryFunboostPool = MemoryExecutor
"""The known name."""
