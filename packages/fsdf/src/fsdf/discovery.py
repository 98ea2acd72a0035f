"""Imports the modules that decorate functions, so that their boosters are known."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fsdf_core.errors import ConfigurationError
from fsdf_core.settings import project_root

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

_DECORATES = re.compile(
    rb"^\s*@.*\b(boost|task_deco|Booster|\w*Params)\b|\bget_consumer\(|\bBoosterParams\b", re.MULTILINE
)
_SKIPPED = frozenset({"__pycache__", "node_modules", "venv", "site-packages", "build", "dist"})
_MARK = "pyproject.toml"


class BoosterDiscovery:
    """Finds the Python files of folders that decorate functions, and imports them as modules.

    A file is imported under its dotted name from the project's root, which goes to `sys.path`, so that worker
    processes find it too. Files that name no decorator are not touched.

    Args:
        project_root_path: the root; None: the nearest folder with `fsdf_config.py`, `pyproject.toml` or `.git`.
        booster_dirs: folders to search, absolute or from the root; default: the root.
        max_depth: how many levels of folders below them; default 1: the folder itself and those in it.
        py_file_re_str: regular expression that a file's path from the root must contain; None: all.

    Raises:
        ConfigurationError: a folder is none, or the expression is none.

    Example:
        >>> BoosterDiscovery("/srv/shop", booster_dirs=["shop/tasks"]).auto_discovery()  # doctest: +SKIP
        ['shop.tasks.mail', 'shop.tasks.orders']
    """

    def __init__(
        self,
        project_root_path: str | Path | None = None,
        booster_dirs: Iterable[str | Path] = (),
        max_depth: int = 1,
        py_file_re_str: str | None = None,
    ) -> None:
        self.project_root_path = Path(project_root_path).resolve() if project_root_path else project_root()
        self.booster_dirs = [self.project_root_path / folder for folder in booster_dirs] or [self.project_root_path]
        self.max_depth = max_depth
        for folder in self.booster_dirs:
            if not folder.is_dir():
                raise ConfigurationError(f"{folder} is no folder, so no tasks can be looked for there")
        try:
            self._wanted = re.compile(py_file_re_str or "")
        except re.error as error:
            raise ConfigurationError(f"py_file_re_str is no regular expression: {error}") from None

    def files(self) -> list[Path]:
        """Return the files that would be imported."""
        return sorted({path for folder in self.booster_dirs for path in self._search(folder.resolve(), 0)})

    def auto_discovery(self) -> list[str]:
        """Import the files; return the modules' names.

        Raises:
            Exception: whatever a module raises when it is imported.
        """
        return [import_file(path, self.project_root_path).__name__ for path in self.files()]

    def _search(self, folder: Path, depth: int) -> Iterator[Path]:
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                hidden = path.name.startswith(".") or path.name in _SKIPPED or (path / "pyvenv.cfg").exists()
                if depth < self.max_depth and not hidden:
                    yield from self._search(path, depth + 1)
            elif path.suffix == ".py" and self._is_wanted(path):
                yield path

    def _is_wanted(self, path: Path) -> bool:
        name = path.relative_to(self.project_root_path) if path.is_relative_to(self.project_root_path) else path
        return self._wanted.search(name.as_posix()) is not None and _DECORATES.search(path.read_bytes()) is not None


def import_file(path: Path, root: Path) -> ModuleType:
    """Import a file under its dotted name from the root, or from its own folder if it is not below the root.

    Raises:
        ConfigurationError: its name is no module's name.
        Exception: whatever the module raises.
    """
    path, root = path.resolve(), root.resolve()
    if not path.is_relative_to(root):
        root = path.parent
        while (root / "__init__.py").exists():
            root = root.parent
    parts = path.relative_to(root).with_suffix("").parts
    if parts[:1] == ("src",) and (root / _MARK).exists():
        root, parts = root / "src", parts[1:]
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    if not all(part.isidentifier() for part in parts):
        raise ConfigurationError(f"{path} cannot be imported: {'.'.join(parts)!r} is no name of a module")
    add_to_path(root)
    name = ".".join(parts)
    loaded = sys.modules.get("__main__")
    if getattr(loaded, "__file__", None) and Path(str(loaded.__file__)).resolve() == path:  # type: ignore[union-attr]
        return loaded  # type: ignore[return-value] # the script that looks is one of the files
    return importlib.import_module(name)


def add_to_path(folder: Path) -> None:
    """Let modules be found in a folder, before all others."""
    text = str(folder)
    if text not in sys.path:
        sys.path.insert(0, text)
