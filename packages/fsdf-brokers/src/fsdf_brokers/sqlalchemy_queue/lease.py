"""A consumer's lease on what it claimed in a database, and the end of other consumers' leases.

A consumer is dead when nothing outside its process says that it lives: at a server, a lock that its own session
holds, which the server drops with the session, and the kernel ends that with the process. No user code can stall
it. A living consumer whose heartbeat stops keeps its messages until the lease limit.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from fsdf_brokers.sqlalchemy_queue.held import Held
from fsdf_core.backoff import Backoff
from fsdf_core.errors import FsdfError
from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from fsdf_brokers.sqlalchemy_queue.roll import Roll

_LOOK_EVERY = 0.4
"""Seconds between two looks at whether others live."""
_BLIND_LIMIT = 30.0
"""Seconds without a heartbeat that make a consumer dead of which nothing else is known."""
_SETTLE_TIME = 3.0
"""Seconds after an outage in which others may connect again, at most the heartbeat timeout."""
_END_TIMEOUT = 10.0


class Lease:
    """Owns the thread `fsdf-lease-<queue>`, which keeps the session, the heartbeat, and an eye on the others.

    Args:
        roll: where consumers enrol.
        name: the consumer's id.
        queue: the queue's name, for the thread and the log.
        heartbeat_timeout: seconds until a heartbeat is stale.
        lease_limit: seconds without a heartbeat after which a living consumer loses its messages.

    Raises:
        BrokerError: the database cannot be used.
    """

    def __init__(self, roll: Roll, name: str, queue: str, heartbeat_timeout: float, lease_limit: float) -> None:
        self._roll = roll
        self._name = name
        self._beat_every = min(heartbeat_timeout, lease_limit) / 3
        self._settle_time = min(heartbeat_timeout, _SETTLE_TIME)
        self._limit = lease_limit
        self._logger = logging.getLogger(f"fsdf.{queue}")
        self._process = os.getpid()
        self._suspects: dict[int, float] = {}
        self._trusted_from = 0.0
        self._next_beat = 0.0
        self._enrolled = threading.Condition()
        self._wake = threading.Event()
        self._ended = threading.Event()
        roll.open()
        try:
            self.held = Held(roll.enrol(name))
            self._bury_dead()
        except BaseException:
            roll.close()
            raise
        self._thread = threading.Thread(target=self._run, name=f"fsdf-lease-{queue}", daemon=True)
        self._thread.start()

    def renew(self, held: Held, timeout: float) -> None:
        """Wait until the consumer, which was buried, is enrolled anew and holds something else than `held`."""
        self._next_beat = 0.0
        self._wake.set()
        with self._enrolled:
            self._enrolled.wait_for(lambda: self.held is not held or self._ended.is_set(), timeout)

    def close(self) -> None:
        """Give back what is claimed and end the session.

        Raises:
            BrokerError: the database is away; others see that the session has ended.
        """
        if os.getpid() != self._process:
            return  # a forked child holds nothing of its parent's
        self._ended.set()
        self._wake.set()
        self._thread.join(_END_TIMEOUT)
        try:
            if not self._thread.is_alive():
                self._roll.leave(self.held.number)
        finally:
            self._roll.close()

    def _run(self) -> None:
        backoff = Backoff(0.05, 0.5)
        cut_off = False
        pause = _LOOK_EVERY
        while not self._ended.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            if self._ended.is_set():
                return
            try:
                if cut_off:
                    self._roll.open()
                    self._next_beat = 0.0
                self._keep()
                if cut_off:
                    cut_off = False
                    backoff.reset()
                    # The server may be back from a restart: give the others time to connect too.
                    self._trusted_from = time.monotonic() + self._settle_time
                self._bury_dead()
                pause = _LOOK_EVERY
            except FsdfError as error:
                if not cut_off:
                    self._logger.debug("the lease of %s is not renewed, trying on: %s", self._name, error)
                cut_off = True
                self._suspects.clear()
                self._roll.close()
                pause = backoff.next()
            except Exception:
                self._logger.exception("the lease of %s failed, trying on", self._name)

    def _keep(self) -> None:
        now = time.monotonic()
        if now < self._next_beat:
            return
        if not self._roll.keep(self.held.number):
            held = Held(self._roll.enrol(self._name))
            with self._enrolled:
                self.held = held
                self._enrolled.notify_all()
        self._next_beat = now + self._beat_every

    def _bury_dead(self) -> None:
        now = time.monotonic()
        suspects = self._suspects
        self._suspects = {}
        for other in self._roll.others(self.held.number):
            overdue = other.silent >= (self._limit if other.alive is not None else min(_BLIND_LIMIT, self._limit))
            if other.alive is False:
                since = self._suspects[other.number] = suspects.get(other.number, now)
                gone = now - since >= self._roll.grace and now >= self._trusted_from
            else:
                gone = False
            if overdue or gone:
                count = self._roll.bury(other, alive=overdue)
                if count:
                    self._logger.warning(
                        "consumer %s is dead: %d message(s) of its are delivered again", other.name, count
                    )
