"""The names under which users of older frameworks know such pools.

Each is the `ShrinkableThreadPoolExecutor` with the defaults of its namesake. The differences from the
namesakes: a full queue blocks `submit` at `queue_size` items (default 10; 0 takes the bound away),
`shutdown` and the `with` statement really wait, threads are daemons whose queued work is finished
before the interpreter exits, and a burst of quick calls starts no storm of threads. All but
`max_workers` are keyword arguments.
"""

from __future__ import annotations

from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor

_QUEUE_SIZE = 10


class BoundedThreadPoolExecutor(ShrinkableThreadPoolExecutor):
    """A `ShrinkableThreadPoolExecutor` whose queue is bounded by default, so that `submit` can block.

    Args:
        max_workers: The most threads at a time. Default 50.
        min_workers: So many threads stay when idle. Default 0.
        keep_alive: Seconds until an idle thread ends. Default 10.
        queue_size: The most items that wait for a thread, 0 for no limit. Default 10.
        thread_name_prefix: Threads are named `<prefix>-<number>`. Default "fsdf-pool".

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        min_workers: int = 0,
        keep_alive: float = 10.0,
        queue_size: int = _QUEUE_SIZE,
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        super().__init__(
            max_workers,
            min_workers=min_workers,
            keep_alive=keep_alive,
            queue_size=queue_size,
            thread_name_prefix=thread_name_prefix,
        )


class ThreadPoolExecutorShrinkAble(BoundedThreadPoolExecutor):
    """The pool of that name: one worker stays, a queue of 10, threads end after 10 idle seconds.

    Args:
        max_workers: The most threads at a time. Default 50.
        min_workers: So many threads stay when idle. Default 1.
        keep_alive: Seconds until an idle thread ends. Default 10.
        queue_size: The most items that wait for a thread, 0 for no limit. Default 10.
        thread_name_prefix: Threads are named `<prefix>-<number>`. Default "fsdf-pool".

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        min_workers: int = 1,
        keep_alive: float = 10.0,
        queue_size: int = _QUEUE_SIZE,
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        super().__init__(
            max_workers,
            min_workers=min_workers,
            keep_alive=keep_alive,
            queue_size=queue_size,
            thread_name_prefix=thread_name_prefix,
        )


class FlexibleThreadPool(BoundedThreadPoolExecutor):
    """The pool of that name: no worker stays, a queue of 10, threads end after 5 idle seconds.

    Args:
        max_workers: The most threads at a time. Default 50.
        min_workers: So many threads stay when idle. Default 0.
        keep_alive: Seconds until an idle thread ends. Default 5.
        queue_size: The most items that wait for a thread, 0 for no limit. Default 10.
        thread_name_prefix: Threads are named `<prefix>-<number>`. Default "fsdf-pool".

    Raises:
        ValueError: A number is out of its range.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        min_workers: int = 0,
        keep_alive: float = 5.0,
        queue_size: int = _QUEUE_SIZE,
        thread_name_prefix: str = "fsdf-pool",
    ) -> None:
        super().__init__(
            max_workers,
            min_workers=min_workers,
            keep_alive=keep_alive,
            queue_size=queue_size,
            thread_name_prefix=thread_name_prefix,
        )
