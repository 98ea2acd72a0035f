"""Leaving the interpreter: every pool first finishes what it was given."""

from __future__ import annotations

import atexit
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.tenant import Tenant

# Ctrl-C is seen between two waits only, on Windows; and a missed bell costs no more than this.
_PIECE = 0.1


class Leave:
    """Waits for the crews when the main thread has ended, and again at the very end.

    The first wait is when threads can still be started and other executors still work; Python
    3.12 and later refuse both afterwards. The second is for what non-daemon threads submitted
    meanwhile.

    Args:
        crews: Tells the crews that are alive.
    """

    def __init__(self, crews: Callable[[], list[Tenant]]) -> None:
        self._crews = crews
        self._interrupted = False

    def wait(self) -> None:
        """Wait until all crews are quiet; Ctrl-C ends the wait for good."""
        if self._interrupted:
            return
        try:
            self._wait()
        except BaseException:
            self._interrupted = True
            raise

    def close(self) -> None:
        """Wait a last time, then let no pool accept anything more: nobody would run it."""
        try:
            self.wait()
        finally:
            for crew in self._crews():
                crew.at_exit()

    def _wait(self) -> None:
        bell = threading.Event()
        quiet_at = -1
        while True:
            bell.clear()
            crews = self._crews()
            for crew in crews:
                crew.bell = bell
                crew.lend_hand()
            if not all(crew.quiet() for crew in crews):
                quiet_at = -1
                bell.wait(_PIECE)
                continue
            # One crew's call may have fed another that had been looked at: only two looks in a row
            # between which nothing was taken show that all of them are quiet.
            taken = sum(crew.taken() for crew in crews)
            if taken == quiet_at:
                return
            quiet_at = taken


def install(crews: Callable[[], list[Tenant]]) -> None:
    """Arrange for the waits. Called with the first pool.

    Args:
        crews: Tells the crews that are alive.
    """
    leave = Leave(crews)
    atexit.register(leave.close)
    register = getattr(threading, "_register_atexit", None)
    if register is None:
        return
    # These hooks run in reverse order: the executors of the standard library close after ours have
    # finished, so that the calls that wait here may use them.
    import concurrent.futures.thread  # noqa: F401, PLC0415

    try:
        register(leave.wait)
    except RuntimeError:
        # The interpreter is exiting already; the second wait remains.
        return
