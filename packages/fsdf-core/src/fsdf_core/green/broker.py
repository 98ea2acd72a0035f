"""A broker whose driver waits in C, under monkey patches."""

from __future__ import annotations

from fsdf_core.broker import Broker, Queue, Subscription
from fsdf_core.green.wrapper import Wrapper

_subscription: Wrapper[Subscription] = Wrapper(Subscription)
_queue: Wrapper[Queue] = Wrapper(
    Queue,
    opens={"subscribe": _subscription},
    opener="broker",
    here=frozenset({"within"}),  # the user's connection stays in the user's thread
)
_broker: Wrapper[Broker] = Wrapper(Broker, opens={"queue": _queue})


def cooperative_broker(broker: Broker) -> Broker:
    """Return the broker, in a wrapper if it would freeze all greenlets of a process that is monkey-patched."""
    return _broker.cooperative(broker)
