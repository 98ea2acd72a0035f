"""The queues of one process, by name."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import Broker, Capabilities
from fsdf_core.brokers.memory.queue import MemoryQueue
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from fsdf_core.settings import Settings


class MemoryBroker(Broker):
    """A set of in-process queues; two brokers share nothing.

    Queue options:
        maxsize: how many messages wait at most; 0 (default) is unbounded.
        put_timeout: seconds that `send` waits for room before it raises QueueFull; default 60.
        serialize: encode bodies as a real broker would; default False.
    """

    cooperative = True
    capabilities = Capabilities(
        durable=False,
        acks=True,
        delivery_count=True,
        delay=True,
        priority=True,
        size=True,
        purge=True,
        cross_process=False,
        cross_machine=False,
        ordering="fifo",
        liveness="memory",
    )
    # A fetch takes next to no time; much work ahead would leave the processor's cache before it is done.
    prefetch_seconds = 0.01
    queue_options = frozenset({"maxsize", "put_timeout", "serialize"})

    def __init__(self) -> None:
        self._queues: dict[str, MemoryQueue] = {}
        self._lock = threading.Lock()
        _all.add(self)

    @classmethod
    def from_settings(cls, settings: Settings) -> MemoryBroker:  # noqa: ARG003 - nothing to configure
        """Return the process-wide instance, which producers and consumers of this process share."""
        return _PROCESS_WIDE

    def queue(self, name: str, **options: Any) -> MemoryQueue:
        """Return the queue of that name; options count when it is created and must agree later.

        Raises:
            ConfigurationError: the queue exists with other options.
        """
        with self._lock:
            queue = self._queues.get(name)
            if queue is None:
                queue = self._queues[name] = MemoryQueue(self, name, **options)
            elif any(queue.options[key] != value for key, value in options.items()):
                raise ConfigurationError(
                    f"memory queue {name!r} exists with options {queue.options}, not {options}: declare them alike"
                )
            return queue

    def renew(self) -> None:
        """Start afresh in a forked child, whose parent's threads hold the locks for ever."""
        self._lock = threading.Lock()
        for queue in list(self._queues.values()):
            queue.renew()


_all: weakref.WeakSet[MemoryBroker] = weakref.WeakSet()
_PROCESS_WIDE = MemoryBroker()


def _renew_after_fork() -> None:
    for broker in list(_all):
        broker.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)
