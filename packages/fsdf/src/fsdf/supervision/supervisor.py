"""The thread that keeps worker processes running."""

from __future__ import annotations

import sys
import threading
from itertools import count
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from fsdf.supervision import hang_up
from fsdf.supervision.role import PREFIX
from fsdf.supervision.slot import Slot
from fsdf.supervision.worker_process import WorkerProcess
from fsdf_core import lifecycle
from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from fsdf.supervision.autoscaler import Autoscaler
    from fsdf.supervision.options import SupervisorOptions
    from fsdf.supervision.origin import Origin
    from fsdf_core.broker import Queue

_TICK = 0.25
_JOIN = 20.0
"""Seconds beyond those of running tasks after which `stop` waits no more."""


class Supervisor:
    """Owns the thread `fsdf-supervisor-<name>` and the processes `fsdf-<name>-<k>`.

    The thread keeps this process alive, until every process was told to end by an order to its consumers (`fsdf workers
    stop`, the web UI). On SIGTERM and SIGINT the worker processes drain and this process ends,
    as `fsdf_core.lifecycle` says; if it is killed they notice and drain, too.

    Args:
        origins: the tasks that each process consumes.
        processes: how many processes.
        name: the queue's or the group's name.
        queue: the first task's queue.
        options: when to replace a process.
        settings: settings set from code, which the processes shall have.
        grace: seconds for running tasks at the end of a process.
        logger: where starts and ends are told.
    """

    def __init__(
        self,
        origins: Sequence[Origin],
        processes: int,
        *,
        name: str,
        queue: Queue,
        options: SupervisorOptions,
        settings: dict[str, Any],
        grace: float,
        logger: logging.Logger,
    ) -> None:
        self.name = name
        self.queue = queue
        self.grace = grace
        self.origins = tuple(origins)
        self.autoscaler: Autoscaler | None = None
        self._options = options
        self._settings = settings
        self._logger = logger
        self._target = processes
        self._counting = threading.Lock()
        self._slots: list[Slot] = []
        self._leaving: list[WorkerProcess] = []
        self._stopping = threading.Event()
        self._reload = False
        self._timeout = grace
        self._main_file = getattr(sys.modules["__main__"], "__file__", None)
        self._clean = True
        self._thread = threading.Thread(target=self._run, name=f"fsdf-supervisor-{name}", daemon=False)

    def start(self, *, take_hang_up: bool = True) -> None:
        """Start the processes and the thread; return at once."""
        if take_hang_up:
            hang_up.reload_on_hang_up(self)
        lifecycle.track(self)
        # Here, not in the thread: a script that ends at once may no longer be found by `multiprocessing`.
        self._turn()
        self._thread.start()
        if self.autoscaler is not None:
            self.autoscaler.start()

    @property
    def running(self) -> bool:
        """Whether it looks after processes."""
        return self._thread.is_alive() and not self._stopping.is_set()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that consume or begin to; not of those that drain."""
        return [
            process.pid
            for slot in list(self._slots)
            if (process := slot.current) is not None and process.pid is not None
        ]

    @property
    def consuming(self) -> int:
        """How many processes consume."""
        return sum(slot.current is not None and slot.current.consuming for slot in list(self._slots))

    def scale(self, processes: int) -> None:
        """Have that many processes from now on; those too many drain. 0 leaves the supervisor waiting.

        Raises:
            ConfigurationError: it is no number of processes.
        """
        if type(processes) is not int or processes < 0:
            raise ConfigurationError(f"scale() takes a number of processes, not {processes!r}")
        with self._counting:
            if processes != self._target:
                self._logger.info("%s%s: from %d to %d processes", PREFIX, self.name, self._target, processes)
            self._target = processes

    def reload(self) -> None:
        """Replace every process by a new one, one after the other; each new one consumes before the old one drains.

        A process imports its modules anew, so that it runs the code as it is then.
        """
        self._reload = True

    def stop(self, timeout: float | None = None) -> bool:
        """Let all processes drain, and end.

        Args:
            timeout: seconds for running tasks; default: the setting `grace` (30).

        Returns:
            True if every task that ran has ended and is acknowledged.
        """
        if not self._stopping.is_set():
            self._timeout = self.grace if timeout is None else timeout
            self._stopping.set()
        self._thread.join(min(self._timeout + _JOIN, threading.TIMEOUT_MAX))
        return self._clean and not self._thread.is_alive()

    def load(self) -> tuple[int, int, int]:
        """Return (processes wanted, messages that they hold, calls that they can run at once)."""
        reports = [slot.current.report for slot in list(self._slots) if slot.current and slot.current.report]
        in_flight = sum(report.in_flight for report in reports)
        return self._target, in_flight, sum(report.workers for report in reports)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
                self._wait()
            self._empty(self._slots, "stopped", self._timeout)
            while self._leaving:
                self._bury()
                self._wait()
        except BaseException:
            self._logger.exception("the supervisor of %s failed: its processes end", self.name)
            raise
        finally:
            self._end()

    def _turn(self) -> None:
        target = self._target
        too_many, self._slots = self._slots[target:], self._slots[:target]
        self._empty(too_many, "not needed any more", self.grace)
        while len(self._slots) < target:
            taken = {slot.number for slot in self._slots}
            self._slots.append(self._slot(next(number for number in count(1) if number not in taken)))
        if self._reload:
            self._reload = False
            self._logger.info("%s%s: reload", PREFIX, self.name)
            for slot in self._slots:
                slot.ask_reload()
        for slot in self._slots[:]:
            others = any(other.successor is not None for other in self._slots if other is not slot)
            was, before = slot.reloading, slot.successor
            self._leaving += slot.tick(may_reload=not others)
            if slot.retired:
                self._give_up(slot)
            elif was and not slot.reloading and before is not None and slot.current is not before:
                self._give_up_reload()
        self._bury()

    def _give_up(self, slot: Slot) -> None:
        self._slots.remove(slot)
        with self._counting:
            self._target = max(0, self._target - 1)
            if self.autoscaler is not None:
                self.autoscaler.one_less()
            if not self._target:
                self._logger.info("%s%s: every process was told to end, so the supervisor ends", PREFIX, self.name)
                self._stopping.set()

    def _give_up_reload(self) -> None:
        self._logger.error("%s%s: reload given up, the new process does not start", PREFIX, self.name)
        for slot in self._slots:
            slot.forget_reload()

    def _slot(self, number: int) -> Slot:
        name = f"{PREFIX}{self.name}-{number}"
        return Slot(
            number,
            lambda: WorkerProcess(name, self.origins, self._settings, self._main_file),
            self._options,
            self.grace,
            self._logger,
        )

    def _empty(self, slots: list[Slot], why: str, timeout: float) -> None:
        for slot in slots:
            self._leaving += slot.empty(why, timeout)

    def _bury(self) -> None:
        for process in self._leaving[:]:
            process.listen()
            if process.ended:
                process.close()
                self._leaving.remove(process)
                report = process.report
                clean = process.process.exitcode == 0 and (report is None or report.clean)
                self._clean = self._clean and clean
                self._logger.info(
                    "%s, pid %s, ended (%s)%s",
                    process.name, process.pid, process.why, "" if clean else ": what it had not finished runs again",
                )  # fmt: skip
            elif process.overdue():
                process.kill("killed, because it did not end")

    def _wait(self) -> None:
        """Wait until a process ends or has something to tell, but no longer than a moment."""
        processes = [process for slot in self._slots for process in slot.processes] + self._leaving
        sentinels = [process.process.sentinel for process in processes if not process.ended]
        if sentinels:
            connection.wait(sentinels, _TICK)
        else:
            self._stopping.wait(_TICK / 5 if self._leaving else _TICK)

    def _end(self) -> None:
        self._stopping.set()
        for process in [process for slot in self._slots for process in slot.processes] + self._leaving:
            if not process.ended:
                process.kill("the supervisor failed")
        if self.autoscaler is not None:
            self.autoscaler.close()
        hang_up.forget(self)
        lifecycle.untrack(self)
