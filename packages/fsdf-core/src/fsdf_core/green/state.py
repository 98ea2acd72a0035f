"""A state store whose driver waits in C, under monkey patches: every call in a real thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fsdf_core.green.calls import native_calls
from fsdf_core.state import Keys, StateStore
from fsdf_core.watch import Watch, Watches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.green.calls import NativeCalls
    from fsdf_core.settings import Settings


def cooperative_state(store: StateStore) -> StateStore:
    """Return the store, in a wrapper if it would freeze all greenlets of a process that is monkey-patched."""
    calls = None if store.cooperative else native_calls()
    return store if calls is None else NativeStateStore(store, calls)


class NativeStateStore(StateStore):
    """Does in real threads what another store does.

    Args:
        inner: the store.
        calls: runs it.
    """

    cooperative = True

    def __init__(self, inner: StateStore, calls: NativeCalls) -> None:
        self._inner = inner
        self._calls = calls
        # Of the class by contract, here of the one that is wrapped.
        data = cast("Any", self)
        data.cross_process = inner.cross_process
        data.retryable_errors = inner.retryable_errors

    @property
    def wakes(self) -> bool:  # type: ignore[override] # some stores learn it late
        """`wait` is woken at once."""
        return self._inner.wakes

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:
        """Wrappers are made of stores."""
        raise NotImplementedError

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values."""
        return cast("list[bytes | None]", self._calls(self._inner.get, keys))

    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values."""
        self._calls(self._inner.set, values, ttl)

    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write the values whose keys are absent."""
        return cast("Keys", self._calls(self._inner.add, values, ttl))

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Write `new` if the key holds `old`."""
        return cast("bool", self._calls(self._inner.replace, key, old, new, ttl))

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Give each key that still holds its value more time."""
        return cast("Keys", self._calls(self._inner.touch, values, ttl))

    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys."""
        return cast("int", self._calls(self._inner.delete, keys))

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter."""
        return cast("int", self._calls(self._inner.increment, key, by, ttl))

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields of a hash."""
        self._calls(self._inner.hash_set, key, fields)

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields of a hash."""
        return cast("dict[str, bytes]", self._calls(self._inner.hash_get, key))

    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields of a hash."""
        return cast("int", self._calls(self._inner.hash_delete, key, fields))

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew a lease."""
        return cast("int | None", self._calls(self._inner.acquire, lease, owner, ttl))

    def release(self, lease: str, owner: str) -> bool:
        """End the owner's lease."""
        return cast("bool", self._calls(self._inner.release, lease, owner))

    def notify(self, *channels: str) -> None:
        """Wake those who wait."""
        self._calls(self._inner.notify, *channels)

    def watch(self, *channels: str) -> Watch:
        """Return what hears notifications."""
        return NativeWatch(self._calls(self._inner.watch, *channels), self._calls)

    def wait(self, channel: str, timeout: float) -> bool:
        """Wait until notified."""
        return cast("bool", self._calls(self._inner.wait, channel, timeout))

    def close(self) -> None:
        """Close all connections."""
        self._calls(self._inner.close)


class NativeWatch(Watch):
    """Does in real threads what another watch does."""

    def __init__(self, inner: Watch, calls: NativeCalls) -> None:
        super().__init__(Watches())
        self._inner = inner
        self._calls = calls

    def add(self, *channels: str) -> None:
        """Hear these channels, too."""
        self._calls(self._inner.add, *channels)

    def remove(self, *channels: str) -> None:
        """Hear these no more."""
        self._calls(self._inner.remove, *channels)

    def wait(self, timeout: float) -> Keys:
        """Return the channels heard since the last wait."""
        heard = cast("Keys", self._calls(self._inner.wait, timeout))
        self.ended = self._inner.ended
        return heard

    def end(self) -> None:
        """End all waits, for good."""
        self.ended = True
        self._calls(self._inner.end)

    def close(self) -> None:
        """Hear nothing more, end all waits."""
        self.ended = True
        self._calls(self._inner.close)
