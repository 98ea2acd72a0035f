"""The states of a circuit breaker and the ways between them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from fsdf_core.control import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Hashable

    from fsdf_control.failure_window import FailureWindow


class State(Enum):
    """Closed: all calls run. Open: none does. Half-open: a few run, as probes."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Circuit:
    """A circuit breaker's state machine; used under its owner's lock, with monotonic times.

    Source: M. Nygard, "Release It!", 2nd edition, section 5.2.

    Args:
        window: says when failures are too many.
        recovery_timeout: seconds from open to half-open.
        probes: how many probes must succeed to close it; at most so many are out at once.
    """

    def __init__(self, window: FailureWindow, recovery_timeout: float, probes: int) -> None:
        self.state = State.CLOSED
        self.window = window
        self._recovery_timeout = recovery_timeout
        self._wanted = probes
        self._succeeded = 0
        self._probes: set[Hashable] = set()
        self.recovers_at = 0.0
        """When an open circuit becomes half-open."""

    def is_in(self, state: State) -> bool:
        """Whether that is its state."""
        return self.state is state

    def open(self, now: float) -> None:
        """Open it for the recovery timeout."""
        self.state = State.OPEN
        self.recovers_at = now + self._recovery_timeout
        self._probes.clear()
        self.window.clear()

    def half_open(self) -> None:
        """Let probes through."""
        self.state = State.HALF_OPEN
        self._succeeded = 0
        self._probes.clear()

    def free_probes(self) -> int:
        """Return how many more probes may start."""
        return max(0, self._wanted - self._succeeded - len(self._probes))

    def free_starts(self) -> float:
        """Return how many calls may start: all, none, or the free probes."""
        if self.state is State.CLOSED:
            return UNLIMITED
        return self.free_probes() if self.state is State.HALF_OPEN else 0

    def take_probe(self, call: Hashable) -> bool:
        """Make the call a probe if one is free."""
        if self.state is not State.HALF_OPEN or not self.free_probes():
            return False
        self._probes.add(call)
        return True

    def is_probe(self, call: Hashable) -> bool:
        """Whether the call is a probe that has not reported."""
        return call in self._probes

    def give_back(self, call: Hashable) -> bool:
        """Another call may be a probe instead; False if it was none."""
        if call not in self._probes:
            return False
        self._probes.discard(call)
        return True

    def success(self, call: Hashable, now: float) -> bool:
        """Count a call that returned; True if that closes the circuit."""
        if self.state is State.CLOSED:
            self.window.success(now)
        elif self.give_back(call):
            self._succeeded += 1
            if self._succeeded >= self._wanted:
                self.state = State.CLOSED
                self._probes.clear()
                return True
        return False

    def failure(self, call: Hashable, now: float) -> bool:
        """Count a call that failed; True if that opens the circuit."""
        failed = self.window.failure(now) if self.state is State.CLOSED else self.give_back(call)
        if failed:
            self.open(now)
        return failed
