"""The thread that runs the ticks."""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from fsdf_control.schedules.tick_lease import RENEW

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

    from fsdf_control.schedules.runner import Runner


class ScheduleThread:
    """Owns the thread `fsdf-schedule`, a daemon that ends at `stop`, or when the interpreter is left.

    Args:
        build: returns the runner; called in the thread, again after an error.
        logger: says once what goes wrong.
    """

    def __init__(self, build: Callable[[], Runner], logger: logging.Logger) -> None:
        self._build = build
        self._logger = logger
        self._pid = os.getpid()
        self._ended = False
        self._wakened = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fsdf-schedule", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        atexit.register(self.stop, 5.0)

    @property
    def alive(self) -> bool:
        """Whether it runs, in this process."""
        return self._pid == os.getpid() and self._thread.is_alive() and not self._ended

    def wake(self) -> None:
        """Look at the jobs now."""
        self._wakened.set()

    def stop(self, timeout: float) -> bool:
        """End after the tick that runs, giving up the lease; True if it has ended in time."""
        if self._pid != os.getpid():
            return True
        self._ended = True
        self._wakened.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)
        atexit.unregister(self.stop)
        return not self._thread.is_alive()

    def _run(self) -> None:
        runner: Runner | None = None
        trouble = ""
        while not self._ended:
            self._wakened.clear()
            try:
                if runner is None:
                    runner = self._build()
                pause = runner.look()
                trouble = ""
            except Exception as error:
                pause = RENEW
                description = f"{type(error).__name__}: {error}"
                if description != trouble:
                    trouble = description
                    detailed = self._logger.isEnabledFor(10)
                    self._logger.warning("schedules fail, trying on: %s", description, exc_info=detailed)
            if not self._ended:
                self._wakened.wait(pause)
        if runner is not None:
            runner.lease.release()
