"""What a consumer owns of a topic, and what it has finished of that."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf_brokers.kafka.progress import Position, Progress
from fsdf_core.broker import Delivery
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from confluent_kafka import Message

_LOOK = 0.1

Changes = dict[int, tuple[Progress, Position]]
"""What is to be committed, by partition."""


class Ledger:
    """The progress of each partition that is ours. Thread-safe."""

    def __init__(self) -> None:
        self._settled = threading.Condition()
        self._owned: dict[int, Progress] = {}
        self._lost: dict[int, Progress] = {}

    @property
    def partitions(self) -> list[int]:
        """The partitions that are ours."""
        return list(self._owned)

    def accept(self, messages: Iterable[Message]) -> list[Delivery]:
        """Return what is to be run of the messages polled; each counts as unfinished from now on."""
        accepted = []
        with self._settled:
            owned = self._owned
            for message in messages:
                partition = message.partition()
                progress = owned.get(partition)  # type: ignore[arg-type]
                if progress is None:
                    continue
                offset = message.offset()
                if progress.rewound(offset):  # type: ignore[arg-type]
                    progress.lost = True
                    progress = owned[partition] = Progress(None)  # type: ignore[index]
                if progress.take(offset):  # type: ignore[arg-type]
                    accepted.append(Delivery(message.value() or b"", (progress, message)))
        return accepted

    def finish(self, deliveries: Iterable[Delivery]) -> None:
        """Note that messages need no second delivery; those of partitions that were lost do not matter."""
        with self._settled:
            for delivery in deliveries:
                progress, message = delivery.token
                progress.finish(message.offset())
            self._settled.notify_all()

    def skip(self, ends: dict[int, int]) -> None:
        """Deliver nothing below the offsets any more."""
        with self._settled:
            for partition, progress in self._owned.items():
                progress.floor = max(progress.floor, ends.get(partition, 0))

    def assign(self, partitions: Iterable[int], known: Mapping[int, Position | None]) -> None:
        """Take over partitions.

        Args:
            partitions: that are ours from now on.
            known: what is committed, of those of which that could be learned.
        """
        with self._settled:
            for partition in partitions:
                position = known.get(partition)
                before = self._lost.pop(partition, None)
                if before is not None and before.last_commit == position and partition in known:
                    # Nobody has worked on it meanwhile: what we finished or still run of it stays ours.
                    before.lost = False
                    before.replaying = True
                    before.dirty = True
                    self._owned[partition] = before
                else:
                    self._owned[partition] = Progress(position)

    def lose(self, partitions: Iterable[int]) -> None:
        """Give partitions up; what is finished of them later does not count."""
        with self._settled:
            for partition in partitions:
                progress = self._owned.pop(partition, None)
                if progress is not None:
                    progress.lost = True
                    self._lost[partition] = progress

    def await_end(self, partitions: Iterable[int], timeout: float, closing: threading.Event) -> None:
        """Wait until nothing runs of the partitions, or until the consumer closes."""
        deadline = time.monotonic() + timeout
        with self._settled:
            leaving = [self._owned[partition] for partition in partitions if partition in self._owned]
            while any(progress.pending for progress in leaving) and not closing.is_set():
                left = deadline - time.monotonic()
                if left <= 0:
                    return
                self._settled.wait(min(left, _LOOK))

    def changes(self, partitions: Iterable[int] | None = None, *, held: bool = True) -> Changes:
        """Return what is to be committed, as if it were.

        Args:
            partitions: of these; None: of all that are ours.
            held: we go on working on them.
        """
        changed: Changes = {}
        with self._settled:
            for partition in list(self._owned) if partitions is None else partitions:
                progress = self._owned.get(partition)
                if progress is None or not (progress.dirty or not held):
                    continue
                position = progress.position(held=held)
                progress.dirty = False
                if position is not None and position != progress.last_commit:
                    progress.last_commit = position
                    changed[partition] = (progress, position)
        return changed

    def undo(self, partitions: Iterable[int]) -> None:
        """Note that a commit was not taken."""
        with self._settled:
            for partition in partitions:
                progress = self._owned.get(partition)
                if progress is not None:
                    progress.dirty = True
                    progress.last_commit = None
