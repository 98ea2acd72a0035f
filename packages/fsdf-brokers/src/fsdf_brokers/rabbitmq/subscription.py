"""One consumer's hold on a queue of RabbitMQ: a connection of its own, served by a thread of its own."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fsdf_brokers.rabbitmq.acknowledger import Acknowledger
from fsdf_brokers.rabbitmq.link_thread import LinkThread
from fsdf_core.broker import Delivery, Subscription
from fsdf_core.errors import BrokerUnavailable, FsdfError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_brokers.rabbitmq.link import Link, Received
    from fsdf_brokers.rabbitmq.topology import Topology

_MOST = 60_000
"""Largest prefetch; the protocol counts to 65 535."""

_MANY = 256
"""Prefetch beyond which it is doubled at once: each change costs the server a consumer."""

_IDLE = 1.5
"""Seconds without a call of `receive` after which what lies here unasked for is given back to the queue."""


class RabbitMQSubscription(Subscription):
    """Consumes with as much prefetch as `receive` asks for.

    Args:
        topology: the queue.
        open_link: makes a link.
        resend: publishes copies of messages, with a delay in seconds.
        at_most_once: acknowledge when handing out.

    Raises:
        BrokerUnavailable: the server cannot be reached.
        ConfigurationError: it refuses.
    """

    def __init__(
        self,
        topology: Topology,
        open_link: Callable[[], Link],
        resend: Callable[[Sequence[Received], float], None],
        *,
        at_most_once: bool,
    ) -> None:
        self._topology = topology
        self._open_link = open_link
        self._resend = resend
        self._at_most_once = at_most_once
        self._changed = threading.Condition()
        self._held: dict[int, Received] = {}
        self._buffer: deque[tuple[int, Received]] = deque()
        self._base = 0
        self._newest = 0
        self._interrupted = False
        self._closed = False
        self._asked = time.monotonic()
        self._prefetch = 0
        self._shrink_since = 0.0
        self._connect()

    def count(self) -> tuple[int, int]:
        """Return how many messages lie here but were not asked for yet, and how many are not settled."""
        with contextlib.suppress(FsdfError):
            self._thread.call(self._catch_up)
        with self._changed:
            return len(self._buffer), len(self._held) - len(self._buffer)

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Take what the server has sent, asking it for more if need be.

        Raises:
            BrokerUnavailable: the connection broke; `reconnect` mends it.
            ConfigurationError: the server refuses.
        """
        deadline = time.monotonic() + timeout
        self._asked = time.monotonic()
        self._adjust(limit)
        with self._changed:
            while not self._buffer and not self._interrupted:
                self._check()
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._asked = time.monotonic() + left
                self._changed.wait(left)
            self._asked = time.monotonic()
            self._interrupted = False
            taken = [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]
        counted = self._topology.quorum
        batch = [
            Delivery(received.body, token, _delivery_count(received) if counted else 0) for token, received in taken
        ]
        if self._at_most_once and batch:
            self.ack(batch)
        return batch

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Acknowledge those that the present connection has delivered."""
        tags = [received.tag for received in self._settle(deliveries)]
        if tags:
            self._thread.post(lambda link: self._acknowledger.ack(link, tags))

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Publish copies, then acknowledge.

        Raises:
            BrokerUnavailable: the server went away; the messages are still this consumer's, or come back.
        """
        with self._changed:
            still = [one for one in deliveries if one.token in self._held]
            copies = [self._held[one.token] for one in still]
        if still:
            self._resend(copies, delay)
            self.ack(still)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Put messages back to their place; on a quorum queue, which would count it, at the end."""
        if self._topology.quorum:
            self.requeue(deliveries)
            return
        tags = [received.tag for received in self._settle(deliveries)]
        if tags:
            self._thread.post(lambda link: self._acknowledger.give_back(link, tags))

    def interrupt(self) -> None:
        """Make `receive` return at once."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def reconnect(self) -> None:
        """Open a new connection if the old one is dead; what the old one delivered comes again."""
        if not self._thread.alive and not self._closed:
            self._thread.close()
            self._connect()

    def close(self) -> None:
        """Give back everything, and end."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(FsdfError):
            self._thread.call(self._leave)
        self._thread.close()
        with self._changed:
            self._held.clear()
            self._buffer.clear()
            self._changed.notify_all()

    def _connect(self) -> None:
        with self._changed:
            self._held.clear()
            self._buffer.clear()
            self._base = self._newest
            self._prefetch = 0
        self._incoming: list[Received] = []
        self._acknowledger = Acknowledger()
        name = f"fsdf-rabbitmq-{self._topology.queue}"
        self._thread = LinkThread(self._open_link, name, turn=self._turn, on_end=self._wake)
        self._thread.call(self._topology.declare)

    def _check(self) -> None:
        error = self._thread.error
        if error is not None:
            raise error
        if self._closed:
            raise BrokerUnavailable("the subscription is closed")

    def _settle(self, deliveries: Sequence[Delivery]) -> list[Received]:
        with self._changed:
            found = [self._held.pop(one.token, None) for one in deliveries]
        return [received for received in found if received is not None]

    def _adjust(self, limit: int) -> None:
        """Change the prefetch to what the consumer holds and asks for."""
        wanted = min(_MOST, len(self._held) - len(self._buffer) + limit)
        now = time.monotonic()
        if wanted * 4 >= self._prefetch or self._topology.quorum:
            self._shrink_since = now
        if wanted > self._prefetch:
            more = (wanted if wanted <= _MANY else min(_MOST, 2 * wanted)) - self._prefetch
        elif now - self._shrink_since > _IDLE:
            more = wanted
            self._thread.call(self._stop_consuming)
        else:
            return
        self._check()
        self._prefetch += more
        self._thread.call(lambda link: self._consume(link, more))

    def _consume(self, link: Link, prefetch: int) -> None:
        link.consume(self._topology.queue, prefetch, self._incoming.append)
        self._hand_over()

    def _stop_consuming(self, link: Link) -> None:
        link.cancel()
        self._hand_over()
        self._prefetch = 0

    def _turn(self, link: Link) -> float:
        if self._incoming:
            self._hand_over()
        elif self._buffer and time.monotonic() - self._asked > _IDLE:
            self._give_back_unasked(link)
        return self._acknowledger.turn(link)

    def _hand_over(self) -> None:
        incoming = self._incoming[:]
        self._incoming.clear()
        self._acknowledger.opened([received.tag for received in incoming])
        base = self._base
        tokens = [(base + received.tag, received) for received in incoming]
        with self._changed:
            self._held.update(tokens)
            self._buffer.extend(tokens)
            if tokens:
                self._newest = tokens[-1][0]
            self._changed.notify_all()

    def _give_back_unasked(self, link: Link) -> None:
        """Other consumers may have time for what this one does not ask for."""
        if self._topology.quorum:
            return
        self._stop_consuming(link)
        with self._changed:
            unasked = [self._buffer.popleft() for _ in range(len(self._buffer))]
            for token, _ in unasked:
                self._held.pop(token, None)
        self._acknowledger.give_back(link, [received.tag for _, received in unasked])

    def _catch_up(self, link: Link) -> None:
        link.flush()
        self._hand_over()

    def _leave(self, link: Link) -> None:
        self._stop_consuming(link)
        self._acknowledger.give_back_all(link)
        link.flush()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _delivery_count(received: Received) -> int:
    """Quorum queues tell how often a message came back."""
    return int((received.headers or {}).get("x-delivery-count", 0)) + 1
