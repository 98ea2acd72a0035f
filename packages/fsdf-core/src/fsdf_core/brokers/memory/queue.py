"""One queue in memory."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fsdf_core.broker import Delivery, Queue, QueueSize
from fsdf_core.brokers.memory.subscription import MemorySubscription
from fsdf_core.errors import QueueFull

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fsdf_core.broker import Body, OutgoingMessage
    from fsdf_core.brokers.memory.broker import MemoryBroker


class MemoryQueue(Queue):
    """A deque per priority, a heap of delayed messages, one lock a batch."""

    def __init__(
        self,
        broker: MemoryBroker,
        name: str,
        *,
        maxsize: int = 0,
        put_timeout: float = 60.0,
        serialize: bool = False,
    ) -> None:
        self.broker = broker
        self.name = name
        self.serializes = serialize
        self.options = {"maxsize": maxsize, "put_timeout": put_timeout, "serialize": serialize}
        self._maxsize = maxsize
        self._put_timeout = put_timeout
        self._subscriptions: set[MemorySubscription] = set()
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._waiting_receivers = 0
        self._waiting_senders = 0
        self._levels: dict[int, deque[Delivery]] = {0: deque()}
        self._order = [0]
        self._delayed: list[tuple[float, int, Delivery]] = []
        self._sequence = itertools.count()

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Append the messages.

        Raises:
            QueueFull: a bounded queue had no room for all of them within `put_timeout`; those before it are sent.
        """
        if self.serializes:
            deliveries = [Delivery(_exact(message.body), message.priority, 1) for message in messages]
        else:
            deliveries = [Delivery(message.body, message.priority, 1) for message in messages]
        simple = not self._maxsize and not any(message.delay or message.priority for message in messages)
        with self._lock:
            if simple:
                self._levels[0].extend(deliveries)
            else:
                self._sort_in(messages, deliveries)
            self._notify(len(messages))

    def _sort_in(self, messages: Sequence[OutgoingMessage], deliveries: list[Delivery]) -> None:
        for message, delivery in zip(messages, deliveries, strict=True):
            if self._maxsize and self._waiting() >= self._maxsize:
                self._wait_for_room()
            if message.delay > 0:
                self._delay(delivery, message.delay)
            else:
                self._level(message.priority).append(delivery)

    def subscribe(self, consumer_id: str, prefetch: int) -> MemorySubscription:  # noqa: ARG002 - contract
        """Start consuming."""
        subscription = MemorySubscription(self)
        with self._lock:
            self._subscriptions.add(subscription)
        return subscription

    def size(self) -> QueueSize:
        """Count the messages."""
        with self._lock:
            self._promote(time.monotonic())
            unacked = sum(len(subscription.held) for subscription in self._subscriptions)
            return QueueSize(self._ready(), len(self._delayed), unacked)

    def purge(self) -> int:
        """Delete what waits."""
        with self._lock:
            count = self._waiting()
            self._delayed.clear()
            for level in self._levels.values():
                level.clear()
            self._room.notify_all()
            return count

    def take(self, subscription: MemorySubscription, limit: int, timeout: float) -> list[Delivery]:
        """Move up to `limit` messages to the subscription, waiting for the first one."""
        deadline: float | None = None
        with self._lock:
            while True:
                if self._delayed:
                    self._promote(time.monotonic())
                if batch := self._pop(limit):
                    subscription.held.update(batch)
                    if self._waiting_senders:
                        self._room.notify(len(batch))
                    return batch
                if subscription.interrupted:
                    subscription.interrupted = False
                    return batch
                now = time.monotonic()
                if deadline is None:
                    deadline = now + timeout
                if now >= deadline:
                    return batch
                wake = min(deadline, self._delayed[0][0]) if self._delayed else deadline
                self._waiting_receivers += 1
                try:
                    self._filled.wait(max(0.0, wake - now))
                finally:
                    self._waiting_receivers -= 1

    def put_back(self, deliveries: Iterable[Delivery], delay: float) -> None:
        """Append messages anew."""
        with self._lock:
            count = 0
            for delivery in deliveries:
                fresh = Delivery(delivery.body, delivery.token, 1)
                count += 1
                if delay > 0:
                    self._delay(fresh, delay)
                else:
                    self._level(delivery.token).append(fresh)
            self._notify(count)

    def undo(self, deliveries: list[Delivery], *, started: bool) -> None:
        """Put messages back in front; if they were `started`, the delivery counts."""
        with self._lock:
            for delivery in reversed(deliveries):
                if started:
                    delivery.delivery_count += 1
                self._level(delivery.token).appendleft(delivery)
            self._notify(len(deliveries))

    def forget(self, subscription: MemorySubscription) -> None:
        """Drop a closed subscription."""
        with self._lock:
            self._subscriptions.discard(subscription)

    def interrupt(self, subscription: MemorySubscription) -> None:
        """Wake the subscription's waiting `receive`."""
        with self._lock:
            subscription.interrupted = True
            self._filled.notify_all()

    def renew(self) -> None:
        """Start afresh in a forked child: empty, with locks that nobody holds."""
        for subscription in self._subscriptions:
            subscription.held.clear()
        self._subscriptions.clear()
        self._begin()

    def _level(self, priority: int) -> deque[Delivery]:
        level = self._levels.get(priority)
        if level is None:
            level = self._levels[priority] = deque()
            self._order = sorted(self._levels, reverse=True)
        return level

    def _delay(self, delivery: Delivery, delay: float) -> None:
        heapq.heappush(self._delayed, (time.monotonic() + delay, next(self._sequence), delivery))

    def _promote(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            delivery = heapq.heappop(self._delayed)[2]
            self._level(delivery.token).append(delivery)

    def _pop(self, limit: int) -> list[Delivery]:
        batch: list[Delivery] = []
        for priority in self._order:
            level = self._levels[priority]
            if not level:
                continue
            wanted = limit - len(batch)
            if len(level) <= wanted:
                batch.extend(level)
                level.clear()
            else:
                batch.extend([level.popleft() for _ in range(wanted)])
            if len(batch) == limit:
                break
        return batch

    def _ready(self) -> int:
        return sum(map(len, self._levels.values()))

    def _waiting(self) -> int:
        return self._ready() + len(self._delayed)

    def _notify(self, count: int) -> None:
        if self._waiting_receivers:
            self._filled.notify(count)

    def _wait_for_room(self) -> None:
        self._notify(self._waiting())
        self._waiting_senders += 1
        try:
            roomy = self._room.wait_for(lambda: self._waiting() < self._maxsize, self._put_timeout)
        finally:
            self._waiting_senders -= 1
        if not roomy:
            raise QueueFull(
                f"memory queue {self.name!r} holds its maxsize of {self._maxsize} messages and nothing took one "
                f"for {self._put_timeout} s: start a consumer, or raise maxsize or put_timeout"
            )


def _exact(body: Body) -> Body:
    """Return an encoded body without the spare room that its encoder left behind it: up to 4 KB a message."""
    return bytes(memoryview(body)) if isinstance(body, bytes) else body
