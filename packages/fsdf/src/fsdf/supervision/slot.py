"""One of the n places for worker processes; who sits there may change."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fsdf.supervision.restart_policy import RestartPolicy
from fsdf_pools.process_pool.exit_reason import exit_reason, oom_kills

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from fsdf.supervision.options import SupervisorOptions
    from fsdf.supervision.worker_process import WorkerProcess


class Slot:
    """Keeps one process running: starts it, starts it again when it dies, replaces it.

    A replacement starts first. When it consumes, the old process is told to drain; if it dies before, the old
    one stays. A process that no longer progresses is told to drain at once: it does no work, and may hold what its
    replacement needs to begin, such as the lock of a file.

    When somebody has told all consumers of the process to end, nobody takes its place.

    Args:
        number: the place's; part of the process's name.
        launch: starts a process.
        options: when to replace it.
        grace: seconds for running tasks of a process that is replaced.
        logger: where starts and ends are told.

    Attributes:
        retired: its process was told to end, and has; the slot is to be given up.
    """

    def __init__(
        self,
        number: int,
        launch: Callable[[], WorkerProcess],
        options: SupervisorOptions,
        grace: float,
        logger: logging.Logger,
    ) -> None:
        self.number = number
        self.current: WorkerProcess | None = None
        self.successor: WorkerProcess | None = None
        self.retired = False
        self._launch = launch
        self._options = options
        self._grace = grace
        self._logger = logger
        self._policy = RestartPolicy()
        self._due = 0.0
        self._oom_kills = oom_kills()
        self._reload = False

    @property
    def processes(self) -> list[WorkerProcess]:
        """Those that run here."""
        return [process for process in (self.current, self.successor) if process is not None]

    @property
    def reloading(self) -> bool:
        """Whether a reload was asked for and has not ended."""
        return self._reload

    def ask_reload(self) -> None:
        """Replace the process by a new one."""
        self._reload = self.current is not None

    def forget_reload(self) -> None:
        """Keep the process as it is."""
        self._reload = False

    def tick(self, *, may_reload: bool) -> list[WorkerProcess]:
        """Do what is due; return the processes that were told to end and are this slot's no more."""
        for process in self.processes:
            process.listen()
        self._bury()
        if self.retired:
            return self.empty("its place is given up", self._grace)
        if self.current is None:
            if time.monotonic() >= self._due:
                self.current = self._start("started")
            return []
        if self.successor is not None:
            return self._promote()
        return self._look_at(self.current, may_reload=may_reload)

    def empty(self, why: str, timeout: float) -> list[WorkerProcess]:
        """Tell the processes to end; return them."""
        leaving = self.processes
        for process in leaving:
            process.drain(timeout, why)
        self.current = self.successor = None
        return leaving

    def _start(self, what: str) -> WorkerProcess | None:
        try:
            process = self._launch()
        except OSError as error:
            self._due = time.monotonic() + self._policy.died(0.0)
            self._logger.error("no worker process can be started: %s", error)  # noqa: TRY400 - the text says all
            return None
        self._logger.info("%s %s, pid %s", process.name, what, process.pid)
        return process

    def _look_at(self, process: WorkerProcess, *, may_reload: bool) -> list[WorkerProcess]:
        if self._late(process):
            return []
        stall = self._stall(process)
        if stall and process.silent_for > (self._options.stall_limit or 0.0):
            process.kill(stall)
            return []
        why = stall or self._worn_out() or ("reload" if self._reload and may_reload else "")
        if not why or not process.consuming or time.monotonic() < self._due:
            return []
        self.successor = self._start(f"started to replace pid {process.pid} ({why})")
        return self._succeed(process, self.successor) if stall and self.successor else []

    def _promote(self) -> list[WorkerProcess]:
        old, new = self.current, self.successor
        if old is None or new is None:
            return []
        if not new.consuming and not self._stall(old):
            self._late(new)
            return []
        return self._succeed(old, new)

    def _succeed(self, old: WorkerProcess, new: WorkerProcess) -> list[WorkerProcess]:
        self.current, self.successor = new, None
        self._reload = False
        old.drain(self._grace, "replaced")
        return [old]

    def _stall(self, process: WorkerProcess) -> str:
        limit = self._options.stall_limit
        return "" if limit is None else process.stall(limit)

    def _late(self, process: WorkerProcess) -> bool:
        limit = self._options.start_limit
        if process.consuming or limit is None or process.lived <= limit:
            return False
        process.kill(f"did not begin to consume within {limit:g} s")
        return True

    def _worn_out(self) -> str:
        report = self.current.report if self.current else None
        if report is None:
            return ""
        if self._options.max_tasks_per_child and report.finished >= self._options.max_tasks_per_child:
            return f"{report.finished} tasks"
        if self._options.max_memory_per_child and (report.memory or 0) > self._options.max_memory_per_child:
            return f"{report.memory} bytes"
        return ""

    def _bury(self) -> None:
        if self.successor is not None and self.successor.ended:
            self._mourn(self.successor, "before it consumed: the old one stays")
            self.successor = None
            self._reload = False
        if self.current is not None and self.current.ended:
            self.current.listen()
            if self.current.retired and not self.current.why:
                self._retire(self.current)
                return
            self._mourn(self.current, "")
            self.current, self.successor = self.successor, None
            self._reload = False

    def _retire(self, process: WorkerProcess) -> None:
        self.retired = True
        self.current = None
        self._reload = False
        process.close()
        self._logger.info(
            "%s, pid %s, ended with exit code %s: its consumers were told to end, so nobody takes its place",
            process.name, process.pid, process.process.exitcode,
        )  # fmt: skip

    def _mourn(self, process: WorkerProcess, note: str) -> None:
        process.close()
        wait = self._policy.died(process.lived)
        self._due = time.monotonic() + wait
        reason = process.why or exit_reason(process.process.exitcode or 0, out_of_memory=self._out_of_memory())
        if process.trouble:
            reason += f" ({process.trouble})"
        note = note or (f"the next one starts in {wait:g} s" if self.successor is None else "its replacement runs")
        self._logger.warning(
            "%s, pid %s, died after %.1f s: %s; %s", process.name, process.pid, process.lived, reason, note
        )
        if self._policy.looping:
            self._logger.error(
                "%s dies again and again: it is tried once a minute from now on. Last reason: %s", process.name, reason
            )

    def _out_of_memory(self) -> bool | None:
        before, self._oom_kills = self._oom_kills, oom_kills()
        if before is None or self._oom_kills is None:
            return None
        return self._oom_kills > before
