"""State inside one process."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.state import StateStore
from fsdf_core.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fsdf_core.clock import Clock
    from fsdf_core.settings import Settings
    from fsdf_core.state import Keys
    from fsdf_core.watch import Watch

_SWEEP_EVERY = 1000
"""Writes between two sweeps of expired keys."""


class MemoryStateStore(StateStore):
    """Dictionaries under one lock; expired keys are swept as others are written. A forked child starts empty."""

    cooperative = True
    cross_process = False
    wakes = True

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._reset()
        _stores.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._values: dict[str, tuple[bytes, float | None]] = {}
        self._hashes: dict[str, dict[str, bytes]] = {}
        self._leases: dict[str, tuple[str, float, int]] = {}
        self._channels: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._watches = Watches()
        self._closes = 0
        self._writes = 0

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> MemoryStateStore:  # noqa: ARG003 - nothing to configure
        """Return the process-wide store."""
        return _PROCESS_WIDE

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values."""
        with self._lock:
            return [self._live(key) for key in keys]

    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values."""
        with self._lock:
            expiry = self._expiry(ttl)
            for key, value in values.items():
                self._values[key] = (value, expiry)
            self._sweep(len(values))

    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write those that are absent."""
        with self._lock:
            expiry = self._expiry(ttl)
            added = {key for key in values if self._live(key) is None}
            for key in added:
                self._values[key] = (values[key], expiry)
            self._sweep(len(added))
            return added

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Compare and set."""
        with self._lock:
            if self._live(key) != old:
                return False
            self._values[key] = (new, self._expiry(ttl))
            return True

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Renew the TTL of what is unchanged."""
        with self._lock:
            expiry = self._expiry(ttl)
            touched = {key for key, value in values.items() if self._live(key) == value}
            for key in touched:
                self._values[key] = (values[key], expiry)
            return touched

    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys and hashes."""
        with self._lock:
            count = 0
            for key in keys:
                alive = self._live(key) is not None
                self._values.pop(key, None)
                hashed = self._hashes.pop(key, None) is not None
                count += alive or hashed
            return count

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter."""
        with self._lock:
            current = self._live(key)
            expiry = self._expiry(ttl) if current is None else self._values[key][1]
            total = int(current or b"0") + by
            self._values[key] = (b"%d" % total, expiry)
            self._sweep(1)
            return total

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields."""
        with self._lock:
            if fields:
                self._hashes.setdefault(key, {}).update(fields)

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields."""
        with self._lock:
            return dict(self._hashes.get(key, {}))

    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields; an empty hash is gone."""
        with self._lock:
            mapping = self._hashes.get(key, {})
            count = sum(mapping.pop(field, None) is not None for field in fields)
            if not mapping:
                self._hashes.pop(key, None)
            return count

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew."""
        with self._lock:
            now = self._clock.time()
            holder, expiry, token = self._leases.get(lease, ("", 0.0, 0))
            if holder != owner:
                if expiry > now:
                    return None
                token += 1
            elif expiry <= now:
                token += 1
            self._leases[lease] = (owner, now + ttl, token)
            return token

    def release(self, lease: str, owner: str) -> bool:
        """End a lease; its token is remembered, so the next owner's is higher."""
        with self._lock:
            holder, expiry, token = self._leases.get(lease, ("", 0.0, 0))
            if holder != owner or expiry <= self._clock.time():
                return False
            self._leases[lease] = ("", 0.0, token)
            return True

    def notify(self, *channels: str) -> None:
        """Wake waiters."""
        with self._lock:
            if self._waiting:
                for channel in self._waiting.keys() & channels:
                    self._channels[channel] = self._channels.get(channel, 0) + 1
                    self._changed.notify_all()
        for channel in channels:
            self._watches.wake(channel)

    def watch(self, *channels: str) -> Watch:
        """Hear of each notification."""
        return self._watches.open(channels)

    def wait(self, channel: str, timeout: float) -> bool:
        """Wait for a notification that comes after this call."""
        with self._lock:
            self._waiting[channel] = self._waiting.get(channel, 0) + 1
            seen, closes = self._channels.get(channel, 0), self._closes
            try:
                self._changed.wait_for(
                    lambda: self._channels.get(channel, 0) != seen or self._closes != closes, timeout
                )
                return self._channels.get(channel, 0) != seen
            finally:
                self._waiting[channel] -= 1
                if not self._waiting[channel]:
                    del self._waiting[channel]
                    self._channels.pop(channel, None)

    def close(self) -> None:
        """End all waits; the state stays."""
        with self._lock:
            self._closes += 1
            self._changed.notify_all()
        self._watches.end()

    def _live(self, key: str) -> bytes | None:
        entry = self._values.get(key)
        if entry is None:
            return None
        value, expiry = entry
        if expiry is not None and expiry <= self._clock.time():
            del self._values[key]
            return None
        return value

    def _expiry(self, ttl: float | None) -> float | None:
        return None if ttl is None else self._clock.time() + ttl

    def _sweep(self, writes: int) -> None:
        self._writes += writes
        if self._writes >= _SWEEP_EVERY and self._writes >= len(self._values):  # so that a write stays cheap
            self._writes = 0
            for key in list(self._values):
                self._live(key)


_stores: weakref.WeakSet[MemoryStateStore] = weakref.WeakSet()


def _forget_after_fork() -> None:
    for store in list(_stores):
        store._reset()  # noqa: SLF001 - of this module; its lock may have been held


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

_PROCESS_WIDE = MemoryStateStore()
