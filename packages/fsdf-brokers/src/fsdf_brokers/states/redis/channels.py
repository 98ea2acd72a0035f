"""The channels that a store listens to, and who waits for what on them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


_GROUP = 5
"""Parts of a channel's name, between colons, that its group shares: three of the store's prefix, two of its own."""


def marker_of(name: bytes) -> bytes:
    """Return the channel that whoever listens to this one listens to as well.

    By its subscribers a script learns with one look whether anybody listens to any channel of a group, such as
    `fsdf:result:<task id>`.
    """
    return b":".join(name.split(b":", _GROUP)[:_GROUP]) + b":*"


class _Channel:
    """One channel.

    Attributes:
        version: counts what may have changed the state: notifications, and each start of listening.
        listening: the server has confirmed the subscription.
        seen: of each thread, the version when its last wait ended.
        waiting: number of waits.
        idle_since: end of the last wait, in monotonic seconds.
    """

    def __init__(self, lock: threading.Lock) -> None:
        self.changed = threading.Condition(lock)
        self.version = 0
        self.listening = False
        self.seen: dict[int, int] = {}
        self.waiting = 0
        self.idle_since = 0.0


class Channels:
    """All channels of one store, from the first wait on each until some seconds after the last. Thread-safe.

    Args:
        linger: see below.
        on_change: called with each channel that may have been notified.

    Attributes:
        linger: seconds from a channel's last wait to the end of its subscription: whoever waits in a loop misses
            nothing between two waits. Default 5.
    """

    def __init__(self, linger: float = 5.0, on_change: Callable[[bytes], None] | None = None) -> None:
        self.linger = linger
        self._on_change = on_change
        self._lock = threading.Lock()
        self._channels: dict[bytes, _Channel] = {}
        self._new: list[bytes] = []
        self._groups: Counter[bytes] = Counter()
        self._markers: set[bytes] = set()
        self._swept = time.monotonic()
        self._closed = False

    def wait(self, name: bytes, timeout: float, added: Callable[[], None]) -> bool:
        """Wait for a change of the version that this thread saw last; False if there was none for certain.

        A channel's first wait ends as soon as the server listens to it: what was before is not known. A thread
        that comes later to a channel waits for a change that it cannot know of.

        Args:
            name: of the channel.
            timeout: seconds.
            added: called if the channel is to be subscribed.
        """
        me = threading.get_ident()
        with self._lock:
            channel = self._channels.get(name)
            if channel is None:
                channel = self._add(name)
                added()
            seen = channel.seen.get(me, min(channel.version, 1))
            channel.waiting += 1
            try:
                channel.changed.wait_for(lambda: channel.version > seen or self._closed, timeout)
                return not self._closed and (channel.version > seen or not channel.listening)
            finally:
                channel.seen[me] = channel.version
                channel.waiting -= 1
                channel.idle_since = time.monotonic()

    def hold(self, names: Sequence[bytes], added: Callable[[], None]) -> None:
        """Listen to these, until `let_go` was called as often.

        Args:
            names: of channels.
            added: called if any is to be subscribed.
        """
        with self._lock:
            before = len(self._new)
            for name in names:
                channel = self._channels.get(name)
                if channel is None:
                    channel = self._add(name)
                channel.waiting += 1
            new = len(self._new) > before
        if new:
            added()

    def let_go(self, names: Sequence[bytes]) -> None:
        """Undo `hold`."""
        now = time.monotonic()
        with self._lock:
            for name in names:
                channel = self._channels.get(name)
                if channel is not None:
                    channel.waiting -= 1
                    channel.idle_since = now

    def wake(self, name: bytes) -> None:
        """End the waits on a channel."""
        with self._lock:
            self._change(name)
        self._tell(name)

    def confirm(self, name: bytes) -> None:
        """The server listens to the channel from now on; what was before is not known."""
        with self._lock:
            channel = self._channels.get(name)
            if channel is not None:
                channel.listening = True
                self._change(name)
        self._tell(name)

    def lose(self) -> None:
        """The server listens to none any more; all are to be subscribed again. Waits go on."""
        with self._lock:
            for channel in self._channels.values():
                channel.listening = False
            self._new = list(self._channels)
            self._markers = set()

    def take(self) -> tuple[Iterable[bytes], Iterable[bytes]]:
        """Return what is to be subscribed, in this order, and what is to be given up."""
        now = time.monotonic()
        with self._lock:
            old: list[bytes] = []
            if now >= self._swept + self.linger:
                self._swept = now
                limit = now - self.linger
                old = [name for name, each in self._channels.items() if not each.waiting and each.idle_since < limit]
                for name in old:
                    del self._channels[name]
                    self._groups[marker_of(name)] -= 1
                self._groups = +self._groups
            new, self._new = [name for name in self._new if name in self._channels], []
            # Before the channels: a script that does not see a marker has told what was there before they were heard.
            markers, self._markers = self._markers, set(self._groups)
            return [*(self._markers - markers), *new], [*old, *(markers - self._markers)]

    def close(self) -> None:
        """End all waits without a notification, later ones too."""
        with self._lock:
            self._closed = True
            for channel in self._channels.values():
                channel.changed.notify_all()

    def _add(self, name: bytes) -> _Channel:
        channel = self._channels[name] = _Channel(self._lock)
        self._new.append(name)
        self._groups[marker_of(name)] += 1
        return channel

    def _tell(self, name: bytes) -> None:
        if self._on_change is not None:
            self._on_change(name)

    def _change(self, name: bytes) -> None:
        channel = self._channels.get(name)
        if channel is not None:
            channel.version += 1
            channel.changed.notify_all()
