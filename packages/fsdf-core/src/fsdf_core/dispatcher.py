"""The consumer's one loop: fetch as many messages as can start soon, admit them, hand them to the pool."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fsdf_core.backoff import Backoff
from fsdf_core.control import UNLIMITED, overriding
from fsdf_core.intake import AdmissionFailed
from fsdf_core.message import Message
from fsdf_core.prefetch import Prefetch
from fsdf_core.verdict import Release

if TYPE_CHECKING:
    import logging
    from collections import deque
    from collections.abc import Callable, Sequence

    from fsdf_core.broker import Delivery, Subscription
    from fsdf_core.control import Control
    from fsdf_core.intake import Intake
    from fsdf_core.pool import Pool
    from fsdf_core.ready import Ready
    from fsdf_core.settler import Settler

_RECEIVE_TIMEOUT = 1.0
_CREDIT_TIMEOUT = 0.05

_SHARE = 250
"""Fewest messages to ask for ahead."""


class Dispatcher:
    """Owns the thread `fsdf-dispatch-<queue>`, which keeps the process alive until the consumer stops.

    Args:
        subscription: where messages come from.
        intake: sorts them.
        pool: runs them.
        begin: called with the number of messages that were made ready; makes the pool run them.
        ready: messages handed over and not yet started.
        settler: takes what is not run, counts what is finished.
        controls: those that give credit.
        stopping: set when the consumer stops.
        take_back: gives what is ready and not started back to the queue.
        batch: most messages that one worker runs at once.
        horizon: seconds of work to fetch ahead.
        logger: where trouble is logged.
        name: the queue's name.
    """

    def __init__(
        self,
        *,
        subscription: Subscription,
        intake: Intake,
        pool: Pool,
        begin: Callable[[int], None],
        ready: deque[Ready],
        settler: Settler,
        controls: Sequence[Control],
        stopping: threading.Event,
        take_back: Callable[[], None],
        batch: int,
        horizon: float,
        logger: logging.Logger,
        name: str,
    ) -> None:
        self.fetched = 0
        """Messages taken from the broker; written by the dispatcher's thread only."""
        self.turns = 0
        """Grows while the thread moves, whatever it achieves."""
        self.wanted: Callable[[], int] = lambda: 0
        """How many messages busy workers can take, beyond what free ones can."""
        self._subscription = subscription
        self._intake = intake
        self._pool = pool
        self._begin = begin
        self._ready = ready
        self._settler = settler
        self._credit = overriding(controls, "credit")
        self._next_credit = [limit.__self__.next_credit for limit in self._credit]
        self._spend = [limit.__self__.spend for limit in self._credit]
        self._stopping = stopping
        self._take_back = take_back
        self._batch = batch
        self._unlimited = True
        self._logger = logger
        self._prefetch = Prefetch(time.monotonic(), horizon)
        self._asked = 0
        self._hungry = False
        self._fed = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"fsdf-dispatch-{name}", daemon=False)
        self.start = self.thread.start

    def feed(self) -> None:
        """Say that messages were finished; called by the settler."""
        if self._hungry:
            self._fed.set()

    def wake(self) -> None:
        """End every wait of the dispatcher, to look at `stopping` and at the credit anew."""
        self._fed.set()
        self._subscription.interrupt()

    def join(self, timeout: float) -> bool:
        """Wait for the thread; True if it has ended."""
        if self.thread is not threading.current_thread():
            self.thread.join(timeout)
        return not self.thread.is_alive()

    def _run(self) -> None:
        backoff = Backoff()
        trouble = ""
        while not self._stopping.is_set():
            self.turns += 1
            try:
                if trouble:
                    self._subscription.reconnect()
                while not self._stopping.is_set():
                    self._turn()
                    if trouble:
                        self._logger.info("consuming again")
                        trouble = ""
                        backoff.reset()
            except Exception as error:
                description = f"{type(error).__name__}: {error}"
                if description != trouble:
                    self._logger.warning("cannot receive, trying on: %s", description)
                    self._logger.debug("receiving failed", exc_info=error)
                    trouble = description
                self._stopping.wait(backoff.next())

    def _turn(self) -> None:
        self.turns += 1
        room = self._room()
        if not room:
            return
        deliveries = self._receive(room)
        if not deliveries:
            return
        self.fetched += len(deliveries)
        if self._credit:
            deliveries = self._still_allowed(deliveries)
        try:
            admitted, refused = self._intake.sort(deliveries)
        except AdmissionFailed as error:
            self._settler.settle_many(error.messages)
            raise
        if refused:
            self._settler.settle_many(refused)
        if admitted:
            for spend in self._spend:
                spend(len(admitted), time.monotonic())
            self._ready.extend(admitted)
            self._begin(len(admitted))

    def _receive(self, room: int) -> list[Delivery]:
        """Fetch messages; where the broker can, the next ones are on their way meanwhile."""
        subscription = self._subscription
        ahead = subscription.asks_ahead and self._unlimited
        limit = room
        if ahead and not self._asked and room >= 2 * _SHARE:
            limit -= room // 2
        self._asked = 0
        deliveries = subscription.receive(limit, _RECEIVE_TIMEOUT)
        rest = room - len(deliveries)
        if ahead and deliveries and rest >= _SHARE:
            self._asked = subscription.ask_ahead(rest)
        return deliveries

    def _still_allowed(self, deliveries: list[Delivery]) -> list[Delivery]:
        """Give back what may not start any more: a pause or a window's end came while messages were waited for."""
        credit = self._current_credit(time.monotonic())
        if credit >= len(deliveries):
            return deliveries
        allowed = max(0, int(credit))
        for delivery in deliveries[allowed:]:
            message = Message({}, {}, delivery)
            message.settlement = Release()
            self._settler.settle(message)
        return deliveries[:allowed]

    def _current_credit(self, now: float) -> float:
        credit = UNLIMITED
        for limit in self._credit:
            credit = min(credit, limit(now))
        return credit

    def _wait_for_credit(self, now: float) -> float:
        """Return the seconds until the controls that give no credit now may give some."""
        closed = (wait(now) for limit, wait in zip(self._credit, self._next_credit, strict=True) if limit(now) < 1)
        return max(closed, default=0.0)

    def _room(self) -> int:
        """Return how many messages to fetch, waiting a moment if there is room for none."""
        now = time.monotonic()
        if self._asked:
            return max(self._asked, self._space(now)[0])
        credit = self._current_credit(now)
        if credit < 1:
            if self._unlimited:
                # A gate has closed: what was fetched ahead of it must not start.
                self._unlimited = False
                self._take_back()
            self._fed.wait(min(_RECEIVE_TIMEOUT, self._wait_for_credit(now)))
            self._fed.clear()
            return 0
        self._unlimited = credit == UNLIMITED
        self._hungry = True
        try:
            room, enough = self._space(now)
            if min(room, credit) < min(enough, credit):
                self._fed.wait(_CREDIT_TIMEOUT)
                self._fed.clear()
                return 0
        finally:
            self._hungry = False
        return int(min(room, credit))

    def _space(self, now: float) -> tuple[int, int]:
        """Return (messages that fit, fewest worth a round trip).

        Under a rate limit nothing is fetched ahead: the limit itself says what can start.
        """
        finished = self._settler.finished
        ahead = self._prefetch.ahead(now, finished) if self._unlimited else 0
        workers = self._pool.max_workers * self._batch
        takers = self._pool.free_slots() * self._batch + self.wanted()
        room = min(workers + ahead - (self.fetched - finished), takers + ahead)
        return max(0, room), (1 if ahead <= workers else ahead // 2)
