"""Which consumers of a queue are alive.

Each member counts beats in its field of a hash. The others see that the number changes; no clock of another host
is ever read. A member whose number has stood still for a while of the watcher's own watching is dead. Time in
which the watcher did not look, because it was stopped or the store was away, counts for one look at most.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from fsdf_core.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.clock import Clock
    from fsdf_core.state import StateStore

_LONGEST_LOOK = 1.0
_NEWCOMERS_PATIENCE = 1.5
_FORGET_AFTER = 3600.0


def presence_key(queue_name: str) -> str:
    """Return the hash that holds the queue's members."""
    return f"fsdf:presence:{queue_name}"


@dataclass(slots=True)
class _Sighting:
    value: bytes
    since: float
    beating: bool


class Presence:
    """One member's beat, and its view of the others.

    A member that joins cannot tell the living from the dead yet: fields that it found and has not seen changing
    are `unproven` for 1.5 s. A field that appears later is alive at once. One thread at a time may call it.

    Args:
        store: where the hash is; one that other processes see, if there are any.
        queue_name: the queue.
        member_id: unique among living and dead members, such as `Host.consumer_id`.
        facts: JSON data that others may read, besides `host`, `pid`, `started` (seconds since the epoch) and
            `beat`; may be changed between ticks.
        dead_after: seconds of watching without a change that mean death; default 2.0, so that a death is noticed
            within 3 s of it, with a tick every half second.
        clock: stamps `started`.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> store = MemoryStateStore()
        >>> first, second = Presence(store, "sums", "a"), Presence(store, "sums", "b")
        >>> first.join(now=0.0); second.join(now=0.0); first.tick(now=0.5)
        >>> sorted(first.living())
        ['a', 'b']
        >>> second.leave(); first.tick(now=1.0)
        >>> sorted(first.living())
        ['a']
    """

    def __init__(
        self,
        store: StateStore,
        queue_name: str,
        member_id: str,
        facts: Mapping[str, Any] | None = None,
        *,
        dead_after: float = 2.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.facts = dict(facts or {})
        self.member_id = member_id
        self._store = store
        self._key = presence_key(queue_name)
        self._dead_after = dead_after
        self._clock = clock
        self._started = clock.time()
        self._beat = 0
        self._watched = 0.0
        self._last_look: float | None = None
        self._sightings: dict[str, _Sighting] = {}

    def join(self, now: float) -> None:
        """Write the own field and look who is there, at the monotonic time `now`."""
        self._started = self._clock.time()
        self._watched = 0.0
        self._last_look = None
        self._sightings = {}
        self.tick(now)

    def tick(self, now: float) -> None:
        """Beat and look; to be called about every 0.5 s with the monotonic time.

        Raises:
            StateError: the store is away; `living` keeps its last answer.
        """
        self._beat += 1
        self._store.hash_set(self._key, {self.member_id: self._field()})
        fields = self._store.hash_get(self._key)
        fields.pop(self.member_id, None)
        first = self._last_look is None
        if self._last_look is not None:
            self._watched += min(now - self._last_look, _LONGEST_LOOK)
        self._last_look = now
        self._sightings = {member: self._sight(member, value, first=first) for member, value in fields.items()}
        self._forget_long_dead()

    def leave(self) -> None:
        """Delete the own field; the others notice at their next tick."""
        self._last_look = None
        self._sightings = {}
        self._store.hash_delete(self._key, [self.member_id])

    def living(self) -> dict[str, dict[str, Any]]:
        """Return the facts of the members known to be alive, the own ones among them."""
        alive = {
            member: _facts(sighting.value)
            for member, sighting in self._sightings.items()
            if sighting.beating and self._stood_still(sighting) < self._dead_after
        }
        return {**alive, self.member_id: _facts(self._field())}

    def unproven(self) -> set[str]:
        """Return the members found at the start of which it is not known yet whether they are alive."""
        return {
            member
            for member, sighting in self._sightings.items()
            if not sighting.beating and self._stood_still(sighting) < _NEWCOMERS_PATIENCE
        }

    def _sight(self, member: str, value: bytes, *, first: bool) -> _Sighting:
        known = self._sightings.get(member)
        if known is None:
            return _Sighting(value, self._watched, beating=not first)
        if known.value != value:
            return _Sighting(value, self._watched, beating=True)
        return known

    def _stood_still(self, sighting: _Sighting) -> float:
        return self._watched - sighting.since

    def _forget_long_dead(self) -> None:
        gone = [member for member, sighting in self._sightings.items() if self._stood_still(sighting) > _FORGET_AFTER]
        if gone:
            self._store.hash_delete(self._key, gone)

    def _field(self) -> bytes:
        own = {"host": socket.gethostname(), "pid": os.getpid(), "started": self._started, "beat": self._beat}
        return orjson.dumps({**self.facts, **own})


def _facts(value: bytes) -> dict[str, Any]:
    """Read a field; one that another version or a stranger wrote in another form tells nothing."""
    try:
        facts = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    return facts if isinstance(facts, dict) else {}
