"""What runs in a worker process."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from fsdf.supervision.memory import resident_bytes
from fsdf.supervision.report import EVERY, Report
from fsdf.supervision.role import role
from fsdf_core import lifecycle
from fsdf_core.settings import patch_frame_config

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from fsdf.booster import Booster
    from fsdf.supervision.origin import Origin

DRAIN = b"drain "
"""The one command; seconds for running tasks follow."""

_LEAVE = 13.0
"""Seconds that the interpreter has to end by itself when nothing is consumed any more; given-up tasks would keep it."""


def run_worker(origins: Sequence[Origin], connection: Connection, settings: dict[str, Any]) -> None:
    """Consume until told to end, by the supervisor, by a signal, or by the supervisor's death.

    Args:
        origins: the tasks.
        connection: to the supervisor.
        settings: those that were set from code in the supervisor's process.
    """
    role.working = True
    patch_frame_config(**settings)
    lifecycle.install_signal_handlers()
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        # A terminal sends it to all; to reload is the supervisor's business.
        signal.signal(signal.SIGHUP, _ignore)
    link = _Link(connection)
    try:
        for origin in origins:
            booster = origin.find()
            booster.consume()
            link.boosters.append(booster)
    except Exception as error:
        link.tell(Report(trouble=f"{type(error).__name__}: {error}"))
        lifecycle.stop_all()
        raise
    link.start()
    while not link.ended.wait(1.0):
        pass
    lifecycle.await_drain()


def _ignore(signum: int, frame: Any) -> None:
    """Do nothing. Unlike SIG_IGN it is not inherited by programs that tasks start."""


class _Link:
    """The threads that talk to the supervisor and drain when it says so, or when it is gone."""

    def __init__(self, connection: Connection) -> None:
        self.boosters: list[Booster[Any, Any]] = []
        self.ended = threading.Event()
        self._connection = connection
        self._sending = threading.Lock()
        self._draining = False
        self._retired = False
        self._stopped_before = False
        self._parent = os.getppid()
        self._thread = threading.Thread(target=self._run, name="fsdf-report", daemon=True)
        self.start = self._thread.start

    def tell(self, report: Report) -> None:
        """Send a report, if anybody is there."""
        with contextlib.suppress(OSError), self._sending:
            self._connection.send_bytes(report.encode())

    def _run(self) -> None:
        while os.getppid() == self._parent:
            if not self._draining and self._all_told_to_end():
                self._retired = True
                logging.getLogger("fsdf").info("all consumers of this worker process were told to end: it ends, too")
                self._drain(None)
            self.tell(self._look())
            try:
                if self._connection.poll(EVERY):
                    self._drain(float(self._connection.recv_bytes().removeprefix(DRAIN)))
            except (EOFError, OSError):
                break
        if self._draining:
            _exit_now()  # the supervisor was killed while it waited for the drain
        logging.getLogger("fsdf").warning("the supervisor is gone: this worker process ends")
        self._drain(None)

    def _all_told_to_end(self) -> bool:
        # In this order: a signal is noted before it stops the consumers. Twice: one may be starting again.
        stopped = not any(booster.consumer.running for booster in self.boosters)
        before, self._stopped_before = self._stopped_before, stopped
        return stopped and before and not lifecycle.ending()

    def _look(self) -> Report:
        pulses = [pulse for booster in self.boosters if (pulse := booster.consumer.pulse()) is not None]
        return Report(
            consuming=True,
            in_flight=sum(pulse.in_flight for pulse in pulses),
            finished=sum(pulse.finished for pulse in pulses),
            workers=sum(pulse.workers for pulse in pulses),
            turns=tuple(turns for pulse in pulses for turns in pulse.turns),
            threads_alive=all(pulse.threads_alive for pulse in pulses),
            memory=resident_bytes(),
            retired=self._retired,
        )

    def _drain(self, timeout: float | None) -> None:
        if self._draining:
            return
        self._draining = True
        threading.Thread(target=self._end, args=(timeout,), name="fsdf-drain", daemon=True).start()

    def _end(self, timeout: float | None) -> None:
        clean = lifecycle.stop_all(timeout)
        self.tell(dataclasses.replace(self._look(), clean=clean))
        if not clean:
            _exit_now()  # the interpreter would wait for the tasks that were given up
        self.ended.set()
        if self._retired:
            threading.Event().wait(_LEAVE)
            _exit_now()


def _exit_now() -> None:
    with contextlib.suppress(Exception):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(0)
