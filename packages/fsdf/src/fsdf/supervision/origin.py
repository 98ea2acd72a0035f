"""Where a worker process finds a task: it imports the module and asks the registry for the queue."""

from __future__ import annotations

import ast
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fsdf_core.errors import ConfigurationError, UnknownName

if TYPE_CHECKING:
    from fsdf.booster import Booster

_MAIN = ("__main__", "__mp_main__")


@dataclass(frozen=True)
class Origin:
    """A task's address, which is all that a worker process gets of it.

    Attributes:
        module: the module that decorates the function. The main module is imported by `multiprocessing`, under
            the name `__mp_main__`, so that its `if __name__ == "__main__"` block does not run; that of a package
            (`python -m package`) is not, and has its full name here.
        registry: the registry's name.
        queue: the queue's name.
    """

    module: str
    registry: str
    queue: str

    def find(self) -> Booster[Any, Any]:
        """Return the task in this process.

        Raises:
            ConfigurationError: its module does not decorate it when imported.
        """
        from fsdf.boosters_manager import BoosterRegistry  # noqa: PLC0415 - booster.py imports this package

        if self.module not in _MAIN:
            importlib.import_module(self.module)
        try:
            return BoosterRegistry(self.registry).get_booster(self.queue)
        except UnknownName:
            raise ConfigurationError(
                f"importing {self.module} decorates no function of queue {self.queue!r}, so a worker process cannot "
                f'find it: decorate at the top level of the module, not inside `if __name__ == "__main__":`'
            ) from None


def origin_of(booster: Booster[Any, Any]) -> Origin:
    """Return a task's address.

    Raises:
        ConfigurationError: no other process can import it.
    """
    function = booster.consuming_function
    module = getattr(function, "__module__", None) or "__main__"
    name = getattr(function, "__qualname__", repr(function))
    if "<locals>" in name or "<lambda>" in name:
        raise ConfigurationError(
            f"a worker process cannot find {name}: define and decorate it at the top level of a module"
        )
    if module in _MAIN:
        module = _name_of_main(name)
        _check_not_in_block(function, name)
    elif module not in sys.modules:
        raise ConfigurationError(
            f"a worker process cannot import {name}: its module {module!r} is no file that can be imported"
        )
    return Origin(module, booster.boost_params.booster_registry_name, booster.queue_name)


def _name_of_main(name: str) -> str:
    """Return the name by which a worker process has the main module."""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    spec = getattr(main, "__spec__", None)
    if spec is None and (path is None or not Path(path).is_file()):
        raise ConfigurationError(
            f"a worker process cannot import {name}, which was typed in: worker processes need the function in a "
            "file (a script, a module or `python -m`)"
        )
    # `multiprocessing` runs no file of this name again.
    if spec is not None and spec.name == "__main__":
        raise ConfigurationError(
            f"a worker process cannot import {name} from {path}, the main file of a folder or archive: move the "
            "function into a module beside it"
        )
    return spec.name if spec is not None and spec.name.endswith(".__main__") else "__main__"


def _check_not_in_block(function: Any, name: str) -> None:
    path = getattr(sys.modules["__main__"], "__file__", None)
    code = getattr(function, "__code__", None)
    if code is not None and path is not None and _in_main_block(Path(path), code.co_firstlineno):
        raise ConfigurationError(
            f'a worker process cannot find {name}, because it is defined inside `if __name__ == "__main__":`; '
            "move it above that line"
        )


def _in_main_block(path: Path, line: int) -> bool:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False  # no source: the worker process will tell
    return any(
        isinstance(node, ast.If)
        and "__name__" in ast.dump(node.test)
        and node.lineno <= line <= max(each.end_lineno or 0 for each in node.body)
        for node in tree.body
    )
