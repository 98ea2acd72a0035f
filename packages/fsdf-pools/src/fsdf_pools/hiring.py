"""Starting threads for a crew: one at once where that is clearly right, else a grower that watches."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from fsdf_pools.errors import NoThreadError
from fsdf_pools.grower import grow
from fsdf_pools.log import LOGGER
from fsdf_pools.starting import start
from fsdf_pools.worker import Member, work

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_pools.crew import Crew

# Workers that took nothing for this long (seconds) are in slow calls: one more starts at once.
_STUCK = 0.001


class Hiring:
    """Decides when a crew gets a thread. All decisions are made under the crew's lock.

    Args:
        crew: The crew.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self.grower: threading.Thread | None = None
        self._growing = False
        self._number = 0
        self._refused = False
        self._told_refusal = False
        self._expected = 0
        self._since = time.monotonic()

    def press(self) -> None:
        """Work waits and nobody is parked: start a worker now, or a grower.

        Raises:
            NoThreadError: There is no worker, and the first one was refused.
        """
        crew = self._crew
        with crew.lock:
            count = len(crew.members)
            if count >= crew.max_workers:
                crew.may_grow = False
            elif not count:
                self._start_first()
            elif self._stuck() and self._start_worker():
                self._begin_count()
            elif self._growing or self._start_grower():
                crew.may_grow = False

    def _start_first(self) -> None:
        if self._start_worker():
            self._begin_count()
            return
        if self._crew.bell is None:
            msg = "the operating system refused a thread, and the pool has no other"
            raise NoThreadError(msg)
        # The interpreter is exiting, and whoever waits for the crew lends a hand.
        self._crew.bell.set()

    def _stuck(self) -> bool:
        now, taken = time.monotonic(), self._crew.taken()
        stuck = taken == self._expected and now - self._since >= _STUCK and not self._crew.waking
        self._expected = taken
        if not stuck:
            self._since = now
        return stuck

    def enlarge(self, count: int) -> None:
        """Start up to `count` workers, as long as work waits and nobody is free.

        Args:
            count: How many at most.
        """
        crew = self._crew
        for _ in range(count):
            with crew.lock:
                if not crew.items or crew.parked or len(crew.members) >= crew.max_workers:
                    break
                if not self._start_worker():
                    break
        with crew.lock:
            self._begin_count()

    def relax(self) -> None:
        """Let producers ask for a worker again while the grower has nothing to do."""
        with self._crew.lock:
            self._crew.recount()

    def dismiss_grower(self) -> bool:
        """Let the grower end, unless work waits that only a new worker can do.

        Returns:
            True if the grower must end.
        """
        crew = self._crew
        with crew.lock:
            crew.recount()
            self._growing = bool(crew.may_grow and crew.items and not crew.parked)
            return not self._growing

    def retry(self) -> None:
        """After a refusal: a worker found the queue empty, so the next pressure may ask again."""
        if self._refused:
            self._refused = False
            self._crew.may_grow = True

    def _start_worker(self) -> bool:
        crew, member = self._crew, Member()
        self._number += 1
        crew.members.add(member)
        crew.waking = True
        member.thread = self._thread(work, (crew, member), str(self._number))
        if not self._started(member.thread, start):
            crew.members.discard(member)
            crew.waking = False
            crew.may_grow = not crew.members
            return False
        return True

    def _begin_count(self) -> None:
        self._expected = self._crew.taken()
        self._since = time.monotonic()

    def _start_grower(self) -> bool:
        self.grower = self._thread(grow, (self._crew, self), "grower")
        self._growing = self._started(self.grower, threading.Thread.start)
        return self._growing

    def _thread(self, target: Callable[..., None], args: tuple[Any, ...], suffix: str) -> threading.Thread:
        return threading.Thread(target=target, args=args, name=f"{self._crew.name}-{suffix}", daemon=True)

    def _started(self, thread: threading.Thread, start: Callable[[threading.Thread], None]) -> bool:
        try:
            start(thread)
        except RuntimeError as error:
            # Until some worker finds the queue empty, asking again is of no use.
            self._refused = True
            self._crew.may_grow = False
            # An exiting interpreter that refuses is no news.
            if not self._told_refusal and self._crew.bell is None:
                self._told_refusal = True
                LOGGER.warning("%s goes on with fewer workers than it wants: %s", self._crew.name, error)
            return False
        return True
