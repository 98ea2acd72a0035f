"""What a user names to say where the tasks are: modules, files, folders."""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fsdf_cli.mistakes import broken_module, user_place
from fsdf_core.errors import ConfigurationError, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fsdf.booster import Booster

Modules = Annotated[
    list[str] | None,
    typer.Option("--import", "-i", help="Module, file or folder that decorates the function; may be repeated."),
]
"""The option of commands that may know the functions."""

_DEPTH = 5
"""How deep a folder that somebody has named is searched."""


def load(targets: Iterable[str]) -> list[Booster[Any, Any]]:
    """Import modules ("app.tasks"), files ("app/tasks.py") and the files in folders that decorate functions.

    The working directory is where modules are looked for first.

    Returns:
        All boosters that the process knows then.

    Raises:
        ConfigurationError: there is no such module, file or folder, or it cannot be imported.
    """
    boosters = facade().BoostersManager
    for target in targets:
        _load_one(target)
    found: list[Booster[Any, Any]] = boosters.get_all_boosters()
    return found


def facade() -> Any:
    """Return the package `fsdf`, with this folder on the path.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        discovery = importlib.import_module("fsdf.discovery")
        package = importlib.import_module("fsdf")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        raise MissingDependency(f"this needs the library {missing!r}: pip install fsdf[cli]") from None
    discovery.add_to_path(Path.cwd())
    return package


def _load_one(target: str) -> None:
    from fsdf.discovery import BoosterDiscovery, import_file  # noqa: PLC0415 - only if the user has tasks

    path = Path(target)
    try:
        if path.is_dir():
            found = BoosterDiscovery(Path.cwd(), [path], max_depth=_DEPTH).auto_discovery()
            if not found:
                raise ConfigurationError(f"no file in {target} decorates a function")
        elif target.endswith(".py") or os.sep in target:
            if not path.is_file():
                raise ConfigurationError(f"there is no file {target}")
            import_file(path, Path.cwd())
        else:
            if not _exists(target):
                raise ConfigurationError(
                    f"there is no module {target!r} in {Path.cwd()} or on sys.path: "
                    "give app.tasks, app/tasks.py or app/"
                )
            importlib.import_module(target)
    except ConfigurationError as error:
        if user_place(error):
            raise broken_module(target, error) from error
        raise
    except (Exception, SystemExit) as error:
        raise broken_module(target, error) from error


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError as error:
        if module.startswith(f"{error.name}"):
            return False
        raise  # a package on the way imports what is not there
    except ValueError:
        return True  # loaded without a spec
