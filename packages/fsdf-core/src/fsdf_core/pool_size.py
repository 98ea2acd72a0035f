"""Letting a pool grow for a worker that is stuck, and shrink when it is not any more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_core.pool import Pool

_resizing = threading.Lock()
"""For the process, because consumers may share a pool."""


def resize_by(pool: Pool, workers: int) -> None:
    """Change a pool's size by some workers; it keeps one."""
    with _resizing:
        pool.resize(max(1, pool.max_workers + workers))
