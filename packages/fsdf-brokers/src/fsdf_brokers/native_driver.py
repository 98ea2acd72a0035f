"""The driver of a SQL database for adapters that run in real threads, also under monkey patches."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fsdf_core.green.copies import copy_on_native_sockets
from fsdf_core.green.native import patched_by

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def driver_options(url: URL) -> dict[str, Any]:
    """Return what `create_engine` is to be told of the driver: pymysql waits in Python, and would use patched sockets.

    Raises:
        ImportError: the driver is not installed.
    """
    native = patched_by() is not None and url.get_driver_name() == "pymysql"
    return {"module": _native_pymysql()} if native else {}


@cache
def _native_pymysql() -> ModuleType:
    shared = importlib.import_module("pymysql")
    module = ModuleType(shared.__name__)
    vars(module).update(vars(shared))
    vars(module)["connect"] = copy_on_native_sockets("pymysql.connections").Connection
    return module
