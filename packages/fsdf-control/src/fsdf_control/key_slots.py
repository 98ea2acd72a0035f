"""Numbered slots of keys, shared by the consumers of a queue through keys with a TTL."""

from __future__ import annotations

import hashlib
import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from fsdf_core.state import StateStore

_TTL = 4.5
"""Seconds that a slot outlives its consumer."""

_RENEW_EVERY = 1.0
_AT_ONCE = 0.001
"""TTL of a slot that is given up: `touch` compares and expires in one step, where a delete could hit another's."""


class KeySlots:
    """The slots `0 … limit - 1` of each key; who writes an absent one has it.

    Args:
        store: where the slots are.
        name: what the slots are called: of the queue, and of the rule among those of the queue.
        owner: the consumer.
        limit: slots of each key.
        logger: where slots that were lost are logged.
    """

    def __init__(self, store: StateStore, name: str, owner: str, limit: int, logger: logging.Logger) -> None:
        self._store = store
        self._prefix = f"fsdf:slots:{name}"
        self._owner = owner
        self._limit = limit
        self._logger = logger
        self._serial = itertools.count()
        self._lock = threading.Lock()
        self._held: dict[int, tuple[str, bytes]] = {}
        self._renewed = 0.0

    def take(self, wanted: Sequence[tuple[int, str]]) -> set[int]:
        """Take a slot for each (holder, key) that can have one; return the holders that got theirs.

        Raises:
            StateError: the store is away; nothing is taken, or is lost by its TTL.
        """
        names = {key: [self._name(key, number) for number in range(self._limit)] for _, key in wanted}
        candidates = [name for group in names.values() for name in group]
        values = self._store.get(candidates) if self._limit > 1 else [None] * len(candidates)
        free = {name for name, value in zip(candidates, values, strict=True) if value is None}
        untried = {key: [name for name in reversed(group) if name in free] for key, group in names.items()}
        got: set[int] = set()
        left = list(wanted)
        while left:
            offers = {holder: untried[key].pop() for holder, key in left if untried[key]}
            if not offers:
                break
            marks = {name: f"{self._owner}:{next(self._serial)}".encode() for name in offers.values()}
            added = self._store.add(marks, _TTL)
            with self._lock:
                for holder, name in offers.items():
                    if name in added:
                        self._held[holder] = (name, marks[name])
                        got.add(holder)
            left = [(holder, key) for holder, key in left if holder in offers and holder not in got]
        return got

    def free(self, holders: Sequence[int]) -> None:
        """Give slots up; holders without one are left alone.

        Raises:
            StateError: the store is away; to be tried again.
        """
        with self._lock:
            slots = dict(self._held[holder] for holder in holders if holder in self._held)
            if slots:
                self._store.touch(slots, _AT_ONCE)
            for holder in holders:
                self._held.pop(holder, None)

    def renew(self, now: float) -> None:
        """Keep what is held, if a second has gone since the last time.

        Raises:
            StateError: the store is away.
        """
        if now - self._renewed < _RENEW_EVERY:
            return
        # Locked during the I/O: a slot must not be renewed after it was given up.
        with self._lock:
            held = dict(self._held.values())
            lost = held.keys() - self._store.touch(held, _TTL) if held else set()
            self._held = {holder: slot for holder, slot in self._held.items() if slot[0] not in lost}
        self._renewed = now
        if lost:
            self._logger.warning("%d slots of running tasks ran out: other consumers may run their keys", len(lost))

    def close(self) -> None:
        """Give all slots up.

        Raises:
            StateError: the store is away; they run out by themselves.
        """
        self.free(list(self._held))

    def _name(self, key: str, number: int) -> str:
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        return f"{self._prefix}:{digest}:{number}"
