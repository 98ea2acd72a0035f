"""Imports modules of nb_log without what its package does when it is imported.

The package's own `__init__` writes a configuration file and log files, replaces `print`, `sys.stdout.write` and
`sys.excepthook`, and gives handlers to the root logger (nb_log 14.4). So it is not run: a module of the package is
imported below a stand-in, which is taken away again. Whoever imports nb_log later gets the real one.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import importlib.util
import os
import sys
import threading
import warnings
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "nb_log"
_NO_FILES = ("PRINT_WRTIE_FILE_NAME", "SYS_STD_FILE_NAME")
"""Variables of nb_log's (the misspelling is theirs) that name files for all that is printed."""
_lock = threading.Lock()
_modules: dict[str, Any] = {}


def nb_log_module(name: str, needs: str = "pip install fsdf[nb-log]") -> Any:
    """Return the module `nb_log.<name>`, imported once in a process.

    Args:
        name: such as "handlers".
        needs: what to run if something is missing.

    Raises:
        MissingDependency: nb_log, or a library that this module of it imports, is not installed.
    """
    with _lock:
        if name not in _modules:
            try:
                with _without_effects():
                    importlib.import_module(f"{_PACKAGE}.{name}")
            except ModuleNotFoundError as error:
                raise MissingDependency(f'log_handler="nb_log" needs the library {error.name!r}: {needs}') from None
        return _modules[name]


def imported(name: str) -> Any:
    """Return the module `nb_log.<name>` if it has been imported here, else None."""
    return _modules.get(name)


@contextlib.contextmanager
def _without_effects() -> Iterator[None]:
    """Put the stand-in where the package would be, with all modules imported so far."""
    theirs = {name: module for name, module in sys.modules.items() if _is_of_package(name)}
    spec = importlib.util.find_spec(_PACKAGE) if not theirs else theirs[_PACKAGE].__spec__
    if spec is None:
        raise ModuleNotFoundError(f"No module named {_PACKAGE!r}", name=_PACKAGE)
    stand_in = ModuleType(_PACKAGE)
    stand_in.__path__ = list(spec.submodule_search_locations or ())
    environment = {name: os.environ.pop(name) for name in _NO_FILES if name in os.environ}
    before = builtins.print
    for name in theirs:
        del sys.modules[name]
    sys.modules.update({_PACKAGE: stand_in} | {f"{_PACKAGE}.{name}": module for name, module in _modules.items()})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config: Any = importlib.import_module(f"{_PACKAGE}.nb_log_config_default")
            for name in _NO_FILES:
                setattr(config, name, None)
            yield
        found = {name.partition(".")[2]: module for name, module in sys.modules.items() if _is_of_package(name)}
        _modules.update({name: module for name, module in found.items() if name})
    finally:
        builtins.print = before
        os.environ.update(environment)
        for name in [name for name in sys.modules if _is_of_package(name)]:
            del sys.modules[name]
        sys.modules.update(theirs)


def _is_of_package(name: str) -> bool:
    return name.partition(".")[0] == _PACKAGE


def _forget_lock() -> None:
    global _lock  # noqa: PLW0603 - the parent's may be held
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
