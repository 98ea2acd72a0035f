"""Tell the roster that a consumer works, and obey what is ordered there."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from fsdf_control.rate_limit import RateLimit
from fsdf_core.control import UNLIMITED, Control
from fsdf_core.roster import KnownQueue, Roster, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsdf_control.statistics import Statistics
    from fsdf_core.host import Host
    from fsdf_core.orders import Pace
    from fsdf_core.state import StateStore

EVERY = 1.5
"""Seconds between two words to the roster, at least."""

_ANY = 1e9
"""Starts a second that no consumer reaches."""


class Enlist(Control):
    """Tells every 1.5 s what the consumer does, changes its pace as ordered, and stops it when told to.

    While the store is away the consumer goes on, at the pace that was ordered last. A consumer that has no rate
    limit of its own gets one when a rate is ordered.

    Args:
        store: one that whoever looks can see.
        worker: what the consumer is; the control fills in where it runs and what it does.
        queue: what is known of its queue; default: its name.
        statistics: the consumer's counts, if it has that control.
        limit: the consumer's own rate limit, if it has one: it stands in `controls`, too.
        stop: stops the consumer; called in a thread of its own. Default: an order to end is not obeyed.
        resize: whether the pool is the consumer's own, so that its size may be changed; default True.
        memory: returns the process's resident bytes; default: nobody knows.

    Example:
        >>> from fsdf_core.states.memory import MemoryStateStore
        >>> rule = Enlist(MemoryStateStore(), Worker("", "sums", function="app.add"))
        >>> rule.credit(now=0.0)
        inf
    """

    def __init__(
        self,
        store: StateStore,
        worker: Worker,
        queue: KnownQueue | None = None,
        *,
        statistics: Statistics | None = None,
        limit: RateLimit | None = None,
        stop: Callable[[], object] | None = None,
        resize: bool = True,
        memory: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._roster = Roster(store)
        self._queue = queue or KnownQueue(worker.queue, worker.broker_kind, worker.broker_options, worker.function)
        self._worker = worker
        self._statistics = statistics
        self._limit = limit
        self._own_qps = limit.qps if limit is not None else 0.0
        self._stop = stop
        self._resize = resize
        self._memory = memory
        self._host: Host | None = None
        self._own_concurrency = 0
        self._told_at: float | None = None
        self._changed = False
        self._ending = False
        self._ordered: RateLimit | None = None
        self._qps = self._own_qps

    def start(self, host: Host) -> None:
        """Take the ordered pace over, if the store is there; the roster hears of the consumer at the first tick."""
        self._own_concurrency = self._own_concurrency or host.pool.max_workers
        self._told_at = None
        self._ending = False
        self._worker = replace(
            self._worker,
            consumer_id=host.consumer_id,
            host=socket.gethostname(),
            ip=_own_address(),
            pid=os.getpid(),
            process=_process_name(),
            script=_script(),
            started=host.clock.time(),
            beat=0,
        )
        self._host = host
        if self._ordered is not None:
            self._ordered.start(host)
        with contextlib.suppress(Exception):  # the ticks say so, and try again
            self._keep(self._roster.pace(host.queue.name), host)

    def stop(self) -> None:
        """Strike the consumer off; if the store is away, that is seen 10 s later."""
        host, self._host = self._host, None
        if self._ordered is not None:
            self._ordered.stop()
        if host is not None and self._told_at is not None:
            try:
                self._roster.strike_off(host.consumer_id)
            except Exception as error:  # noqa: BLE001 - stop must not raise
                host.logger.warning("cannot sign off from the roster of workers: %s", error)

    def tick(self, now: float) -> None:
        """Tell and listen, if it is time."""
        host, told_at = self._host, self._told_at
        if host is None or (told_at is not None and now - told_at < EVERY and not self._changed):
            return
        self._changed = False
        self._worker = self._now(host)
        if told_at is None:
            self._roster.enlist(self._worker, replace(self._queue, seen=host.clock.time()))
            if self._host is None:
                # The consumer stopped meanwhile, and has found nothing to strike off.
                self._roster.strike_off(host.consumer_id)
                return
        self._told_at = now
        orders = self._roster.report(self._worker)
        self._keep(orders.pace, host)
        if orders.end:
            self._end(host)

    def credit(self, now: float) -> float:
        """What the ordered rate allows, if the consumer has none of its own."""
        ordered = self._ordered
        return UNLIMITED if ordered is None else ordered.credit(now)

    def next_credit(self, now: float) -> float:
        """Seconds until then."""
        ordered = self._ordered
        return 1.0 if ordered is None else ordered.next_credit(now)

    def spend(self, count: int, now: float) -> None:
        """Count starts against the ordered rate."""
        ordered = self._ordered
        if ordered is not None:
            ordered.spend(count, now)

    def _now(self, host: Host) -> Worker:
        counts = self._statistics.snapshot() if self._statistics is not None else None
        size = host.pool.max_workers
        return replace(
            self._worker,
            concurrency=size,
            qps=self._qps,
            running=max(0, size - host.pool.free_slots()),
            succeeded=counts.succeeded if counts else 0,
            failed=counts.failed + counts.dead_letters if counts else 0,
            per_second=round(counts.per_second_10s, 2) if counts else 0.0,
            memory=self._memory(),
            beat=self._worker.beat + 1,
            seen=host.clock.time(),
        )

    def _keep(self, pace: Pace, host: Host) -> None:
        qps = self._own_qps if pace.qps is None else pace.qps
        if qps != self._qps:
            self._qps = qps
            self._set_rate(qps, host)
            self._changed = True
            host.logger.info("%s: %s", host.queue.name, f"{qps:g} starts a second" if qps else "no rate limit")
        wanted = self._own_concurrency if pace.concurrency is None else pace.concurrency
        # A pool with one worker only stays as it is.
        if self._resize and wanted != host.pool.max_workers:
            before = host.pool.max_workers
            host.pool.resize(wanted)
            if host.pool.max_workers != before:
                self._changed = True
                host.logger.info("%s: %d workers instead of %d", host.queue.name, host.pool.max_workers, before)
                host.wake()

    def _set_rate(self, qps: float, host: Host) -> None:
        if self._limit is not None:
            self._limit.qps = qps or _ANY
        elif not qps:
            self._ordered = None
        elif self._ordered is not None:
            self._ordered.qps = qps
        else:
            ordered = RateLimit(qps)
            ordered.start(host)
            self._ordered = ordered
        host.wake()

    def _end(self, host: Host) -> None:
        if self._ending:
            return
        self._ending = True
        if self._stop is None:
            host.logger.warning("%s: somebody wants this consumer to end, but nobody here can stop it", host.queue.name)
            return
        host.logger.info("%s: told to end", host.queue.name)
        # Stopping waits for this thread's tick.
        threading.Thread(target=self._stop, name=f"fsdf-end-{host.queue.name}", daemon=True).start()


def _own_address() -> str:
    """Return the address that other machines would see, or ""; sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # A datagram socket only looks for a route. The address is reserved for documentation (RFC 5737).
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def _process_name() -> str:
    loaded = sys.modules.get("multiprocessing.process")
    return str(loaded.current_process().name) if loaded is not None else "MainProcess"


def _script() -> str:
    main = sys.modules.get("__main__")
    return str(getattr(main, "__file__", None) or (sys.argv[0] if sys.argv else ""))
