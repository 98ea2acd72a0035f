"""SQLAlchemy's pool of connections for adapters that run in real threads, also under monkey patches."""

from __future__ import annotations

from typing import Any

from sqlalchemy.pool import QueuePool
from sqlalchemy.util.queue import Queue

from fsdf_core.green.native import threading


class _NativeQueue(Queue[Any]):
    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:  # noqa: FBT001, FBT002 - SQLAlchemy's form
        super().__init__(maxsize, use_lifo)
        self.mutex = threading.RLock()
        self.not_empty = threading.Condition(self.mutex)
        self.not_full = threading.Condition(self.mutex)


class NativePool(QueuePool):
    """`QueuePool` with locks of real threads, where SQLAlchemy itself would make patched ones (seen in 2.1)."""

    _queue_class = _NativeQueue

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._overflow_lock = threading.Lock()
