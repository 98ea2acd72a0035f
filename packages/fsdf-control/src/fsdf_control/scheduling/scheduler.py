"""Publishes what is due, in one of all the processes that could."""

from __future__ import annotations

import logging
import threading
import uuid
from typing import TYPE_CHECKING

from fsdf_core.clock import SYSTEM_CLOCK
from fsdf_core.run import new_consumer_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_control.scheduling.book import ScheduleBook
    from fsdf_control.scheduling.schedule import Schedule
    from fsdf_core.clock import Clock

_logger = logging.getLogger("fsdf.schedules")
_NAMESPACE = uuid.UUID("6f1f4f4c-40f7-4f0e-9d0a-5d6c1c1f7f0e")
_LEASE = 3.5
_LOOK_EVERY = 1.0
_TICK_KEPT = 3600.0
_PENDING, _DONE = b"pending", b"done"


class Scheduler:
    """A thread `fsdf-schedule-<namespace>` that publishes the schedules of a book while it holds the book's lease.

    Any number of processes may run one: the lease (3.5 s, renewed each second) lets one of them work; when it
    dies, another takes over within 5 s. Each time of a schedule is marked in the store before and after it is
    published, so that a scheduler which lost its lease without knowing publishes nothing twice. If a process
    dies between publishing and the second mark, the next one publishes the time again, with the same task id:
    that is the one way to see it twice.

    Args:
        book: the schedules.
        publish: called with a schedule and a task id; returns once the broker has accepted the message.
        clock: the time.
        lease: seconds; default 3.5.

    Example:
        >>> from fsdf_control.scheduling import Schedule, ScheduleBook, Trigger
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> from fsdf_core.testing.clock import ManualClock
        >>> clock = ManualClock(1000.0)
        >>> book = ScheduleBook(MemoryStateStore(clock))
        >>> _ = book.add(Schedule("beat", "hearts", Trigger.of("interval", "UTC", seconds=60)), clock.time())
        >>> scheduler = Scheduler(book, lambda schedule, task_id: print(schedule.id), clock=clock)
        >>> scheduler.turn() <= 1.0  # seconds until the next look
        True
    """

    def __init__(
        self,
        book: ScheduleBook,
        publish: Callable[[Schedule, str], object],
        *,
        clock: Clock = SYSTEM_CLOCK,
        lease: float = _LEASE,
    ) -> None:
        self.book = book
        self._publish = publish
        self._clock = clock
        self._lease = lease
        self._lease_name = f"fsdf:schedules:{book.namespace}:lease"
        self._owner = new_consumer_id()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._paused = False
        self._version: bytes | None = None
        self._schedules: dict[str, Schedule] = {}
        self._times: dict[str, float] = {}
        self._looked = False
        self._leads = False
        self._failing: set[str] = set()

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._thread is not None

    @property
    def leads(self) -> bool:
        """Whether it held the lease at its last look."""
        return self._leads

    def start(self, *, paused: bool = False) -> None:
        """Begin to publish what is due; return at once. Does nothing if it runs.

        The thread ends with the process, it does not keep it alive.

        Args:
            paused: wait for `resume`.
        """
        with self._lock:
            if self._thread is not None:
                return
            self._paused = paused
            self._ended.clear()
            name = f"fsdf-schedule-{self.book.namespace}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Publish no more; let another process take over at once.

        Args:
            timeout: seconds to wait for what is just being published.
        """
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._ended.set()
            self.book.store.notify(self.book.changed)
            thread.join(timeout)
            if not thread.is_alive():
                self._give_up()

    def pause(self) -> None:
        """Publish nothing from this process until `resume`; others take over."""
        self._paused = True

    def resume(self) -> None:
        """End the pause."""
        self._paused = False
        self.book.store.notify(self.book.changed)

    def turn(self) -> float:
        """Take or keep the lease, publish what is due; return the seconds until the next look is worth while."""
        if self._paused:
            if self._leads:
                self._give_up()
            return _LOOK_EVERY
        leads = self.book.store.acquire(self._lease_name, self._owner, self._lease) is not None
        if leads != self._leads:
            self._leads = leads
            self._looked = False
            _logger.info("this process %s the schedules", "runs" if leads else "no longer runs")
        if not leads:
            return _LOOK_EVERY
        self._read()
        now = self._clock.time()
        due = sorted((when, name) for name, when in self._due_times() if when <= now)
        for _, name in due:
            if not self._fire(self._schedules[name], now):
                return 0.0  # the lease was lost meanwhile: somebody else goes on
        ahead = [when - self._clock.time() for name, when in self._due_times() if name not in self._failing]
        return max(0.0, min([_LOOK_EVERY, *ahead]))

    def _due_times(self) -> list[tuple[str, float]]:
        return [
            (name, schedule.due_at(self._times[name]))
            for name, schedule in self._schedules.items()
            if name in self._times and not schedule.paused
        ]

    def _run(self) -> None:
        trouble = ""
        while not self._ended.is_set():
            try:
                wait = self.turn()
                if trouble:
                    trouble = ""
                    _logger.info("schedules run again")
            except Exception as error:  # noqa: BLE001 - whatever it is, the schedules go on
                wait = _LOOK_EVERY
                self._looked = False
                if str(error) != trouble:
                    trouble = str(error)
                    _logger.warning("schedules cannot run now, trying on: %s: %s", type(error).__name__, error)
            if wait > 0:
                self._ended.wait(wait)

    def _read(self) -> None:
        version = self.book.version()
        if self._looked and version == self._version:
            return
        self._schedules = self.book.all()
        self._times = self.book.next_times()
        self._version = version
        self._looked = True

    def _fire(self, schedule: Schedule, now: float) -> bool:
        """Publish what is due of a schedule; False if the lease was lost."""
        moments, following = schedule.to_publish(self._times[schedule.id], now)
        try:
            for moment in moments:
                if not self._publish_once(schedule, moment):
                    return False
        except Exception as error:  # noqa: BLE001 - one that fails must not keep the others
            # Its time stays: it is tried again at the next look.
            if schedule.id not in self._failing:
                self._failing.add(schedule.id)
                _logger.error(  # noqa: TRY400 - once, and said again by nobody
                    "schedule %s cannot be published, trying on: %s: %s", schedule.id, type(error).__name__, error
                )
            return True
        self._failing.discard(schedule.id)
        self._advance(schedule, following)
        return True

    def _advance(self, schedule: Schedule, following: float | None) -> None:
        if self.book.version() != self._version:
            self._looked = False
            if self.book.all().get(schedule.id) != schedule:
                return  # replaced or removed meanwhile: its time is not this one's
        self.book.advance({schedule.id: following})
        if following is None:
            self._times.pop(schedule.id, None)
            self._schedules.pop(schedule.id, None)
        else:
            self._times[schedule.id] = following

    def _publish_once(self, schedule: Schedule, moment: float) -> bool:
        """Publish one time, unless somebody has; False if the lease was lost."""
        store = self.book.store
        mark = f"fsdf:tick:{self.book.namespace}:{schedule.id}:{moment!r}"
        if not store.add({mark: _PENDING}, _TICK_KEPT) and store.get([mark])[0] == _DONE:
            return True
        # After the mark: a process that stood still here finds that another one has gone on.
        if store.acquire(self._lease_name, self._owner, self._lease) is None:
            return False
        self._publish(schedule, str(uuid.uuid5(_NAMESPACE, mark)))
        store.set({mark: _DONE}, _TICK_KEPT)
        return True

    def _give_up(self) -> None:
        self._leads = self._looked = False
        try:
            self.book.store.release(self._lease_name, self._owner)
        except Exception as error:  # noqa: BLE001 - it ends by itself, a little later
            _logger.debug("the lease of the schedules is left to end: %s", error)
