"""Public names of a package whose modules are imported when the names are used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazy_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package; a name that was used once is an ordinary one from then on.

    Args:
        package: its `__name__`.
        homes: the module of each name; one that begins with a dot is the package's own.

    Example:
        >>> lazy_names("fsdf_core", {"Message": ".message"})("Message")
        <class 'fsdf_core.message.Message'>
    """

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home, package), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
