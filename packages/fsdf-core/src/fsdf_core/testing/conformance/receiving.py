"""Receiving with patience."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsdf_core.broker import Delivery, Subscription

PATIENCE = 30.0
"""Seconds that anything may take; for many messages, that the next ones may take."""


def receive(subscription: Subscription, count: int) -> list[Delivery]:
    """Receive exactly `count` messages, in as many batches as the broker likes."""
    got: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE
    while len(got) < count and time.monotonic() < deadline:
        batch = subscription.receive(count - len(got), 0.2)
        if batch:
            got += batch
            deadline = time.monotonic() + PATIENCE
    assert len(got) == count
    return got
