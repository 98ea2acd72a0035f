"""A memory broker whose consumers can die: at once, with everything they hold."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from fsdf_core.broker import Delivery, OutgoingMessage, Queue, QueueSize, Subscription
from fsdf_core.brokers.memory import MemoryBroker
from fsdf_core.errors import BrokerUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Life:
    """What a consumer needs to reach the broker; `end()` is its kill -9."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._over = False
        self._holds: list[Subscription] = []

    def check(self) -> threading.RLock:
        """Return a lock under which one operation of a living consumer may happen."""
        return self._lock  # type: ignore[return-value]

    def require(self) -> None:
        """Raise as a lost connection does, once the life is over."""
        if self._over:
            raise BrokerUnavailable("the process is dead")

    def hold(self, subscription: Subscription) -> None:
        """Remember what the broker gives back at the death."""
        self._holds.append(subscription)

    def end(self) -> None:
        """Die: nothing more reaches the broker, and it delivers again what was not acknowledged."""
        with self._lock:
            self._over = True
        for subscription in self._holds:
            subscription.close()


class MortalBroker(MemoryBroker):
    """Queues as one living process sees them."""

    def __init__(self, world: MemoryBroker, life: Life) -> None:
        super().__init__()
        self._world = world
        self._life = life

    def queue(self, name: str, **options: Any) -> MortalQueue:  # type: ignore[override]
        """Return the queue of the world."""
        return MortalQueue(self, self._world.queue(name, serialize=True, **options), self._life)


class MortalQueue(Queue):
    """A queue that a dead process cannot reach."""

    def __init__(self, broker: MortalBroker, queue: Queue, life: Life) -> None:
        self.broker = broker
        self.name = queue.name
        self._queue = queue
        self._life = life

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        with self._life.check():
            self._life.require()
            self._queue.send(messages)

    def subscribe(self, consumer_id: str, prefetch: int) -> MortalSubscription:
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
        self._life.require()
        deliveries = self._subscription.receive(limit, min(timeout, 0.05))
        self._life.require()
        return deliveries

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        with self._life.check():
            self._life.require()
            self._subscription.ack(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        with self._life.check():
            self._life.require()
            self._subscription.requeue(deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        with self._life.check():
            self._life.require()
            self._subscription.release(deliveries)

    def interrupt(self) -> None:
        self._subscription.interrupt()

    def close(self) -> None:
        with self._life.check():
            self._subscription.close()
