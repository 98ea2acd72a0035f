"""A broker whose driver waits in C, under monkey patches: every call in a real thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fsdf_core.broker import Broker, Delivery, OutgoingMessage, Queue, QueueSize, Subscription
from fsdf_core.green.calls import native_calls

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import Self

    from fsdf_core.green.calls import NativeCalls
    from fsdf_core.settings import Settings


def cooperative_broker(broker: Broker) -> Broker:
    """Return the broker, in a wrapper if it would freeze all greenlets of a process that is monkey-patched."""
    calls = None if broker.cooperative else native_calls()
    return broker if calls is None else NativeBroker(broker, calls)


class NativeBroker(Broker):
    """Does in real threads what another broker does.

    Args:
        inner: the broker.
        calls: runs it.
    """

    cooperative = True

    def __init__(self, inner: Broker, calls: NativeCalls) -> None:
        self._inner = inner
        self._calls = calls
        # Of the class by contract, here of the one that is wrapped.
        data = cast("Any", self)
        data.capabilities = inner.capabilities
        data.retryable_errors = inner.retryable_errors
        data.queue_options = inner.queue_options

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Wrappers are made of brokers."""
        raise NotImplementedError

    def queue(self, name: str, **options: Any) -> Queue:
        """Return the queue of that name."""
        return NativeQueue(self._calls(lambda: self._inner.queue(name, **options)), self, self._calls)

    def close(self) -> None:
        """Close all connections."""
        self._calls(self._inner.close)


class NativeQueue(Queue):
    """Does in real threads what another queue does."""

    def __init__(self, inner: Queue, broker: NativeBroker, calls: NativeCalls) -> None:
        self._inner = inner
        self._calls = calls
        self.broker = broker
        self.name = inner.name
        self.serializes = inner.serializes

    def send(self, messages: Sequence[OutgoingMessage]) -> None:
        """Return once the broker has accepted all messages."""
        self._calls(self._inner.send, messages)

    def subscribe(self, consumer_id: str, prefetch: int) -> Subscription:
        """Start consuming."""
        return NativeSubscription(self._calls(self._inner.subscribe, consumer_id, prefetch), self._calls)

    def size(self) -> QueueSize:
        """Count the messages."""
        return cast("QueueSize", self._calls(self._inner.size))

    def purge(self) -> int:
        """Delete what is ready or delayed."""
        return cast("int", self._calls(self._inner.purge))

    def within(self, connection: Any) -> Queue:
        """Return the queue within the user's transaction, whose connection stays in the user's thread."""
        return self._inner.within(connection)

    def close(self) -> None:
        """Free what the queue holds."""
        self._calls(self._inner.close)


class NativeSubscription(Subscription):
    """Does in real threads what another subscription does."""

    def __init__(self, inner: Subscription, calls: NativeCalls) -> None:
        self._inner = inner
        self._calls = calls

    def receive(self, limit: int, timeout: float) -> list[Delivery]:
        """Return deliveries."""
        return cast("list[Delivery]", self._calls(self._inner.receive, limit, timeout))

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages."""
        self._calls(self._inner.ack, deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Put the messages back."""
        self._calls(self._inner.requeue, deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give back messages that were never started."""
        self._calls(self._inner.release, deliveries)

    def resend(self, messages: Sequence[OutgoingMessage]) -> bool:
        """Take messages sent anew."""
        return cast("bool", self._calls(self._inner.resend, messages))

    def interrupt(self) -> None:
        """Make a waiting `receive` return early."""
        self._calls(self._inner.interrupt)

    def reconnect(self) -> None:
        """Rebuild what a retryable error broke."""
        self._calls(self._inner.reconnect)

    def close(self) -> None:
        """Give back every message that was not acknowledged, and end."""
        self._calls(self._inner.close)
