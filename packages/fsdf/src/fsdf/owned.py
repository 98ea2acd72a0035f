"""What a started consumer of a decorated function has for itself, and what ends with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_core.pool import Pool
    from fsdf_pools.loop_thread import LoopThread


@dataclass
class Owned:
    """Closed when the consumer has stopped, whoever stops it.

    Attributes:
        pool: where the function runs, unless the user gave the pool.
        loop_thread: runs the user's event loop.
    """

    pool: Pool | None = None
    loop_thread: LoopThread | None = None

    def close(self, clean: bool) -> None:  # noqa: FBT001 - what `Consumer` calls
        """Close all; what was left running is not waited for."""
        timeout = 1.0 if clean else 0.0
        if self.pool is not None:
            self.pool.close(timeout)
        if self.loop_thread is not None:
            self.loop_thread.stop(timeout)
