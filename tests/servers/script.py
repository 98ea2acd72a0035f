"""A script in a process of its own, which is read line by line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WAIT = 60.0
"""Seconds that a script may run."""


class Script:
    """A running script, in a process group of its own.

    Args:
        folder: where it runs; its `FSDF_HOME` is `home` therein.
        source: what it does.
    """

    def __init__(self, folder: Path, source: str) -> None:
        path = folder / "script.py"
        path.write_text(source)
        self._errors = (folder / "errors").open("w+")
        environment = {**os.environ, "FSDF_HOME": str(folder / "home"), "FSDF_HANDLE_SIGNALS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(path)], start_new_session=True,
            cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self._watchdog = threading.Timer(WAIT, self.process.kill)
        self._watchdog.start()

    def until(self, *beginning: str) -> list[str]:
        """Read to a line that begins with these words; return its other words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = line.split()
            if words[: len(beginning)] == list(beginning):
                return words[len(beginning) :]
        raise AssertionError(f"no {beginning!r}; {self.finish()}")

    def finish(self) -> tuple[int, list[str], str]:
        """Wait for the end, also that of its children, who hold its output; return status, remaining lines, errors."""
        assert self.process.stdout is not None
        # Not communicate(), which forgets what readline() has buffered.
        lines = self.process.stdout.read().split("\n")[:-1]
        status = self.process.wait(WAIT)
        self._watchdog.cancel()
        self._errors.seek(0)
        return status, lines, self._errors.read()

    def close(self) -> None:
        """End what is left of it."""
        self._watchdog.cancel()
        self.process.kill()
        self.process.communicate()
        self._errors.close()
