"""The supervisor's view of one worker process."""

from __future__ import annotations

import multiprocessing
import time
from typing import TYPE_CHECKING, Any

from fsdf.supervision.report import Report
from fsdf.supervision.worker import DRAIN, run_worker
from fsdf_pools.process_pool.spawning import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fsdf.supervision.origin import Origin

_FLUSH = 13.0
"""Seconds beyond those of running tasks that a draining process has before it is killed."""


class WorkerProcess:
    """A process that was started, by the start method "spawn": a fork of a process with threads may hang.

    Args:
        name: its name.
        origins: the tasks that it consumes.
        settings: settings set from code.
        main_file: the script, if this process runs one.

    Attributes:
        report: the last one; None before it consumes.
        why: why it was told to end; empty if it was not.
        pid: its process id.
    """

    def __init__(self, name: str, origins: Sequence[Origin], settings: dict[str, Any], main_file: str | None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.connection, theirs = spawn.Pipe()
        self.process = spawn.Process(
            target=run_worker, args=(tuple(origins), theirs, settings), name=name, daemon=False
        )
        try:
            knows_main = start(self.process, main_file)
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()
        self.name = name
        self.pid = self.process.pid
        self.report: Report | None = None
        self.trouble = ""
        self.why = ""
        self._started = self._heard = time.monotonic()
        self._turns: dict[int, tuple[int, float]] = {}
        self._kill_at = float("inf")
        self._silent = False
        if not knows_main:
            self.kill("the script came to its end while it started")

    @property
    def consuming(self) -> bool:
        """Whether it has begun to consume."""
        return self.report is not None and self.report.consuming

    @property
    def ended(self) -> bool:
        """Whether the process is no more."""
        return self.process.exitcode is not None

    @property
    def retired(self) -> bool:
        """Whether all its consumers were told to end, so that nobody shall take its place."""
        return self.report is not None and self.report.retired

    @property
    def lived(self) -> float:
        """Seconds since its start."""
        return time.monotonic() - self._started

    def listen(self) -> None:
        """Take the reports that have come."""
        try:
            while not self._silent and self.connection.poll(0):
                self._hear(Report.decode(self.connection.recv_bytes()))
        except (EOFError, OSError):
            self._silent = True

    def _hear(self, report: Report) -> None:
        self._heard = time.monotonic()
        if report.trouble:
            self.trouble = report.trouble
            return
        self.report = report
        for place, turns in enumerate(report.turns):
            if place not in self._turns or self._turns[place][0] != turns:
                self._turns[place] = turns, self._heard

    def stall(self, limit: float) -> str:
        """Return what is wrong with it, if anything; nothing is, of this kind, before it has begun to consume."""
        report = self.report
        if report is None:
            return ""
        now = time.monotonic()
        if now - self._heard > limit:
            return "tells nothing any more"
        if not report.threads_alive:
            return "one of its threads has died"
        # As of its last report: one that tells nothing any more is another case.
        if any(self._heard - since > limit for _, since in self._turns.values()):
            return "one of its threads stands still"
        return ""

    @property
    def silent_for(self) -> float:
        """Seconds since it told anything."""
        return time.monotonic() - self._heard

    def drain(self, timeout: float, why: str) -> None:
        """Tell it to end within `timeout` seconds for its tasks; it is killed if it does not."""
        if self.why:
            return
        self.why = why
        self._kill_at = time.monotonic() + timeout + _FLUSH
        try:
            self.connection.send_bytes(DRAIN + str(timeout).encode())
        except OSError:
            self._silent = True

    def kill(self, why: str) -> None:
        """End it now."""
        self.why = why
        self.process.kill()

    def overdue(self) -> bool:
        """Whether it was told to end and has not."""
        return time.monotonic() > self._kill_at

    def close(self) -> None:
        """Let go of what belongs to a process that has ended."""
        self.listen()
        self.connection.close()
        self.process.join(1.0)
