"""The state that a pool shares with its workers.

Workers hold the crew and never the pool, so a pool that nobody holds any more can be collected.
What keeps it correct without a lock per task: whoever adds work does so *before* looking for a
parked worker, and a worker parks *before* looking for work, so one of the two sees the other.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from fsdf_pools.errors import NoThreadError
from fsdf_pools.hiring import Hiring
from fsdf_pools.room import Room
from fsdf_pools.starting import await_begin
from fsdf_pools.worker import run_item

if TYPE_CHECKING:
    from fsdf_pools.call import Item
    from fsdf_pools.worker import Member

# A worker of the minimum has nothing to time out for; it still looks around now and then.
_CORE_WAIT = 60.0


class Crew:
    """Queue, workers and numbers of one pool. Internal: the pool is the interface.

    Args:
        max_workers: The most workers.
        min_workers: So many stay when idle, once started.
        keep_alive: Seconds until an idle worker above the minimum ends.
        queue_size: The bound of the queue, 0 for none.
        name: What the names of the threads begin with.
    """

    def __init__(self, max_workers: int, min_workers: int, keep_alive: float, queue_size: int, name: str) -> None:
        self.max_workers = max_workers
        self.min_workers = min_workers
        self.keep_alive = min(keep_alive, threading.TIMEOUT_MAX)
        self.name = name
        self.items: deque[Item] = deque()
        # The idle workers' locks; the last to park is woken first, so that the others can time out.
        self.parked: list[threading.Lock] = []
        self.members: set[Member] = set()
        self._leaving: list[threading.Thread] = []
        self.room = Room(self.items, queue_size) if queue_size else None
        # True where adding work needs more than an append.
        self.gated = bool(queue_size)
        self.closed = False
        # Set when a worker parks or leaves, for whoever waits until all is quiet.
        self.bell: threading.Event | None = None
        self._reset()

    def _reset(self) -> None:
        # Reentrant: a signal handler or a finalizer may use the pool inside any of these sections.
        self.lock = threading.RLock()
        # False while surplus workers are to end.
        self.calm = len(self.members) <= self.max_workers
        # A worker was woken or started and did not look at the queue yet; it will wake the next one.
        self.waking = False
        # Whoever adds work that nobody is free for must ask for a worker.
        self.may_grow = True
        self._left_taken = 0
        self.hiring = Hiring(self)

    def after_fork(self) -> None:
        """Become a crew of the forked child: its only possible worker is the forking thread."""
        here = threading.current_thread()
        self.items.clear()
        self.parked.clear()
        self._leaving.clear()
        self.members = {member for member in self.members if member.thread is here}
        self.bell = None
        if self.room:
            self.room.reset()
        self._reset()

    # -- adding work -----------------------------------------------------------------------------

    def summon(self, item: Item) -> None:
        """See to it that a worker looks at the queue, to which `item` was just added.

        Args:
            item: Is taken out again if there is no worker and none can be started.

        Raises:
            NoThreadError: There is no worker and none can be started.
        """
        try:
            self.rouse()
        except NoThreadError:
            for _ in range(len(self.items)):
                other = self.items.popleft()
                if other is not item:
                    self.items.append(other)
            raise

    def rouse(self) -> None:
        """Wake one parked worker; if none is parked, see whether more are needed."""
        try:
            baton = self.parked.pop()
        except IndexError:
            if self.may_grow:
                self.hiring.press()
        else:
            # Before the release: the woken worker takes it back.
            self.waking = True
            baton.release()

    # -- workers come and go ---------------------------------------------------------------------

    def settle(self) -> None:
        """Note that a worker found the queue empty."""
        self.waking = False
        self.hiring.retry()

    def leave(self, member: Member, *, idle: bool) -> bool:
        """Let a worker that is not parked leave, if it should.

        Args:
            member: The worker.
            idle: It had nothing to do for the whole keep-alive time.

        Returns:
            True if it left and must end, False if it must go on.
        """
        with self.lock:
            surplus = len(self.members) > self.max_workers
            dispensable = self.closed or (idle and len(self.members) > self.min_workers)
            if not surplus and (self.items or not dispensable):
                self.recount()
                return False
            self.members.discard(member)
            self.recount()
            if not surplus and self.items:
                # Added since the look above, by someone who counted on this worker.
                self.members.add(member)
                self.recount()
                return False
            self._left_taken += member.taken or 1
            if self.closed and member.thread:
                self._leaving.append(member.thread)
        self.settle()
        if self.items:
            self.rouse()
        if self.bell:
            self.bell.set()
        return True

    def recover(self, member: Member) -> None:
        """Take a worker back whose loop was broken by an exception from outside.

        Args:
            member: The worker.
        """
        with self.lock:
            self.members.add(member)
            if member.baton in self.parked:
                self.parked.remove(member.baton)
            member.renew_baton()

    def recount(self) -> None:
        """Set the flags that depend on the number of workers. The lock is held."""
        count = len(self.members)
        self.calm = count <= self.max_workers
        # Also while a grower is at work: it only multiplies workers, and this may have been the last.
        self.may_grow = count < self.max_workers

    def resize(self, max_workers: int) -> None:
        """Change the most workers; surplus ones end after their current call.

        Args:
            max_workers: The new number.
        """
        with self.lock:
            self.max_workers = max_workers
            self.recount()
            surplus = len(self.members) - max_workers
        self._wake(surplus)
        if self.items:
            self.rouse()

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Accept nothing more, and let workers end when nothing is queued. Takes no lock of the crew."""
        self.closed = self.gated = True
        self._wake(len(self.members))

    def at_exit(self) -> None:
        """Close: the threads are daemons, the interpreter does not wait for them."""
        self.close()

    def _wake(self, count: int) -> None:
        for _ in range(count):
            try:
                baton = self.parked.pop()
            except IndexError:
                return
            self.waking = True
            baton.release()

    def join(self, timeout: float | None) -> bool:
        """Wait until all threads but the calling one have ended.

        Args:
            timeout: Seconds, None for no limit.

        Returns:
            True if no worker is left.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        here = threading.current_thread()
        while True:
            threads = self._threads()
            left = 1.0 if deadline is None else min(1.0, deadline - time.monotonic())
            for thread in threads:
                # Until it has begun it does not seem to be alive.
                await_begin(thread, left)
            others = [each for each in threads if each is not here and each.is_alive()]
            if left <= 0 or (not others and self._threads() <= threads):
                return not self.members
            if others:
                others[0].join(left)

    def _threads(self) -> set[threading.Thread]:
        """Return those that were started and may still run; one of them may be starting another."""
        with self.lock:
            working = [member.thread for member in self.members if member.thread]
            grower = self.hiring.grower
            return {*self._leaving, *working, *([grower] if grower and grower.ident else [])}

    def lend_hand(self) -> None:
        """Run here what waits for a worker that an exiting interpreter refused to start."""
        while self.items and not self.members:
            try:
                item = self.items.popleft()
            except IndexError:
                return
            run_item(item)

    # -- numbers ---------------------------------------------------------------------------------

    def taken(self) -> int:
        """How many items the workers have taken since the start; a new worker's first one counts at once."""
        with self.lock:
            return self._left_taken + sum(member.taken or 1 for member in self.members)

    def quiet(self) -> bool:
        """Whether nothing is queued and nothing runs."""
        with self.lock:
            return not self.items and len(self.parked) >= len(self.members)

    def patience(self) -> float:
        """Seconds that a worker that parks now stays without work."""
        if len(self.members) > self.min_workers:
            return self.keep_alive
        return max(self.keep_alive, _CORE_WAIT)
