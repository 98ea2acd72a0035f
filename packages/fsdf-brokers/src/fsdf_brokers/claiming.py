"""What subscriptions that claim messages under a lease have in common: all but receiving."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from fsdf_core.broker import Subscription
from fsdf_core.errors import FsdfError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Delivery


class _Claims(Protocol):
    def settle(self, deliveries: Sequence[Delivery]) -> None: ...

    def put_back(self, deliveries: Sequence[Delivery], delay: float) -> None: ...

    def undo(self, deliveries: Sequence[Delivery]) -> None: ...


class _Lease(Protocol):
    def close(self) -> None: ...


ClaimsT = TypeVar("ClaimsT", bound=_Claims)
LeaseT = TypeVar("LeaseT", bound=_Lease)


class ClaimingSubscription(Subscription, Generic[ClaimsT, LeaseT]):
    """Hands on to its claims what becomes of deliveries; ends its lease when it is closed.

    Args:
        queue_name: of its queue.
        claims: takes and gives back messages.
        lease: keeps them this consumer's.
        announce: wakes the waiting consumers of this process.
    """

    def __init__(self, queue_name: str, claims: ClaimsT, lease: LeaseT, announce: Callable[[], None]) -> None:
        self._claims = claims
        self._lease = lease
        self._queue_name = queue_name
        self._announce = announce
        self._interrupted = False
        self._closed = False

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        """Delete the messages that still are this consumer's."""
        self._claims.settle(deliveries)

    def requeue(self, deliveries: Sequence[Delivery], delay: float = 0.0) -> None:
        """Move the messages to the end of the queue, or to the delayed ones."""
        self._claims.put_back(deliveries, delay)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Let go of the messages in their places, uncounted."""
        self._claims.undo(deliveries)

    def interrupt(self) -> None:
        """End a waiting `receive`."""
        self._interrupted = True
        self._announce()

    def close(self) -> None:
        """Give back everything; if that fails, others do it when they see that the lease has ended."""
        if self._closed:
            return
        self._closed = True
        self._announce()
        try:
            self._lease.close()
        except FsdfError as error:
            logging.getLogger(f"fsdf.{self._queue_name}").warning(
                "could not say goodbye; what was not acknowledged comes back when others look: %s", error
            )
