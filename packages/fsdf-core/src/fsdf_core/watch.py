"""Hearing what is notified from a moment on, so that nothing is lost between a look at the state and the wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from typing_extensions import Self

    Versions = Callable[[Sequence[str]], Mapping[str, Any] | None]
    """Returns the versions of channels, those without one left out; None if the store is away."""

_LOOK_EVERY = 0.1


class Watch:
    """Hears notifications on its channels, from when each was added until it is removed. Thread-safe.

    Look at the state after a channel was added, then wait, look again, and so on: so no change is missed. It may
    hear what was not notified: where the store cannot tell what it missed, it says so for safety's sake.

    Args:
        watches: of the store.

    Attributes:
        ended: the store was closed: no wait lasts any more.
    """

    def __init__(self, watches: Watches) -> None:
        self.ended = False
        self._watches = watches
        self._changed = watches.threads.Condition()
        self._channels: set[str] = set()
        self._heard: set[str] = set()

    def add(self, *channels: str) -> None:
        """Hear these channels, too; opens the store's listening connection if there is none, without waiting."""
        with self._changed:
            new = [channel for channel in channels if channel not in self._channels]
            self._channels.update(new)
        if new:
            self._watches.attach(self, new)

    def remove(self, *channels: str) -> None:
        """Hear these no more."""
        with self._changed:
            old = [channel for channel in channels if channel in self._channels]
            self._channels.difference_update(old)
            self._heard.difference_update(old)
        if old:
            self._watches.detach(self, old)

    def wait(self, timeout: float) -> set[str]:
        """Return the channels heard since the last wait; if there are none, wait for at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._heard or self.ended, timeout)
            heard, self._heard = self._heard, set()
            return heard

    def hear(self, channels: Iterable[str]) -> None:
        """Something changed on these channels, or may have."""
        with self._changed:
            self._heard.update(self._channels.intersection(channels))
            self._changed.notify_all()

    def end(self) -> None:
        """End all waits, for good."""
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Hear nothing more, end all waits."""
        self.end()
        self.remove(*self._channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Watches:
    """All watches of one store, by channel. Thread-safe.

    Args:
        attached: called with channels that another watch hears, before that is due to return.
        detached: called with channels that a watch hears no more.
        threads: where locks come from: `fsdf_core.green.native.threading` for a store that is not cooperative.
    """

    def __init__(
        self,
        attached: Callable[[Sequence[str]], None] | None = None,
        detached: Callable[[Sequence[str]], None] | None = None,
        threads: Any = threading,
    ) -> None:
        self.threads = threads
        self._attached = attached
        self._detached = detached
        self._lock = threads.Lock()
        self._watching: dict[str, set[Watch]] = {}

    def open(self, channels: Iterable[str]) -> Watch:
        """Return a watch of these channels."""
        watch = Watch(self)
        watch.add(*channels)
        return watch

    def attach(self, watch: Watch, channels: Sequence[str]) -> None:
        """The watch hears these channels from now on."""
        with self._lock:
            for channel in channels:
                self._watching.setdefault(channel, set()).add(watch)
        if self._attached is not None:
            self._attached(channels)

    def detach(self, watch: Watch, channels: Sequence[str]) -> None:
        """The watch hears these no more."""
        with self._lock:
            for channel in channels:
                others = self._watching.get(channel, set())
                others.discard(watch)
                if not others:
                    self._watching.pop(channel, None)
        if self._detached is not None:
            self._detached(channels)

    def wake(self, channel: str) -> None:
        """The channel was notified."""
        if channel not in self._watching:
            return  # whoever watches from now on has yet to look
        with self._lock:
            watches = tuple(self._watching.get(channel, ()))
        for watch in watches:
            watch.hear((channel,))

    def wake_all(self) -> None:
        """Any channel may have been notified."""
        for watch, channels in self._all().items():
            watch.hear(channels)

    def end(self) -> None:
        """The store closes: all waits end."""
        for watch in self._all():
            watch.end()

    def _all(self) -> dict[Watch, list[str]]:
        found: dict[Watch, list[str]] = {}
        with self._lock:
            for channel, watches in self._watching.items():
                for watch in watches:
                    found.setdefault(watch, []).append(channel)
        return found


class UnsureWatch(Watch):
    """For stores that cannot tell: whoever waits looks ten times a second."""

    def wait(self, timeout: float) -> set[str]:
        """Return what was heard, else all channels after a tenth of a second."""
        heard = super().wait(min(timeout, _LOOK_EVERY))
        with self._changed:
            return heard or self._channels.copy()


class PollingWatch(Watch):
    """For stores that cannot wake anybody: looks at the channels' versions, at growing intervals.

    Args:
        watches: of the store; what its own process notifies is heard at once.
        versions: reads the versions.
        pauses: seconds between two looks, first and longest.
    """

    def __init__(self, watches: Watches, versions: Versions, pauses: tuple[float, float]) -> None:
        super().__init__(watches)
        self._versions = versions
        self._pauses = pauses
        self._known: dict[str, Any] = {}

    def wait(self, timeout: float) -> set[str]:
        """Look until something is new; a channel's first look finds it new."""
        deadline = time.monotonic() + timeout
        pause, longest = self._pauses
        while True:
            changed = self._look()
            left = deadline - time.monotonic()
            heard = super().wait(0 if changed else max(0.0, min(pause, left)))
            if changed or heard or left <= 0 or self.ended:
                return heard | changed
            pause = min(pause * 1.5, longest)

    def _look(self) -> set[str]:
        with self._changed:
            channels = sorted(self._channels)
        found = self._versions(channels) if channels else {}
        if found is None:
            return set()
        changed = {each for each in channels if each not in self._known or self._known[each] != found.get(each)}
        self._known = {each: found.get(each) for each in channels}
        return changed
