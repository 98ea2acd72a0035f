"""A broker and a store in memory whose consumers can die: at once, with everything they hold."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import Delivery, OutgoingMessage, Queue, QueueSize, Subscription
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.state import StateStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Dead(Exception):
    """What a dead process gets; nothing retries it, so that its threads end soon."""


class Life:
    """What a consumer needs to reach the outside; `end()` is its kill -9."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._fuse: int | None = None
        self._holds: list[Subscription] = []
        self.over = False

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """Let one operation happen wholly or, after the death, not at all."""
        with self._lock:
            if self._fuse is not None:
                self._fuse -= 1
                self.over = self.over or self._fuse <= 0
            if self.over:
                raise Dead
            yield

    @contextlib.contextmanager
    def still(self) -> Iterator[None]:
        """Let nothing happen meanwhile."""
        with self._lock:
            yield

    def light(self, operations: int) -> None:
        """Die by itself, instead of carrying out the last of so many operations to come."""
        with self._lock:
            self._fuse = operations

    def hold(self, subscription: Subscription) -> None:
        """Remember what the broker gives back at the death."""
        self._holds.append(subscription)

    def end(self) -> None:
        """Die: nothing more reaches the outside, and the broker delivers again what was not acknowledged."""
        with self._lock:
            self.over = True
            for subscription in self._holds:
                subscription.close()


class LeapingClock:
    """The system's clock, from which a test can cut out the time that nobody wants to wait for."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def time(self) -> float:
        return SYSTEM_CLOCK.time() + self._ahead

    def monotonic(self) -> float:
        return SYSTEM_CLOCK.monotonic() + self._ahead

    def leap(self, seconds: float) -> None:
        self._ahead += seconds


class MortalBroker(MemoryBroker):
    """Queues as one process sees them, with or without delays of the broker's own."""

    def __init__(self, world: MemoryBroker, life: Life, *, delay: bool = True) -> None:
        super().__init__()
        self.capabilities = dataclasses.replace(MemoryBroker.capabilities, delay=delay)  # type: ignore[misc]
        self._world = world
        self._life = life

    def queue(self, name: str, **options: Any) -> MortalQueue:  # type: ignore[override]
        return MortalQueue(self, self._world.queue(name, serialize=True, **options), self._life)


class MortalQueue(Queue):
    """A queue that a dead process cannot reach."""

    def __init__(self, broker: MortalBroker, queue: Queue, life: Life) -> None:
        self.broker = broker
        self.name = queue.name
        self._queue = queue
        self._life = life

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        with self._life.operation():
            self._queue.send(messages)

    def subscribe(self, consumer_id: str, prefetch: int) -> MortalSubscription:
        with self._life.operation():
            subscription = self._queue.subscribe(consumer_id, prefetch)
            self._life.hold(subscription)
        return MortalSubscription(subscription, self._life)

    def size(self) -> QueueSize:
        return self._queue.size()

    def purge(self) -> int:
        return self._queue.purge()


class MortalSubscription(Subscription):
    """A subscription that a dead process cannot use."""

    def __init__(self, subscription: Subscription, life: Life) -> None:
        self._subscription = subscription
        self._life = life

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        deliveries = self._subscription.receive(limit, min(timeout, 0.05))
        with self._life.still():
            if not self._life.over:
                return deliveries
            # Taken after the broker had noticed the death: nobody received them.
            self._subscription.release(deliveries)
        raise Dead

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        with self._life.operation():
            self._subscription.ack(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        with self._life.operation():
            self._subscription.requeue(deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        with self._life.operation():
            self._subscription.release(deliveries)

    def interrupt(self) -> None:
        self._subscription.interrupt()

    def close(self) -> None:
        with self._life.still():
            self._subscription.close()


def _operation(name: str) -> Any:
    def operation(self: MortalStore, *args: Any, **kwargs: Any) -> Any:
        with self._life.operation():
            return getattr(self._store, name)(*args, **kwargs)

    return operation


class MortalStore(StateStore):
    """A store that a dead process cannot reach."""

    cross_process = False
    wakes = False

    def __init__(self, store: StateStore, life: Life) -> None:
        self._store = store
        self._life = life

    @classmethod
    def from_url(cls, url: str, settings: Any) -> MortalStore:
        raise NotImplementedError

    get = _operation("get")
    set = _operation("set")
    add = _operation("add")
    replace = _operation("replace")
    touch = _operation("touch")
    delete = _operation("delete")
    increment = _operation("increment")
    hash_set = _operation("hash_set")
    hash_get = _operation("hash_get")
    hash_delete = _operation("hash_delete")
    acquire = _operation("acquire")
    release = _operation("release")
    notify = _operation("notify")

    def wait(self, channel: str, timeout: float) -> bool:
        return self._store.wait(channel, timeout)
