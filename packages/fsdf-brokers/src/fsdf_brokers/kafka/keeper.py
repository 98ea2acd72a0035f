"""Serves the group while the consumer is busy."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from fsdf_brokers.kafka.turns import Turns
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsdf_brokers.kafka.client import GroupClient

_EVERY = 0.2
_IDLE = 0.5
"""Seconds without a `receive` after which the thread polls in its place."""

_END = 10.0


class Keeper:
    """The thread `fsdf-kafka-<queue>`: commits, and polls when nobody else does, so that the group keeps us.

    Args:
        group: what to keep.
        name: the queue's name.
    """

    def __init__(self, group: GroupClient, name: str) -> None:
        self._group = group
        self._logger = logging.getLogger(f"fsdf.{name}")
        self._turns = Turns()
        self._polled = time.monotonic()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-kafka-{name}", daemon=True)
        self.turn = self._turns.turn
        self.start = self._thread.start

    @contextmanager
    def polling(self) -> Iterator[None]:
        """A turn in which the caller polls, so that the thread need not."""
        with self._turns.turn():
            try:
                yield
            finally:
                self._polled = time.monotonic()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join(_END)

    def _run(self) -> None:
        while not self._stopped.wait(_EVERY):
            try:
                with self._turns.turn():
                    self._group.commit_soon()
                    if time.monotonic() - self._polled > _IDLE:
                        self._group.serve()
            except (KafkaException, BrokerUnavailable) as error:
                self._logger.debug("cannot serve the group now: %s", error)
            except Exception:
                self._logger.exception("serving the group failed")
