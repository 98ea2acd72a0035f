"""The executor over a queue of this process."""

from __future__ import annotations

import itertools
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fsdf.broker_kind import BrokerEnum
from fsdf.executor import QueueExecutor
from fsdf.executor_calls import called, called_async
from fsdf.params import BoosterParams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class MemoryExecutor(QueueExecutor):
    """A `QueueExecutor` of this process alone: any function, any objects, with the parameters of a task.

    A future raises `TaskFailed`, whose cause is what the call raised last.

    Args:
        concurrent_num: calls at once. Default 50.
        qps: starts a second. Default None: no limit.
        **params: further fields of `BoosterParams`.
    """

    def __init__(self, concurrent_num: int = 50, qps: float | None = None, **params: Any) -> None:
        given = {"queue_name": f"fsdf-executor-{uuid.uuid4().hex[:12]}", "broker_kind": BrokerEnum.MEMORY_QUEUE}
        self._numbers = itertools.count()
        self._calls: dict[int, _Call] = {}
        super().__init__(BoosterParams(**{**given, "concurrent_num": concurrent_num, "qps": qps, **params}))

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
