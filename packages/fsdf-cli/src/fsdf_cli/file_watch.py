"""Notices that Python files change, by looking at their times."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "site-packages"})


class FileWatch:
    """The state of the Python files below some folders.

    Args:
        folders: where; hidden folders and virtual environments are left out.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = list(folders)
        self._seen = dict(self._look())

    def changed(self) -> list[str]:
        """Return the files that are new, gone or different since the last call."""
        now = dict(self._look())
        before, self._seen = self._seen, now
        return sorted(path for path in {*before, *now} if before.get(path) != now.get(path))

    def _look(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for top in self._folders:
            for folder, folders, files in os.walk(top):
                folders[:] = [name for name in folders if not name.startswith(".") and name not in _SKIPPED]
                if "pyvenv.cfg" in files:
                    folders.clear()
                    continue
                for name in files:
                    if name.endswith(".py"):
                        path = os.path.join(folder, name)  # noqa: PTH118 - many of them, often
                        try:
                            status = os.stat(path)  # noqa: PTH116 - as above
                        except OSError:
                            continue
                        yield path, (status.st_mtime_ns, status.st_size)
