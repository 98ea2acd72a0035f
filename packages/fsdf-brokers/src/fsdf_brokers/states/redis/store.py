"""The state store on Redis."""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from fsdf_brokers.redis.packing import pack_sets
from fsdf_brokers.states.redis import scripts
from fsdf_brokers.states.redis.channels import Channels, marker_of
from fsdf_brokers.states.redis.listener import Listener
from fsdf_brokers.states.redis.server import SLOT, StateServer
from fsdf_core.errors import ConfigurationError, StateError, StateUnavailable
from fsdf_core.state import StateStore
from fsdf_core.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from typing_extensions import Self

    from fsdf_brokers.states.redis.scripts import Script
    from fsdf_core.settings import Settings
    from fsdf_core.state import Keys
    from fsdf_core.watch import Watch

T = TypeVar("T")

_PREFIX = f"{SLOT}:state:".encode()
"""All keys share a hash tag, and so a slot of Redis Cluster: scripts touch many at once."""
_VALUE, _HASH, _LEASE = (_PREFIX + kind for kind in (b"value:", b"hash:", b"lease:"))
_TOKEN = _PREFIX + b"token"
_MOST = 5000
"""Keys in one script: the server does nothing else while one runs."""
_MANY = 50
"""Values that are many."""
_HEARD = 1.0
"""Seconds for which somebody is taken to wait after somebody did."""
_LONGEST_NAME = 512
_LONGEST_TTL = 10**9
"""Seconds, 31 years; above some 10^8 years the server refuses a TTL."""


