"""Runs an example as users do: a script of its own, in a folder of its own, until enough is seen."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


_WHOLE_LINES = "import sys; sys.stdout.reconfigure(line_buffering=True)\n"
"""Goes before the script: lines come at once, and those of several threads do not mix."""


class Example:
    """A running example.

    Args:
        folder: where it runs and keeps its queue.
        source: the script.
        arguments: its command line.
        settings: environment variables for it.
    """

    def __init__(self, folder: Path, source: str, arguments: Sequence[str], settings: dict[str, str]) -> None:
        path = folder / "example.py"
        path.write_text(_WHOLE_LINES + source, encoding="utf-8")
        environment = {**os.environ, "FSDF_HOME": str(folder / ".fsdf"), **settings}
        environment.pop("PYTHONUNBUFFERED", None)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, str(path), *arguments], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self.process.stdout is not None
        self._stdout = self.process.stdout
        self.output = ""

    def until(self, patterns: Sequence[str], seconds: float = 30.0) -> float:
        """Read until each pattern has occurred; return the seconds since the start.

        Raises:
            AssertionError: the script ended, or took too long, before that.
        """
        with self._killed_after(seconds):
            while missing := [pattern for pattern in patterns if not re.search(pattern, self.output)]:
                line = self._stdout.readline()
                if not line:
                    raise AssertionError(f"{missing} not within {seconds} s in:\n{self.output}")
                self.output += line
        return time.monotonic() - self.begun

    def terminate(self) -> int:
        """Send SIGTERM, read the rest, return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.rest()

    def rest(self) -> int:
        """Read until it ends by itself, return the exit status."""
        with self._killed_after(40.0):
            # Not communicate(), which forgets what readline() has buffered.
            self.output += self._stdout.read()
            return self.process.wait()

    def close(self) -> None:
        """End what is left of it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stdout.close()

    @contextlib.contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        watchdog = threading.Timer(seconds, self.process.kill)
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
