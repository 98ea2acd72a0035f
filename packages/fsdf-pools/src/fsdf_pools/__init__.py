"""Concurrency pools: a thread pool that grows when work waits and shrinks when it does not, coroutines, processes."""

from typing import TYPE_CHECKING, Any

from fsdf_pools.aliases import BoundedThreadPoolExecutor, FlexibleThreadPool, ThreadPoolExecutorShrinkAble
from fsdf_pools.errors import NoThreadError, PoolClosedError, PoolFullError
from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor
from fsdf_pools.solo import SoloExecutor

if TYPE_CHECKING:
    from fsdf_pools.async_pool import AsyncPool
    from fsdf_pools.eventlet_pool import EventletPool
    from fsdf_pools.gevent_pool import GeventPool
    from fsdf_pools.process_pool import ProcessPool, WorkerDiedError

__all__ = [
    "AsyncPool",
    "BoundedThreadPoolExecutor",
    "EventletPool",
    "FlexibleThreadPool",
    "GeventPool",
    "NoThreadError",
    "PoolClosedError",
    "PoolFullError",
    "ProcessPool",
    "ShrinkableThreadPoolExecutor",
    "SoloExecutor",
    "ThreadPoolExecutorShrinkAble",
    "WorkerDiedError",
]

__version__ = "0.1.0"


_HEAVY = {
    "AsyncPool": "fsdf_pools.async_pool",
    "EventletPool": "fsdf_pools.eventlet_pool",
    "GeventPool": "fsdf_pools.gevent_pool",
    "ProcessPool": "fsdf_pools.process_pool",
    "WorkerDiedError": "fsdf_pools.process_pool",
}


def __getattr__(name: str) -> Any:
    """Import asyncio, multiprocessing and the libraries of extras only for those who use them."""
    if name in _HEAVY:
        import importlib  # noqa: PLC0415 - as said

        return getattr(importlib.import_module(_HEAVY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
