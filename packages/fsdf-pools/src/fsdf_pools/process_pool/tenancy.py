"""What becomes of a pool of processes when the interpreter exits or the process forks."""

from __future__ import annotations

import atexit
import multiprocessing.util  # noqa: F401 - its exit hook, which waits for children, must be registered before ours
import weakref
from typing import TYPE_CHECKING

from fsdf_pools.registry import CREWS

if TYPE_CHECKING:
    import threading

    from fsdf_pools.process_pool.pool import ProcessPool


class Tenancy:
    """A pool as the registry sees it. The pool keeps it.

    Args:
        pool: what it speaks for.
    """

    def __init__(self, pool: ProcessPool) -> None:
        self.bell: threading.Event | None = None
        self._pool = pool
        CREWS.add(self)
        if not _all:
            atexit.register(_close_all)
        _all.add(self)

    def quiet(self) -> bool:
        """Whether nothing is left that could still run."""
        return self._pool.free_slots() >= self._pool.max_workers

    def taken(self) -> int:
        """How many calls were taken."""
        return self._pool.taken

    def lend_hand(self) -> None:
        """Nobody can: each child has its thread."""

    def close(self) -> None:
        """End it: whatever still runs has been waited for, until somebody pressed Ctrl-C."""
        self._pool.close(0.0)

    def after_fork(self) -> None:
        """Begin anew."""
        self.bell = None
        self._pool.after_fork()


_all: weakref.WeakSet[Tenancy] = weakref.WeakSet()


def _close_all() -> None:
    for tenancy in list(_all):
        tenancy.close()
