"""The contract of a concurrency pool, as the consumer uses it.

`fsdf_pools.ShrinkableThreadPoolExecutor`, `SoloExecutor` and `AsyncPool` fulfil it without knowing of it.
"""

from collections.abc import Callable
from typing import Any, Protocol


class Pool(Protocol):
    """Runs calls concurrently. All methods may be called from any thread.

    A pool whose attribute `runs_coroutines` is true takes `async def` functions as `call`, and has the attribute
    `loop`, the event loop that runs them.
    """

    @property
    def max_workers(self) -> int:
        """How many calls may run at once."""
        ...

    def execute_many(self, call: Callable[[], Any], count: int) -> None:
        """Run `call()` `count` times, as concurrently as the pool allows; never block, never raise.

        The caller keeps its own bound by `free_slots()`. `call` does not raise.
        """
        ...

    def free_slots(self) -> int:
        """How many more calls would start at once."""
        ...

    def resize(self, max_workers: int) -> None:
        """Change `max_workers`; running calls are left alone."""
        ...

    def close(self, timeout: float | None = None) -> bool:
        """Stop accepting, let running calls end within `timeout` seconds; True if all did."""
        ...
