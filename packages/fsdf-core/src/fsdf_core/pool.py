"""The contract of a concurrency pool, as the consumer uses it.

`fsdf_pools.ShrinkableThreadPoolExecutor` and `SoloExecutor` fulfil it without knowing of it.
"""

from collections.abc import Callable
from typing import Protocol


class Pool(Protocol):
    """Runs calls concurrently. All methods may be called from any thread."""

    @property
    def max_workers(self) -> int:
        """How many calls may run at once."""
        ...

    def execute_many(self, call: Callable[[], None], count: int) -> None:
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
