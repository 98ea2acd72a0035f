"""Consumers of a queue tell each other that a circuit is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsdf_core.errors import StateError

if TYPE_CHECKING:
    import logging

    from fsdf_core.state import StateStore


class CircuitSharing:
    """One consumer's mark in the store, which lives as long as the circuit stays open.

    Args:
        store: shared by the consumers.
        queue_name: names the key, `fsdf:breaker:<queue>`.
        consumer_id: this consumer's.
    """

    def __init__(self, store: StateStore, queue_name: str, consumer_id: str) -> None:
        self._store = store
        self._retryable: tuple[type[BaseException], ...] = (StateError, *store.retryable_errors)
        self._key = f"fsdf:breaker:{queue_name}"
        self._mark = consumer_id.encode()
        self._closes_at: float | None = None

    def opened(self, now: float, recovers_at: float, logger: logging.Logger) -> None:
        """Tell the others; a store that is away is tried again by `follow`."""
        self._closes_at = recovers_at
        try:
            self._tell(now)
        except self._retryable as error:
            logger.warning("cannot share the open circuit, trying on: %s", error)

    def follow(self, now: float) -> bool:
        """Whether another consumer's circuit is open.

        Raises:
            StateError: the store cannot be reached.
        """
        self._tell(now)
        (mark,) = self._store.get([self._key])
        return mark is not None and mark != self._mark

    def _tell(self, now: float) -> None:
        if self._closes_at is not None and self._closes_at > now:
            self._store.set({self._key: self._mark}, self._closes_at - now)
        self._closes_at = None