class RedisStateStore(StateStore):
    """Keys `{fsdf}:state:*` on one database of Redis 6.2 or newer. TTLs run by the server's clock.

    One operation is one round trip and atomic, up to 5000 keys; more are several. Counters have 64 bits.
    A connection that broke while idle is replaced; one that breaks during an operation too, unless to repeat the
    operation could do harm (add, replace, delete, increment, hash_delete, release): then StateUnavailable is raised
    and whether it was done is not known.

    `wait` subscribes: one thread and connection a store, from the first wait to `close`. The first wait on a channel
    returns True, unsure, once the server listens; whoever then looks at the state and waits again, within five
    seconds, misses no notification meanwhile.

    Args:
        url: redis://user:password@host:6379/0, or rediss:// for TLS.

    Raises:
        ConfigurationError: the URL is not valid, or a name is longer than 512 bytes, or the server does not let us in.
        StateUnavailable: the server is not reachable.
        StateError: the server refuses.
    """

    cooperative = True
    cross_process = True
    wakes = True
    retryable_errors = (StateUnavailable,)

    def __init__(self, url: str) -> None:
        self._url = url
        self._reset()
        _stores.add(self)

    def _reset(self) -> None:
        self._server = StateServer(self._url)
        self._channel_prefix = b"%sdb%d:" % (_PREFIX, self._server.database)
        self._open_channels()
        self._listening = threading.Lock()
        self._listener: Listener | None = None
        self._heard_until = 0.0

    @classmethod
    def from_url(cls, url: str, settings: Settings) -> Self:  # noqa: ARG003 - nothing to configure
        """Build the store."""
        return cls(url)

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values, all of one moment."""
        return self._server.run("MGET", *[_VALUE + _name(key) for key in keys], again=True) if keys else []

    def set(self, values: Mapping[str, bytes], ttl: float | None = None) -> None:
        """Write all values."""
        lifetime = _milliseconds(ttl)
        for some in _slices(list(values.items())):
            names = [_VALUE + _name(key) for key, _ in some]
            if not lifetime:
                words = [word for name, (_, value) in zip(names, some, strict=True) for word in (name, value)]
                self._server.run("MSET", *words, again=True)
            else:
                self._server.script(scripts.SET, names, lifetime, *[value for _, value in some], again=True)

    def add(self, values: Mapping[str, bytes], ttl: float | None = None) -> Keys:
        """Write those that are absent."""
        return self._which(scripts.ADD, values, _milliseconds(ttl))

    def replace(self, key: str, old: bytes, new: bytes, ttl: float | None = None) -> bool:
        """Compare and set."""
        return bool(self._server.script(scripts.REPLACE, [_VALUE + _name(key)], old, new, _milliseconds(ttl)))

    def touch(self, values: Mapping[str, bytes], ttl: float) -> Keys:
        """Renew the TTL of what is unchanged."""
        return self._which(scripts.TOUCH, values, _milliseconds(ttl), again=True)

    def delete(self, keys: Sequence[str]) -> int:
        """Delete keys and hashes."""
        names = [_name(key) for key in dict.fromkeys(keys)]
        return sum(
            self._server.script(scripts.DELETE, [kind + name for name in some for kind in (_VALUE, _HASH)])
            for some in _slices(names)
        )

    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to a counter, of 64 bits."""
        name, lifetime = _VALUE + _name(key), _milliseconds(ttl)
        try:
            if not lifetime:
                return int(self._server.run("INCRBY", name, by))
            return int(self._server.script(scripts.INCREMENT, [name], by, lifetime))
        except StateError as error:
            if "not an integer" in str(error) or "would overflow" in str(error):
                raise ValueError(f"{key!r} holds no number of 64 bits, or would not after adding {by}") from error
            raise

    def hash_set(self, key: str, fields: Mapping[str, bytes]) -> None:
        """Write fields."""
        name = _HASH + _name(key)
        for some in _slices(list(fields.items())):
            words = [word for field, value in some for word in (_name(field), value)]
            self._server.run("HSET", name, *words, again=True)

    def hash_get(self, key: str) -> dict[str, bytes]:
        """Return all fields, of one moment."""
        found = self._server.run("HGETALL", _HASH + _name(key), again=True)
        return {field.decode(): value for field, value in found.items()}

    def hash_delete(self, key: str, fields: Sequence[str]) -> int:
        """Delete fields; an empty hash is gone."""
        name, names = _HASH + _name(key), [_name(field) for field in fields]
        return sum(self._server.run("HDEL", name, *some) for some in _slices(names))

    def acquire(self, lease: str, owner: str, ttl: float) -> int | None:
        """Take or renew; tokens are at least the server's time in microseconds of the taking."""
        keys = [_LEASE + _name(lease), _TOKEN]
        token = self._server.script(scripts.ACQUIRE, keys, _name(owner), _milliseconds(ttl), again=True)
        return None if token is None else int(token)

    def release(self, lease: str, owner: str) -> bool:
        """End a lease; later tokens are higher anyway."""
        return bool(self._server.script(scripts.RELEASE, [_LEASE + _name(lease)], _name(owner)))

    def notify(self, *channels: str) -> None:
        """Wake waiters in all processes."""
        for some in _slices([self._full(channel) for channel in channels]):
            if len(some) == 1:
                self._server.run("PUBLISH", some[0], b"", again=True)
            else:
                self._server.script(scripts.NOTIFY, [_PREFIX], *some, again=True)

    def tell(self, values: Mapping[str, bytes], ttl: float) -> None:
        """Write and wake in one round trip; what nobody waits for is not published, which would cost as much again."""
        for some in _slices(list(values.items())):
            names, arguments = self._told(dict(some), ttl)
            self._server.script(scripts.TELL, names, *arguments, again=True)

    def tell_soon(self, values: Mapping[str, bytes], ttl: float) -> Callable[[], None] | None:
        """Send all at once. Many go without the script as long as nobody waits: two thirds of the server's time."""
        marker = self._shared_marker(values)
        if len(values) >= _MANY and marker and time.monotonic() >= self._heard_until:
            return self._set_soon(values, ttl, marker)
        pieces = [values] if len(values) <= _MOST else map(dict, _slices(list(values.items())))
        calls = [self._told(some, ttl) for some in pieces]
        return self._server.begin(scripts.TELL, calls)

    def _set_soon(self, values: Mapping[str, bytes], ttl: float, marker: bytes) -> Callable[[], None]:
        """Send all, and ask who listens: after the values, so that whoever begins later finds them."""
        packed = pack_sets(_VALUE, _names(values), values.values(), _milliseconds(ttl))
        answered = self._server.begin_sets(packed, len(values), "PUBSUB", "NUMSUB", marker)

        def wait() -> None:
            if answered()[1]:
                self._heard_until = time.monotonic() + _HEARD
                self.notify(*values)

        return wait

    def _told(self, values: Mapping[str, bytes], ttl: float) -> tuple[list[bytes], tuple[Any, ...]]:
        """Return the keys and the arguments of `TELL`."""
        begins, marker = b"%d" % (len(_VALUE) + 1), self._shared_marker(values)
        names = [_VALUE + name for name in _names(values)]
        return names, (_milliseconds(ttl), self._channel_prefix, begins, marker, *values.values())

    def watch(self, *channels: str) -> Watch:
        """Hear what the server pushes; a channel counts as notified, too, when the server begins to listen to it."""
        return self._watches.open(channels)

    def wait(self, channel: str, timeout: float) -> bool:
        """Wait until the server pushes a notification.

        A server that is away ends no wait, so that nobody spins: the wait lasts its time and is unsure.
        """
        name, channels = self._full(channel), self._channels
        return channels.wait(name, timeout, lambda: self._listen(channels))

    def close(self) -> None:
        """Close the connections and end the waits."""
        with self._listening:
            listener, self._listener = self._listener, None
            channels, watches = self._channels, self._watches
            self._open_channels()
        channels.close()
        watches.end()
        if listener is not None:
            listener.close()
        self._server.close()

    def _which(self, script: Script, values: Mapping[str, bytes], lifetime: bytes, *, again: bool = False) -> Keys:
        found: Keys = set()
        for some in _slices(list(values.items())):
            names = [_VALUE + _name(key) for key, _ in some]
            positions = self._server.script(script, names, lifetime, *[value for _, value in some], again=again)
            found.update(some[position - 1][0] for position in positions)
        return found

    def _open_channels(self) -> None:
        cut = len(self._channel_prefix)
        watches = Watches(
            lambda names: channels.hold([self._full(name) for name in names], lambda: self._listen(channels)),
            lambda names: channels.let_go([self._full(name) for name in names]),
        )
        channels = Channels(on_change=lambda name: watches.wake(name[cut:].decode()))
        self._channels, self._watches = channels, watches

    def _full(self, channel: str) -> bytes:
        return self._channel_prefix + _name(channel)

    def _shared_marker(self, keys: Collection[str]) -> bytes:
        """Return what tells whether anybody listens to any of these; b"" if nothing does."""
        if self._server.clustered or not keys:
            return b""  # a node of a cluster knows its own subscribers only
        marker = marker_of(self._full(next(iter(keys))))
        group = marker[len(self._channel_prefix) : -1].decode()
        # Of sorted text, what lies between two that begin alike does so, too.
        return marker if min(keys).startswith(group) and max(keys).startswith(group) else b""

    def _listen(self, channels: Channels) -> None:
        with self._listening:
            if channels is self._channels:
                if self._listener is None:
                    self._listener = Listener(self._server.line, channels)
                self._listener.ring()


def _name(text: str) -> bytes:
    name = text.encode()
    if len(name) > _LONGEST_NAME:
        raise ConfigurationError(f"{text[:40]!r}… is longer than {_LONGEST_NAME} bytes, the most a state store takes")
    return name


def _names(keys: Collection[str]) -> list[bytes]:
    names = [key.encode() for key in keys]
    return names if max(map(len, names)) <= _LONGEST_NAME else [_name(key) for key in keys]  # says which is too long


def _milliseconds(ttl: float | None) -> bytes:
    return b"" if ttl is None else b"%d" % max(1, round(min(ttl, _LONGEST_TTL) * 1000))


def _slices(items: list[T]) -> Iterator[list[T]]:
    return (items[start : start + _MOST] for start in range(0, len(items), _MOST))


_stores: weakref.WeakSet[RedisStateStore] = weakref.WeakSet()
_inherited: list[object] = []
"""What a parent process uses: to collect it in a child could close the parent's connections."""


def _forget_after_fork() -> None:
    for store in list(_stores):
        _inherited.append((store._server, store._listener))  # noqa: SLF001 - this module's own class
        store._reset()  # noqa: SLF001 - as above


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
