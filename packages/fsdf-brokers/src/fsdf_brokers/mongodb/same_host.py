"""Whether a consumer of the same host lives: a file that the kernel keeps locked for it.

Consumers that see the same folder of the same running kernel can ask each other's locks. Elsewhere than on Linux
nothing says surely that two processes share a kernel; then nothing is known.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from fsdf_brokers.process_lock import Life, LifeMark, is_alive

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LIVES = {Life.ALIVE: True, Life.DEAD: False, Life.UNKNOWN: None}


class SameHost:
    """One consumer's mark, and a look at others'."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._mark: LifeMark | None = None
        self.place: str | None = None

    def enter(self, name: str) -> str | None:
        """Lock a file; return the name of the place where it is, None if there is none."""
        if self._mark is None and sys.platform == "linux":
            folder = Path(tempfile.gettempdir()) / f"fsdf-consumers-{os.getuid()}"
            try:
                boot = _BOOT.read_text().strip()
                self._mark = LifeMark(folder, name)
                seen = folder.stat()
            except OSError:
                return None
            self._folder = folder
            self.place = f"{boot}:{seen.st_dev}:{seen.st_ino}"
        return self.place

    def lives(self, name: str, place: str | None) -> bool | None:
        """Return whether a consumer lives; None if it is elsewhere, or that cannot be known."""
        if self._folder is None or place is None or place != self.place:
            return None
        return _LIVES[is_alive(self._folder, name)]

    def leave(self) -> None:
        """Unlock the file."""
        if self._mark is not None:
            self._mark.release()
            self._mark = None
