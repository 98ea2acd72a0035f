"""The contracts of an adapter: Broker, Queue, Subscription. An adapter owns no policy.

Everything takes and returns batches, because that is where the speed is. What a broker cannot do it says in
its `Capabilities`; the core emulates it or refuses clearly at start-up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, final

from fsdf_core.errors import UnsupportedFeature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from fsdf_core.settings import Settings

Pair = tuple[dict[str, Any], dict[str, Any]]
"""Arguments and control data, as our publishers hand them over in memory; nobody changes the arguments any more."""

Stamped = tuple[dict[str, Any], Any, Any, Any, str]
"""The same of a message without options: its arguments, the values of `fsdf_core.message.STAMPS`, its queue's name."""

Body = bytes | dict[str, Any] | Pair | Stamped
"""Wire bytes; on queues whose `serializes` is False one of the above, or a dict with the control data under `extra`."""

GONE: Body = ({}, {})
"""Stands for the body of a message that has succeeded: nobody needs it any more."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a broker can do, as data; printed in the documentation and asked by the conformance suite.

    Attributes:
        durable: an accepted message survives the death of every fsdf process.
        acks: a message that was not acknowledged comes back.
        delivery_count: deliveries are counted when they are claimed.
        delay: `send` and `requeue` honour a delay.
        priority: higher priorities are delivered first.
        size: `size()` tells what is ready; `unacked` and `delayed` too where acks and delay are true.
        purge: `purge()` deletes what is ready or delayed.
        cross_process: several processes of one host share a queue.
        cross_machine: several hosts share a queue.
        ordering: "fifo": equal priorities arrive in the order sent (one consumer, no failure); "none".
        liveness: what outside the interpreter proves that a consumer lives: "process" (the host's kernel),
            "connection" (the server), "memory" (queue and consumer die together), "timeout" (nothing does).
    """

    durable: bool
    acks: bool
    delivery_count: bool
    delay: bool
    priority: bool
    size: bool
    purge: bool
    cross_process: bool
    cross_machine: bool
    ordering: Literal["fifo", "none"]
    liveness: Literal["process", "connection", "memory", "timeout"]


class OutgoingMessage:
    """A body to send. `delay` in seconds; `priority` from 0 (low); `key` for brokers that partition."""

    __slots__ = ("body", "delay", "key", "priority")

    def __init__(self, body: Body, delay: float = 0.0, priority: int = 0, key: str | None = None) -> None:
        self.body = body
        self.delay = delay
        self.priority = priority
        self.key = key


@final
class Delivery:
    """A body received.

    Attributes:
        body: the body as it was sent; `GONE` after a success. It is freed in the thread that has used it, since for
            another core's to do so costs more than all else about an acknowledgement.
        token: the adapter's own handle.
        delivery_count: how often the message was claimed, this time included, without an outcome;
            0 where the broker cannot tell.
    """

    __slots__ = ("body", "delivery_count", "token")

    def __init__(self, body: Body, token: Any, delivery_count: int = 0) -> None:
        self.body = body
        self.token = token
        self.delivery_count = delivery_count


class QueueSize(NamedTuple):
    """Numbers of messages: deliverable now, waiting for their time, delivered but not acknowledged."""

    ready: int
    delayed: int = 0
    unacked: int = 0

    @property
    def total(self) -> int:
        """All messages that are not yet done."""
        return self.ready + self.delayed + self.unacked


