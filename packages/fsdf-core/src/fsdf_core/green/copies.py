"""Copies of client libraries in Python, whose sockets are the operating system's, whatever was patched.

A patched socket belongs to the greenlets of one thread. Where one connection is used in many real threads (see
`fsdf_core.green.calls`), the library needs the unpatched ones; the user's own use of it keeps those that are patched.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from importlib.abc import InspectLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Mapping

_copying = threading.Lock()
_sockets: dict[str, ModuleType] = {}


def copy_on_native_sockets(name: str) -> ModuleType:
    """Return a second copy of a module, made with unpatched `socket` and `ssl`.

    Args:
        name: the module's full name; its own imports from other modules are shared.

    Raises:
        ImportError: there is no such module, or it has no source in Python.
    """
    with _copying:
        if not _sockets:
            _sockets["socket"] = _copy("socket", {})
            _sockets["ssl"] = _copy("ssl", _sockets)
        return _copy(name, _sockets)


def _copy(name: str, instead: Mapping[str, ModuleType]) -> ModuleType:
    spec = importlib.util.find_spec(name)
    if spec is None or not isinstance(spec.loader, InspectLoader):
        raise ImportError(f"no module {name}", name=name)
    code = spec.loader.get_code(name)
    if code is None:
        raise ImportError(f"{name} has no source in Python", name=name)

    def import_(asked: str, *where: Any, **more: Any) -> Any:
        return instead[asked] if asked in instead else __import__(asked, *where, **more)

    parent, dot, last = name.rpartition(".")
    copy = ModuleType(f"{parent}{dot}_fsdf_native_{last}")
    copy.__package__ = parent
    copy.__file__ = spec.origin
    vars(copy)["__builtins__"] = {**vars(builtins), "__import__": import_}
    sys.modules[copy.__name__] = copy  # enumerations look for it
    exec(code, vars(copy))  # noqa: S102 - an import
    return copy
