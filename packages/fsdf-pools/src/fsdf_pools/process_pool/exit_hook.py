"""The end of all pools of processes, when the interpreter exits."""

from __future__ import annotations

import atexit
import multiprocessing.util  # noqa: F401 - its exit hook, which waits for children, must be registered before ours
import weakref
from typing import TYPE_CHECKING

from fsdf_pools.registry import CREWS

if TYPE_CHECKING:
    from fsdf_pools.process_pool.staff import Staff

_all: weakref.WeakSet[Staff] = weakref.WeakSet()


def look_after(staff: Staff) -> None:
    """Wait at the exit for what was submitted, end the children before `multiprocessing` waits for them."""
    CREWS.add(staff)
    if not _all:
        atexit.register(_close_all)
    _all.add(staff)


def _close_all() -> None:
    for staff in list(_all):
        staff.at_exit()