class Subscription(ABC):
    """One consumer's hold on a queue. One thread calls `receive`; any thread may call the rest.

    Attributes:
        asks_ahead: `ask_ahead` does something.
    """

    asks_ahead: bool = False

    @abstractmethod
    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Return 1 to `limit` deliveries as soon as there are any, or [] after about `timeout` seconds.

        Raises:
            BrokerError: or one of the broker's `retryable_errors`.
        """

    def ask_ahead(self, limit: int) -> int:  # noqa: ARG002 - optional
        """Ask for messages that the next `receive` returns: the broker works on them while the caller does.

        Called by the thread that calls `receive`, which must follow soon, with a limit of at least what this returned.

        Args:
            limit: most messages to ask for.

        Returns:
            How many it has asked for; default: 0, none. What fails here the next `receive` raises.
        """
        return 0

    @abstractmethod
    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages. One that is no longer this consumer's is silently left alone."""

    @abstractmethod
    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages at the end of the queue, or after `delay` seconds; their delivery count starts anew."""

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give back messages that were never started: to their old place, uncounted, where the broker can."""
        self.requeue(deliveries)

    def resend(self, messages: Sequence[OutgoingMessage]) -> bool:  # noqa: ARG002 - optional
        """Take messages sent anew for this consumer alone, if others had their own copies; default: False, send them.

        Args:
            messages: copies, with changed control data, of messages that are acknowledged afterwards.
        """
        return False

    def interrupt(self) -> None:  # noqa: B027 - optional
        """Make a waiting `receive` return early; without it, it returns after its timeout."""

    def reconnect(self) -> None:  # noqa: B027 - optional
        """Rebuild what a retryable error broke; called by the receiving thread before it tries again.

        Deliveries that do not survive this are ignored by later acks; the broker delivers them again.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back every message that was not acknowledged, and end. Idempotent."""


class Queue(ABC):
    """A named queue of a broker. Its methods may be called from any thread.

    Attributes:
        name: the queue's name.
        broker: the broker it belongs to.
        serializes: False if bodies are handed over as they are, not as bytes.
    """

    name: str
    broker: Broker
    serializes: bool = True

    @abstractmethod
    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Return once the broker has accepted all messages, durably if it is durable.

        Raises:
            BrokerError: it has not; some of the batch may be on the queue where the broker has no transactions.
        """

    @abstractmethod
    def subscribe(self, consumer_id: str, prefetch: int) -> Subscription:
        """Start consuming under a name that no other consumer has.

        Args:
            consumer_id: unique among living and dead consumers.
            prefetch: how many messages the consumer expects to hold at most; a hint.
        """

    @abstractmethod
    def size(self) -> QueueSize:
        """Count the messages."""

    @abstractmethod
    def purge(self) -> int:
        """Delete what is ready or delayed, leave what is being run; return how many."""

    def within(self, connection: Any) -> Queue:
        """Return this queue for producers within the user's own transaction: what is sent exists if that commits.

        Args:
            connection: the database connection that has the transaction.

        Raises:
            UnsupportedFeature: the broker is no database that can do it.
        """
        del connection
        raise UnsupportedFeature(
            f"{type(self.broker).__name__} cannot publish within your transaction: "
            "publish after it, or choose the broker_kind POSTGRES and its database"
        )

    def close(self) -> None:  # noqa: B027 - optional
        """Free what the queue holds; its subscriptions are closed by their owners."""


class Broker(ABC):
    """Opens queues.

    Attributes:
        capabilities: what the broker can do.
        retryable_errors: the client library's exceptions that mean "connection lost, try again".
        queue_options: names of the keyword options that `queue()` takes.
        cooperative: under the monkey patches of gevent and eventlet it waits as greenlets do: its driver waits in
            Python. Otherwise it is used in real threads then; it has its locks from `fsdf_core.green.native`.
        prefetch_seconds: seconds of work, at the rate measured, that consumers hold ahead to hide the time of a fetch.
    """

    capabilities: ClassVar[Capabilities]
    retryable_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    queue_options: ClassVar[frozenset[str]] = frozenset()
    cooperative: bool = False
    prefetch_seconds: float = 0.1

    @classmethod
    @abstractmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Build the broker that the settings describe; opens no connection yet."""

    @abstractmethod
    def queue(self, name: str, **options: Any) -> Queue:
        """Return the queue of that name, creating it if need be."""

    def close(self) -> None:  # noqa: B027 - optional
        """Close all connections. Idempotent."""
