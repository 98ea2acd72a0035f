"""Concurrency pools: a thread pool that grows when work waits and shrinks when it does not."""

from fsdf_pools.aliases import BoundedThreadPoolExecutor, FlexibleThreadPool, ThreadPoolExecutorShrinkAble
from fsdf_pools.errors import NoThreadError, PoolClosedError, PoolFullError
from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor
from fsdf_pools.solo import SoloExecutor

__all__ = [
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
