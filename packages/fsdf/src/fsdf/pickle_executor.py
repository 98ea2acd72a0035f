"""The executor over a queue whose calls are pickled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fsdf.executor import QueueExecutor
from fsdf.executor_calls import called, called_async, pickled, unpickled

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf.params import BoosterParams


class PickleQueueExecutor(QueueExecutor):
    """A `QueueExecutor` whose calls and results are pickled: any data, and with cloudpickle any function.

    Whoever may write to the queue may run any code in its consumers: guard the queue.

    Args:
        params: as of `QueueExecutor`.
        consume: as there.
    """

    def __init__(self, params: BoosterParams | str, *, consume: bool = True) -> None:
        super().__init__(params, consume=consume)

    def _runner(self, *, waits: bool) -> Callable[..., Any]:
        def run(call: str) -> str:
            return pickled(called(*unpickled(call)))

        async def run_async(call: str) -> str:
            return pickled(await called_async(*unpickled(call)))

        return run_async if waits else run

    def _pack(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"call": pickled((fn, args, kwargs))}

    def _unpack(self, result: Any) -> Any:
        return unpickled(result)


FunboostPoolPickleFunc = PickleQueueExecutor
"""The known name."""
