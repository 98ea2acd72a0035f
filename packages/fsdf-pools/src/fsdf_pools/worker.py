"""What a worker thread does: take, run, repeat; park when there is nothing; end when told."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from fsdf_pools.log import LOGGER, log_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.call import Item
    from fsdf_pools.crew import Crew

_NO_ITEM: Item = (int, ())


class Member:
    """One worker's own record; only its thread writes `taken`, so no count is ever lost."""

    __slots__ = ("baton", "taken", "thread")

    def __init__(self) -> None:
        self.taken = 0
        self.thread: threading.Thread | None = None
        self.renew_baton()

    def renew_baton(self) -> None:
        """Hold a fresh lock; the worker sleeps on it until somebody releases it."""
        self.baton = threading.Lock()
        self.baton.acquire()


def work(crew: Crew, member: Member) -> None:
    """Serve the crew until it lets this worker leave. The target of the worker's thread.

    Args:
        crew: The crew.
        member: The worker's record.
    """
    take = crew.room.take if crew.room else crew.items.popleft
    while True:
        try:
            while True:
                _run_what_waits(crew, member, take)
                if not _park(crew, member):
                    return
        except BaseException:  # noqa: BLE001 - a broken log handler, an exception injected from outside
            crew.recover(member)
            with contextlib.suppress(Exception):
                LOGGER.exception("a worker was disturbed between two calls and goes on")


def run_item(item: Item) -> None:
    """Run a call in this thread, which is no worker: Ctrl-C passes through.

    Args:
        item: The call.
    """
    fn, args = item
    try:
        fn(*args)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 - as in a worker
        log_failure(fn)


def _run_what_waits(crew: Crew, member: Member, take: Callable[[], Item]) -> None:
    fresh = True
    fn, args = _NO_ITEM
    while crew.calm:
        try:
            fn, args = take()
        except IndexError:
            break
        member.taken += 1
        if fresh:
            fresh = False
            # From here on, producers wake others themselves; what they added until now is ours to tell.
            crew.waking = False
            if crew.items:
                crew.rouse()
        try:
            fn(*args)
        except BaseException:  # noqa: BLE001 - not even SystemExit may cost the pool a worker
            log_failure(fn)
    # A traceback in a Future may hold this frame: it must not hold the Future in turn.
    del fn, args


def _park(crew: Crew, member: Member) -> bool:
    """Sleep until woken.

    Returns:
        False if the worker has left the crew.
    """
    baton = member.baton
    crew.settle()
    crew.parked.append(baton)
    if crew.bell:
        crew.bell.set()
    idle = False
    if not crew.items and crew.calm and not crew.closed:
        if baton.acquire(timeout=crew.patience()):
            return True
        idle = True
    try:
        crew.parked.remove(baton)
    except ValueError:
        # Somebody has taken the baton to wake this worker and releases it any moment.
        while not baton.acquire(timeout=1.0):
            pass
        return True
    return not crew.leave(member, idle=idle)
