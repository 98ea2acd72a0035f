"""Concurrency pools: a thread pool that grows when work waits and shrinks when it does not, coroutines, processes."""

from typing import TYPE_CHECKING, Any

from fsdf_pools.errors import NoThreadError, PoolClosedError, PoolFullError

if TYPE_CHECKING:
    from fsdf_pools.aliases import BoundedThreadPoolExecutor, FlexibleThreadPool, ThreadPoolExecutorShrinkAble
    from fsdf_pools.async_pool import AsyncPool
    from fsdf_pools.eventlet_pool import EventletPool
    from fsdf_pools.gevent_pool import GeventPool
    from fsdf_pools.process_pool import ProcessPool, WorkerDiedError
    from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor
    from fsdf_pools.solo import SoloExecutor

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


_HOMES = {
    "AsyncPool": "fsdf_pools.async_pool",
    "BoundedThreadPoolExecutor": "fsdf_pools.aliases",
    "EventletPool": "fsdf_pools.eventlet_pool",
    "FlexibleThreadPool": "fsdf_pools.aliases",
    "GeventPool": "fsdf_pools.gevent_pool",
    "ProcessPool": "fsdf_pools.process_pool",
    "ShrinkableThreadPoolExecutor": "fsdf_pools.shrinkable",
    "SoloExecutor": "fsdf_pools.solo",
    "ThreadPoolExecutorShrinkAble": "fsdf_pools.aliases",
    "WorkerDiedError": "fsdf_pools.process_pool",
}


def __getattr__(name: str) -> Any:
    """Import each pool, and asyncio, multiprocessing and libraries of extras, only for those who use it."""
    if name in _HOMES:
        import importlib  # noqa: PLC0415 - as said

        found = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
