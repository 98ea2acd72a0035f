"""Checks of the settings and of the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fsdf_cli.checkup.finding import Finding
from fsdf_core.errors import FsdfError
from fsdf_core.setting_origins import unknown_names
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS = ("fsdf", "fsdf-core", "fsdf-pools", "fsdf-control", "fsdf-brokers", "fsdf-cli", "fsdf-web")
_OLDEST_SQLITE = (3, 35, 0)
"""The first with RETURNING."""


def machine() -> Iterator[Finding]:
    """Yield what is to be said of Python, our distributions, the settings and their folder."""
    yield Finding("good", "Python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    yield _distributions()
    try:
        settings = get_settings()
    except FsdfError as error:
        yield Finding("fault", "settings", str(error), "fsdf doctor --config shows where each value comes from")
        return
    for line in unknown_names():
        yield Finding("risk", "settings", line, "mend its name, or take it away")
    yield _folder(settings.home)
    if sqlite3.sqlite_version_info >= _OLDEST_SQLITE:
        yield Finding("good", "SQLite", sqlite3.sqlite_version)
    else:
        yield Finding("fault", "SQLite", sqlite3.sqlite_version, "use a Python with SQLite 3.35 or later")
    if not settings.handle_signals:
        yield Finding(
            "risk", "handle_signals", "is off: SIGTERM ends a worker at once, and its tasks run again elsewhere",
            "call fsdf_core.lifecycle.stop_all() in your own handler",
        )  # fmt: skip


def _distributions() -> Finding:
    found = {}
    for name in _OURS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    told = ", ".join(f"{name} {number}" for name, number in found.items())
    if len(set(found.values())) > 1:
        return Finding("risk", "fsdf", told, "pip install -U fsdf: the versions should be the same")
    return Finding("good", "fsdf", told)


def _folder(home: Path) -> Finding:
    """Whether the folder of SQLite files can be written; makes nothing in it that stays."""
    nearest = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return Finding(
            "fault", "home", f"{home} cannot be written: {error.strerror}", "set FSDF_HOME to another folder"
        )
    free = os.statvfs(nearest) if hasattr(os, "statvfs") else None
    if free is not None and free.f_bavail * free.f_frsize < 100 * 1024 * 1024:
        return Finding("risk", "home", f"{home}: less than 100 MB are free", "make room, or set FSDF_HOME")
    return Finding("good", "home", f"{home} can be written")
