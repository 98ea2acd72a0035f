"""Finds and runs the files that settings stand in.

`fsdf_config.py` is a module like any other. `funboost_config.py` and `distributed_frame_config.py`, the files of
older frameworks, are run for their values only: what they import from those frameworks is put in by placeholders,
because importing these has effects, and they may be gone.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

from fsdf_core.errors import ConfigurationError

CONFIG_MODULE = "fsdf_config"
OLD_MODULES = ("funboost_config", "distributed_frame_config")
_ROOT_MARKS = (f"{CONFIG_MODULE}.py", "pyproject.toml", ".git")
_OLD_FRAMEWORKS = frozenset({"funboost", "function_scheduling_distributed_framework", "nb_log", "nb_log_config"})


class ConfigFile(NamedTuple):
    """A file of settings.

    Attributes:
        path: where it is; None for a module that has no file.
        values: its names that do not begin with an underscore; those in classes too, if it is an old one.
    """

    path: Path | None
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name if self.path is not None else f"{CONFIG_MODULE} (module)"


def project_root(start: Path | None = None) -> Path:
    """Return the nearest folder upward of `start` (default: the working directory) that marks a project.

    Marks are `fsdf_config.py`, `pyproject.toml` and `.git`; without any, `start` itself is the root.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in _ROOT_MARKS):
            return folder
    return start


def config_files() -> list[ConfigFile]:
    """Return the files that exist, the most important one first; each is run once in a process.

    Raises:
        ConfigurationError: an old file cannot be run; names the line.
        Exception: whatever `fsdf_config.py` raises.
    """
    found = []
    module = _load_module()
    if module is not None:
        path = getattr(module, "__file__", None)
        found.append(ConfigFile(Path(path) if path else None, _public(vars(module))))
    for name in OLD_MODULES:
        old = _find_old(name)
        if old is not None:
            found.append(ConfigFile(old, _values_of_old(old)))
    return found


def _load_module() -> Any:
    if CONFIG_MODULE in sys.modules:
        return sys.modules[CONFIG_MODULE]
    spec = importlib.util.find_spec(CONFIG_MODULE)
    if spec is None:
        path = project_root() / f"{CONFIG_MODULE}.py"
        if not path.is_file():
            return None
        spec = importlib.util.spec_from_file_location(CONFIG_MODULE, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[CONFIG_MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(CONFIG_MODULE, None)
        raise
    return module


def _find_old(name: str) -> Path | None:
    spec = importlib.machinery.PathFinder.find_spec(name)
    for path in (spec.origin if spec else None, project_root() / f"{name}.py"):
        if path is not None and Path(path).is_file():
            return Path(path)
    return None


def _values_of_old(path: Path) -> dict[str, Any]:
    key = os.fspath(path), path.stat().st_mtime_ns
    with _lock:
        if key not in _ran:
            _ran[key] = _run(path)
        return _ran[key]


def _run(path: Path) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": path.stem, "__file__": os.fspath(path)}
    try:
        tree = _Detached().visit(ast.parse(path.read_bytes(), os.fspath(path)))
        namespace["_Absent"] = _Absent
        exec(compile(ast.fix_missing_locations(tree), os.fspath(path), "exec"), namespace)  # noqa: S102 - the user's own
    except Exception as error:
        raise ConfigurationError(
            f"{path} cannot be read: {type(error).__name__}: {error}. Mend it, or move its settings to fsdf_config.py"
        ) from error
    values = _public(namespace)
    for each in list(values.values()):
        if isinstance(each, type) and each.__module__ == path.stem:
            values.update(_public(vars(each)))
    return values


class _AbsentKind(type):
    """Has every attribute and item, and may be called: all are itself."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return cls

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __call__(cls, *_: Any, **__: Any) -> Any:
        return cls


class _Absent(metaclass=_AbsentKind):
    """Stands for whatever an old file imports; may be inherited from."""


class _Detached(ast.NodeTransformer):
    """Puts `name = _Absent` where a name is imported from an old framework."""

    def visit_Import(self, node: ast.Import) -> Any:
        return self._without(node, [alias.name for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
        return self._without(node, [node.module or ""])

    @staticmethod
    def _without(node: ast.Import | ast.ImportFrom, modules: list[str]) -> Any:
        if not any(module.partition(".")[0] in _OLD_FRAMEWORKS for module in modules):
            return node
        names = [(alias.asname or alias.name).partition(".")[0] for alias in node.names if alias.name != "*"]
        return [
            ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], ast.Name("_Absent", ast.Load())), node)
            for name in names
        ] or ast.copy_location(ast.Pass(), node)


def _public(names: Any) -> dict[str, Any]:
    return {name: value for name, value in names.items() if not name.startswith("_") and value is not _Absent}


_lock = threading.Lock()
_ran: dict[tuple[str, int], dict[str, Any]] = {}
