"""A server process of a test: started on a free port in a folder of its own, ended by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

START_TIMEOUT = 60.0
_ATTEMPTS = 5


class ServerProcess:
    """Runs one server program.

    Args:
        command: returns the command line for a port.
        answers: whether the server on that port is ready.
        folder: its working folder and log.
        user: whom to run as; None is who we are.
        stop_signal: what ends it gently.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        answers: Callable[[int], bool],
        folder: Path,
        *,
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self._command = command
        self._answers = answers
        self._folder = folder
        self._user = user
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers; keeps its port over restarts."""
        for _ in range(_ATTEMPTS if not self.port else 1):
            port = self.port or free_port()
            if self._try(port):
                self.port = port
                return
        raise RuntimeError(f"the server does not start; its log:\n{self._log().read_text()[-2000:]}")

    def stop(self) -> None:
        """End it gently; hard after ten seconds."""
        if self._process is None:
            return
        self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            # With its children: some programs are wrapped in a shell.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def _try(self, port: int) -> bool:
        with self._log().open("ab") as log:
            self._process = subprocess.Popen(
                self._command(port),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT
        pause = threading.Event()
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self._answers(port):
                    return True
            pause.wait(0.02)
        self.kill()
        return False

    def _log(self) -> Path:
        return self._folder / "server.log"


def free_port() -> int:
    """Return a port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
