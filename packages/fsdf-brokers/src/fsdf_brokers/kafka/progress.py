"""What of a partition is finished, and how to tell it to the next consumer in one offset commit.

Kafka commits one number a partition: everything below is done. Tasks end out of order, so what is finished above
that number goes into the commit's metadata text, as run lengths; a successor skips it. (The idea is known from
Confluent's Parallel Consumer for Java.) Consumers that do not know the text ignore it and repeat those tasks.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import NamedTuple

_MARK = "fsdf1"
_MOST_TEXT = 4000
"""Servers refuse metadata above `offset.metadata.max.bytes`, 4096 by default."""


class Position(NamedTuple):
    """What is committed for a partition.

    Attributes:
        offset: everything below is finished.
        finished: ranges [start, end) above that are finished too, ascending.
        held: how many unfinished ones a consumer holds.
        end: nothing from here on has been delivered.
    """

    offset: int
    finished: tuple[tuple[int, int], ...] = ()
    held: int = 0
    end: int = 0

    @classmethod
    def read(cls, offset: int, metadata: str | None) -> Position:
        """Understand a commit; a text that is not ours counts as none."""
        mark, *words = (metadata or "").split() or [""]
        if mark != _MARK or not words or not all(word.isdecimal() for word in words):
            return cls(offset, end=offset)
        held, *runs = map(int, words)
        edges = list(accumulate(runs, initial=offset))
        ranges = [(start, end) for start, end in pairwise(edges)][1::2]
        return cls(offset, tuple(ranges), held, edges[-1])

    @property
    def metadata(self) -> str:
        """The text of the commit; it says less rather than being too long."""
        text = f"{_MARK} {self.held}"
        at = self.offset
        for start, end in self.finished:
            run = f" {start - at} {end - start}"
            if len(text) + len(run) > _MOST_TEXT:
                return text
            text += run
            at = end
        return f"{text} {self.end - at}" if self.end > at else text


class Progress:
    """One consumer's work on a partition it owns; guarded by its subscription's lock.

    Args:
        position: what the predecessor committed; None if nothing is known.
    """

    def __init__(self, position: Position | None) -> None:
        self.dirty = False
        """There is something new to commit."""
        self.lost = False
        """Another consumer may own the partition now."""
        self.replaying = False
        """The client fetches again what was delivered here before."""
        self.floor = 0
        """Older messages were purged."""
        self.last_commit: Position | None = position
        self.next: int | None = position.offset if position else None
        self._ahead = list(position.finished) if position else []
        self._pending: dict[int, None] = {}

    @property
    def pending(self) -> int:
        """How many are delivered and not finished."""
        return len(self._pending)

    def rewound(self, offset: int) -> bool:
        """Whether the log begins anew: its topic was deleted and created again, or its end was lost."""
        return self.next is not None and offset < self.next and not self.replaying

    def take(self, offset: int) -> bool:
        """Whether to deliver the message; False if it is finished or delivered already."""
        if self.next is not None and offset < self.next:
            return False
        self.replaying = False
        self.next = offset + 1
        self.dirty = True
        while self._ahead and self._ahead[0][1] <= offset:
            self._ahead.pop(0)
        if offset < self.floor or (self._ahead and self._ahead[0][0] <= offset):
            return False
        self._pending[offset] = None
        return True

    def finish(self, offset: int) -> None:
        """Note that a message needs no second delivery."""
        if self._pending.pop(offset, self) is not self:
            self.dirty = True

    def position(self, *, held: bool = True) -> Position | None:
        """Return what to commit; None if nothing was delivered yet.

        Args:
            held: this consumer still works on what is unfinished.
        """
        if self.next is None:
            return None
        finished = []
        offset = at = next(iter(self._pending), self.next)
        for unfinished in self._pending:
            if unfinished > at:
                finished.append((at, unfinished))
            at = unfinished + 1
        end = self.next
        if self._pending and at < end:
            finished.append((at, end))
        for start, stop in self._ahead:
            if stop <= end:
                continue
            start = max(start, end)  # noqa: PLW2901
            if finished and finished[-1][1] == start:
                finished[-1] = (finished[-1][0], stop)
            elif not finished and start == offset:
                offset = stop
            else:
                finished.append((start, stop))
            end = stop
        return Position(offset, tuple(finished), len(self._pending) if held else 0, end)
