"""The pool whose calls run on a Ray cluster."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fsdf_pools.process_pool.errors import GivenUpError
from fsdf_pools.process_pool.remote_calls import RemoteCalls
from fsdf_pools.ray_pool.cluster import cluster_cpus, connect
from fsdf_pools.ray_pool.slot import Slot
from fsdf_pools.shrinkable import ShrinkableThreadPoolExecutor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")

_DYING = 10.0
"""Seconds that threads have to end when their workers were killed."""


class RayPool(RemoteCalls):
    """Runs calls on a Ray cluster, each worker there kept by a thread of this process.

    A worker, which is a Ray actor, starts when work waits and no other is free, and ends when it had none for a
    while. One that dies costs the call that it ran, nothing else: the next call gets a new one. A running call can
    be ended at any time, even inside C code, because its worker is killed.

    Functions must be importable on the cluster, where the same code is installed: arguments and results are pickled.

    Args:
        max_workers: the most workers at a time, at least 1. Default: the CPUs that the cluster has now.
        keep_alive: seconds until an idle worker ends, and gives its CPU back. Default 10.
        thread_name_prefix: threads are named `<prefix>-<number>`. Default "fsdf-pool".
        actor_options: of each worker: `num_cpus` (default 1), `num_gpus`, `resources`, `runtime_env`, ….
        init_options: of `ray.init`, if this process is not connected yet. Default: the cluster of the variable
            `RAY_ADDRESS`, or the one that runs on this machine, or a new one on it.

    Raises:
        ValueError: a number is out of its range.
        ConnectionError: the cluster cannot be reached.
    """

    runs_elsewhere = True
    given_up = GivenUpError

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        keep_alive: float = 10.0,
        thread_name_prefix: str = "fsdf-pool",
        actor_options: Mapping[str, Any] | None = None,
        init_options: Mapping[str, Any] | None = None,
    ) -> None:
        if max_workers is not None and max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}")
        connect(**(init_options or {}))
        self._options = {"num_cpus": 1, **(actor_options or {})}
        self._threads = ShrinkableThreadPoolExecutor(
            cluster_cpus() if max_workers is None else max_workers,
            keep_alive=keep_alive,
            thread_name_prefix=thread_name_prefix,
        )
        # A slot lives as long as its thread does.
        self._mine = threading.local()
        self._slots: weakref.WeakValueDictionary[int, Slot] = weakref.WeakValueDictionary()
        self._given_up = False
        self._warm_ups: list[bytes] = []

    # -- work ------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run `fn(*args, **kwargs)` on the cluster.

        Returns:
            The Future of its result; it may also raise what `run` does.

        Raises:
            PoolClosedError: the pool was closed. A `RuntimeError`.
        """
        return self._threads.submit(self.run, fn, *args, **kwargs)

    def execute_many(self, call: Callable[[], object], count: int) -> None:
        """Run `call()` `count` times in threads of this process; it uses `run` for what shall run on the cluster.

        Raises:
            PoolClosedError: the pool was closed. A `RuntimeError`.
        """
        self._threads.execute_many(call, count)

    def interrupt(self, thread: int, kind: type[BaseException] | None) -> int:
        """End the call that a thread of the pool has on the cluster, by killing its worker.

        Args:
            thread: the thread's identity.
            kind: what `run` raises there, made without arguments. None takes back what has not been raised yet.

        Returns:
            1, or 0 if the thread is none of the pool's.
        """
        slot = self._slots.get(thread)
        if slot is None:
            return 0
        slot.interrupt(kind)
        return 1

    def _place(self) -> Slot:
        slot: Slot | None = getattr(self._mine, "slot", None)
        if slot is None:
            slot = self._mine.slot = self._slots[threading.get_ident()] = Slot(self._options, self._warm_ups)
            if self._given_up:
                slot.give_up()
        return slot

    # -- size and end ----------------------------------------------------------------------------

    def free_slots(self) -> int:
        """How many more calls could start now."""
        return self._threads.free_slots()

    @property
    def max_workers(self) -> int:
        """The most workers at a time."""
        return self._threads.max_workers

    def resize(self, max_workers: int) -> None:
        """Change the most workers; surplus ones end after the call that they run.

        Raises:
            ValueError: the number is below 1.
        """
        self._threads.resize(max_workers)

    def close(self, timeout: float | None = None) -> bool:
        """Accept no more, wait for what was handed over, then kill what is left.

        Args:
            timeout: seconds to wait. Default None: no limit.

        Returns:
            True if all of it has ended by itself.
        """
        if self._threads.close(timeout):
            return True
        self._given_up = True
        for slot in list(self._slots.values()):
            slot.give_up()
        self._threads.close(_DYING)
        return False

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor
        """Accept no more work; what is queued still runs unless cancelled.

        Args:
            wait: return only when all has ended. Default True.
            cancel_futures: drop what has not begun. Default False.
        """
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
