"""What the registry looks after: the inside of a pool, at the interpreter's exit and in forked children."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading


class Tenant(Protocol):
    """Work that must end before the interpreter does, and that a forked child does not inherit."""

    bell: threading.Event | None
    """Rung when it may have become quiet, if there is one."""

    def quiet(self) -> bool:
        """Whether nothing is left that could still run."""
        ...

    def taken(self) -> int:
        """A number that changes whenever work was taken."""
        ...

    def lend_hand(self) -> None:
        """Run what nobody else will."""
        ...

    def at_exit(self) -> None:
        """Accept nothing more and wait a few seconds at most: what was to be waited for has been, or Ctrl-C came."""
        ...

    def after_fork(self) -> None:
        """Begin anew, in the child."""
        ...
