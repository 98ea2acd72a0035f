"""Which files of a project go to a server."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDERS_LEFT_OUT = frozenset(
    {
        ".eggs", ".fsdf", ".fsdf-deploy", ".git", ".hg", ".hypothesis", ".idea", ".mypy_cache", ".nox",
        ".pytest_cache", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pycache__", "node_modules", "venv",
    }
)  # fmt: skip
"""Names of folders that are never uploaded."""
SUFFIXES_LEFT_OUT = (".pyc", ".pyo", ".swp", ".log", ".egg-info")


@dataclasses.dataclass(frozen=True)
class Filters:
    """What of a project is left out.

    Attributes:
        patterns: regular expressions, searched in "/" and the path inside the project.
        suffixes: endings of names.
        file_limit: bytes; larger files are left out and told about.
        total_limit: bytes of all files together; more is an error.
    """

    patterns: Sequence[str] = ()
    suffixes: Sequence[str] = SUFFIXES_LEFT_OUT
    file_limit: int = 10_000_000
    total_limit: int = 200_000_000


@dataclasses.dataclass
class Project:
    """The files of a project as they are now.

    Attributes:
        root: its folder.
        files: by path inside, with "/": size, SHA-256 in hex, permissions.
        too_large: paths left out because of their size.
    """

    root: Path
    files: dict[str, tuple[int, str, int]] = dataclasses.field(default_factory=dict)
    too_large: list[str] = dataclasses.field(default_factory=list)

    @classmethod
    def read(cls, root: Path, filters: Filters) -> Project:
        """Return the project in a folder.

        Raises:
            ConfigurationError: a pattern is none, or the files are too large together.
        """
        try:
            patterns = [re.compile(pattern) for pattern in filters.patterns]
        except re.error as error:
            raise ConfigurationError(f"{error.pattern!r} is no regular expression: {error}") from None
        project, total = cls(root), 0
        for path in _paths(root):
            name = path.relative_to(root).as_posix()
            if name.endswith(tuple(filters.suffixes)) or any(pattern.search(f"/{name}") for pattern in patterns):
                continue
            status = path.stat()
            if status.st_size > filters.file_limit:
                project.too_large.append(name)
                continue
            total += status.st_size
            if total > filters.total_limit:
                raise ConfigurationError(
                    f"{root} has more than {filters.total_limit} bytes to upload: name another project folder, leave "
                    "files out or raise total_volume_limit"
                )
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            project.files[name] = status.st_size, digest, status.st_mode & 0o755 | 0o600
        return project


def _paths(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in FOLDERS_LEFT_OUT
            and not name.endswith(".egg-info")
            and not _is_environment(Path(folder, name))
        )
        for name in sorted(names):
            path = Path(folder, name)
            # A link is uploaded as what it leads to, inside the project only.
            if path.is_file() and (not path.is_symlink() or path.resolve().is_relative_to(root.resolve())):
                found.append(path)
    return sorted(found)


def _is_environment(folder: Path) -> bool:
    return (folder / "pyvenv.cfg").exists()
