"""Threads and locks of the operating system, whatever was patched.

Drivers that wait in C run in real threads under monkey patches (see `fsdf_core.green.calls`). There the patched
locks would not do: they belong to the greenlets of one thread. So the adapters of such drivers import `threading`
from here. Without patches it is the standard library's.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__all__ = ["patched_by", "threading", "use_native_locks"]


def patched_by() -> str | None:
    """Return "gevent" or "eventlet" if its monkey patch has replaced threads in this process, else None."""
    gevent: Any = sys.modules.get("gevent.monkey")
    if gevent is not None and gevent.is_module_patched("threading"):
        return "gevent"
    eventlet: Any = sys.modules.get("eventlet.patcher")
    if eventlet is not None and eventlet.is_monkey_patched("thread"):
        return "eventlet"
    return None


def use_native_locks(*modules: ModuleType) -> None:
    """Let modules of a client library, which have imported `threading`, make their locks of the real one.

    For libraries that are used in real threads only, because they wait in C. Does nothing without patches.
    """
    if patched_by() is not None:
        for module in modules:
            vars(module)["threading"] = threading


def _native_threading() -> ModuleType:
    library = patched_by()
    if library is None:
        return _import("threading")
    if library == "eventlet":
        original: ModuleType = sys.modules["eventlet.patcher"].original("threading")
        return original
    return _second_copy(sys.modules["gevent.monkey"])


def _second_copy(gevent: Any) -> ModuleType:
    """Return a `threading` on the original `_thread`: gevent has replaced the contents of both in place."""
    patched = _import("_thread")
    low = ModuleType("_thread")
    vars(low).update(vars(patched))
    for name in gevent.saved.get("_thread", ()):
        setattr(low, name, gevent.get_original("_thread", name))
    spec = importlib.util.find_spec("threading")
    if spec is None or spec.loader is None:
        raise ImportError("the standard library has no threading")
    copy = importlib.util.module_from_spec(spec)
    sys.modules["_thread"] = low
    try:
        spec.loader.exec_module(copy)
    finally:
        sys.modules["_thread"] = patched
    return copy


def _import(name: str) -> ModuleType:
    return importlib.import_module(name)


if TYPE_CHECKING:
    import threading
else:
    threading = _native_threading()
