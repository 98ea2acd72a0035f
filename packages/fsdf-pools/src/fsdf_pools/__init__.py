"""Concurrency pools: a thread pool that grows when work waits and shrinks when it does not, and one of coroutines."""

from typing import TYPE_CHECKING, Any

from fsdf_pools.aliases import BoundedThreadPoolExecutor, FlexibleThreadPool, ThreadPoolExecutorShrinkAble
from fsdf_pools.errors import NoThreadError, PoolClosedError, PoolFullError
from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor
from fsdf_pools.solo import SoloExecutor

if TYPE_CHECKING:
    from fsdf_pools.async_pool import AsyncPool

__all__ = [
    "AsyncPool",
    "BoundedThreadPoolExecutor",
    "FlexibleThreadPool",
    "NoThreadError",
    "PoolClosedError",
    "PoolFullError",
    "ShrinkableThreadPoolExecutor",
    "SoloExecutor",
    "ThreadPoolExecutorShrinkAble",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import asyncio only for those who use it."""
    if name == "AsyncPool":
        from fsdf_pools.async_pool import AsyncPool  # noqa: PLC0415 - as said

        return AsyncPool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
