"""Pause and resume the consumers of a queue, from any process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.control import UNLIMITED, Control

if TYPE_CHECKING:
    from fsdf_core.host import Host
    from fsdf_core.state import StateStore

_LOOK_AGAIN = 0.25


def pause(store: StateStore, queue_name: str) -> None:
    """Let no task of the queue start, in any consumer that has the `Pause` control; survives restarts.

    Raises:
        StateError: the store cannot be reached.
    """
    store.set({_key(queue_name): b"1"})


def resume(store: StateStore, queue_name: str) -> None:
    """End the pause; nothing happens if there is none.

    Raises:
        StateError: the store cannot be reached.
    """
    store.delete([_key(queue_name)])


def is_paused(store: StateStore, queue_name: str) -> bool:
    """Whether the queue is paused.

    Raises:
        StateError: the store cannot be reached.
    """
    return store.get([_key(queue_name)])[0] is not None


def _key(queue_name: str) -> str:
    return f"fsdf:pause:{queue_name}"


class Pause(Control):
    """Pulls nothing while the queue is paused; follows `pause` and `resume` within a second.

    Tasks that run already end as usual. While the store is away, the last known state counts.

    Args:
        store: where the flag is; one that the processes who pause can see.

    Raises:
        StateError: at start, if the store cannot be reached: the queue may be paused.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> store = MemoryStateStore()
        >>> pause(store, "sums")
        >>> is_paused(store, "sums")
        True
        >>> resume(store, "sums")
        >>> is_paused(store, "sums")
        False
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._host: Host | None = None
        self._paused = False

    @property
    def paused(self) -> bool:
        """What this consumer knows."""
        return self._paused

    def start(self, host: Host) -> None:
        """Look once before anything is pulled."""
        self._paused = is_paused(self._store, host.queue.name)
        self._host = host
        if self._paused:
            host.logger.warning("the queue %s is paused: nothing starts until it is resumed", host.queue.name)

    def stop(self) -> None:
        """Look no more."""
        self._host = None

    def tick(self, now: float) -> None:  # noqa: ARG002 - looks each time
        """Look, and say so if it has changed."""
        host = self._host
        if host is None:
            return
        paused = is_paused(self._store, host.queue.name)
        if paused != self._paused:
            self._paused = paused
            host.logger.info("%s is %s", host.queue.name, "paused" if paused else "resumed")
            host.wake()

    def credit(self, now: float) -> float:  # noqa: ARG002
        """Nothing while paused."""
        return 0 if self._paused else UNLIMITED

    def next_credit(self, now: float) -> float:  # noqa: ARG002
        """Seconds until the next look; a resumption wakes earlier."""
        return _LOOK_AGAIN
