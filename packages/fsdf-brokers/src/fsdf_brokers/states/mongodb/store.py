"""The state store on MongoDB, or on a server that speaks its protocol; needs no replica set."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo.errors import AutoReconnect, DocumentTooLarge, ServerSelectionTimeoutError

from fsdf_brokers.mongodb.faults import STATE
from fsdf_brokers.mongodb.server import Server
from fsdf_brokers.states.mongodb.channels import Channels
from fsdf_brokers.states.mongodb.hashes import Hashes
from fsdf_brokers.states.mongodb.leases import Leases
from fsdf_brokers.states.mongodb.values import Values
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.state import StateStore
from fsdf_core.watch import PollingWatch, Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from typing_extensions import Self

    from fsdf_core.settings import Settings
    from fsdf_core.state import Keys
    from fsdf_core.watch import Watch

T = TypeVar("T")

LONGEST_NAME = 512
"""Bytes of a key, field, owner or channel in UTF-8."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two looks of one who waits: change streams would need a replica set."""


class MongoStateStore(StateStore):
    """Collections `fsdf_state_*`, created at first use. Times are the server's; values are up to 16 MB.

    What has expired is gone for readers at once, and deleted by MongoDB's TTL index within minutes. Each key, field
    and lease changes atomically; a call with many of them is not atomic as a whole. An operation whose connection
    breaks is repeated once where that does no harm; else StateUnavailable is raised and whether it was done is not
    known.

    Args:
        url: mongodb://user:password@host:27017/database or mongodb+srv://…; default database "fsdf".
        setting: where the URL comes from, for errors.

    Raises:
        ConfigurationError: the URL is not valid, a name is longer than 512 bytes, or the server does not let us in.
        StateUnavailable: the server is not reachable (at first use and later).
        StateError: the database refuses.
    """

    cooperative = True
    cross_process = True
    wakes = False
    retryable_errors = (StateUnavailable,)

    def __init__(self, url: str, setting: str = "FSDF_STATE_URL") -> None:
        self._server = Server(url, STATE._replace(setting=setting))
        self._values = Values(self._server)
        self._hashes = Hashes(self._server)
        self._leases = Leases(self._server)
        self._channels = Channels(self._server)
        self._reset()
        _stores.add(self)

    def _reset(self) -> None:
        self._look = threading.Condition()
        self._watches = Watches()
        self._closes = 0

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:
        """Build the store; opens no connection yet."""
        return cls(url, "FSDF_MONGO_URL" if url == settings.mongo_url.get_secret_value() else "FSDF_STATE_URL")

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values."""
        _check(keys)
        return self._run(lambda: self._values.get(keys), again=True)

    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values."""
        _check(values)
        self._run(lambda: self._values.set(values, ttl), again=True)

    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write those that are absent."""
        _check(values)
        return self._run(lambda: self._values.add(values, ttl))

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Compare and set."""
        _check([key])
        return self._run(lambda: self._values.replace(key, old, new, ttl))

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Renew the TTL of what is unchanged."""
        _check(values)
        return self._run(lambda: self._values.touch(values, ttl), again=True)

    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys and hashes."""
        _check(keys)
        names = sorted(set(keys))
        return self._run(lambda: len(self._values.delete(names) | self._hashes.delete(names)))

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter, of 64 bits."""
        _check([key])
        return self._run(lambda: self._values.increment(key, by, ttl))

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields."""
        _check([key, *fields])
        self._run(lambda: self._hashes.set(key, fields), again=True)

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields."""
        _check([key])
        return self._run(lambda: self._hashes.get(key), again=True)

    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields."""
        _check([key, *fields])
        return self._run(lambda: self._hashes.delete_fields(key, sorted(set(fields))))

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew."""
        _check([lease, owner])
        return self._run(lambda: self._leases.acquire(lease, owner, ttl), again=True)

    def release(self, lease: str, owner: str) -> bool:
        """End a lease; its token is remembered for a day, and later ones are higher anyway."""
        _check([lease, owner])
        return self._run(lambda: self._leases.release(lease, owner))

    def notify(self, *channels: str) -> None:
        """Wake waiters in all processes."""
        _check(channels)
        if not channels:
            return
        self._run(lambda: self._channels.notify(channels), again=True)
        self._look_now()
        for channel in channels:
            self._watches.wake(channel)

    def watch(self, *channels: str) -> Watch:
        """Look ten times a second, at first more often."""
        _check(channels)
        watch = PollingWatch(self._watches, self._versions, (_FIRST_PAUSE, _LONGEST_PAUSE))
        watch.add(*channels)
        return watch

    def wait(self, channel: str, timeout: float) -> bool:
        """Wait by looking ten times a second, at first more often.

        A server that is away ends no wait, so that nobody spins: the wait lasts its time and is unsure.
        """
        _check([channel])
        deadline = time.monotonic() + timeout
        pause = _FIRST_PAUSE
        closes = self._closes
        known, seen = False, None
        while True:
            sure = True
            try:
                version = self._run(lambda: self._channels.version(channel), again=True)
            except StateUnavailable:
                sure = False
            else:
                if not known:
                    known, seen = True, version
                elif version is not None and version != seen:
                    return True
            left = deadline - time.monotonic()
            if left <= 0:
                return not (known and sure)
            with self._look:
                if self._closes == closes:
                    self._look.wait(min(pause, left))
                if self._closes != closes:
                    return False
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def close(self) -> None:
        """Disconnect and end the waits."""
        self._closes += 1
        self._look_now()
        self._watches.end()
        self._server.close()

    def _versions(self, channels: Sequence[str]) -> dict[str, Any] | None:
        try:
            return self._run(lambda: self._channels.versions(channels), again=True)
        except StateUnavailable:
            return None

    def _look_now(self) -> None:
        with self._look:
            self._look.notify_all()

    def _run(self, work: Callable[[], T], *, again: bool = False) -> T:
        with self._server.translated():
            try:
                return work()
            except ServerSelectionTimeoutError:
                raise
            except AutoReconnect:
                if not again:
                    raise
            except DocumentTooLarge as error:
                raise StateError(f"a value is larger than MongoDB takes (16 MB): {error}") from None
            return work()


def _check(names: Iterable[str]) -> None:
    for name in names:
        if len(name.encode()) > LONGEST_NAME:
            raise ConfigurationError(
                f"{name[:40]!r}… is longer than {LONGEST_NAME} bytes, the most a state store takes"
            )


_stores: weakref.WeakSet[MongoStateStore] = weakref.WeakSet()


def _forget_after_fork() -> None:
    for store in list(_stores):
        store._reset()  # noqa: SLF001 - this module's own class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
