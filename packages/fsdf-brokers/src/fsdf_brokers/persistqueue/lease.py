"""Whose items may be taken: a consumer's proof of life, and the look at that of others."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from fsdf_brokers.process_lock import BLIND_LIMIT, Life, LifeMark, beat_age, is_alive
from fsdf_core.errors import StorageError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BEAT = 3.0
"""Most seconds between two heartbeats."""


class Lease:
    """A locked file, and the thread `fsdf-lease-<consumer>` that keeps its time fresh.

    Args:
        folder: of the lock files.
        consumer_id: unique.
        limit: seconds without a heartbeat after which even a living consumer loses its items; one whose life
            cannot be tested loses them after 30 s, or after `limit` if that is less.

    Raises:
        StorageError: the folder is not writable.
    """

    def __init__(self, folder: Path, consumer_id: str, limit: float) -> None:
        self._folder = folder
        self._id = consumer_id
        self._limit = limit
        self._process = os.getpid()
        self._first_missed: dict[str, float] = {}
        try:
            self._mark = LifeMark(folder, consumer_id)
        except OSError as error:
            raise StorageError(
                f"{folder} cannot be used: {error}. Check disk space and permissions, or set FSDF_HOME"
            ) from error
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-lease-{consumer_id}", daemon=True)
        self._thread.start()

    def dead(self, owners: Iterable[str]) -> list[str]:
        """Return those of the owners that are dead, or count as dead."""
        return [owner for owner in owners if owner != self._id and self._is_dead(owner)]

    def close(self) -> None:
        """End the thread and release the file. Idempotent."""
        if os.getpid() != self._process:
            return  # a forked child holds nothing of its parent's
        self._ended.set()
        self._thread.join(_BEAT)
        self._mark.release()

    def _is_dead(self, owner: str) -> bool:
        match is_alive(self._folder, owner):
            case Life.DEAD:
                self._first_missed.pop(owner, None)
                return True
            case Life.ALIVE:
                limit = self._limit
            case Life.UNKNOWN:
                limit = min(self._limit, BLIND_LIMIT)
        return self._silence(owner) > limit

    def _silence(self, owner: str) -> float:
        """Return the seconds since the owner's last heartbeat, or since it was first missed."""
        age = beat_age(self._folder, owner)
        if age is not None:
            self._first_missed.pop(owner, None)
            return age
        now = time.monotonic()
        return now - self._first_missed.setdefault(owner, now)

    def _run(self) -> None:
        while not self._ended.wait(min(_BEAT, self._limit / 3)):
            self._mark.beat()
