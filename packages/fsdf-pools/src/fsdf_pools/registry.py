"""The crews that are alive, and the hooks they need: registered with the first pool, not on import."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

from fsdf_pools import leaving

if TYPE_CHECKING:
    from fsdf_pools.tenant import Tenant


class Registry:
    """Knows every crew without keeping it alive."""

    def __init__(self) -> None:
        self._crews: weakref.WeakSet[Tenant] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._hooked = False

    def add(self, crew: Tenant) -> None:
        """Look after the crew when the interpreter exits or the process forks.

        Args:
            crew: A new crew.
        """
        with self._lock:
            self._crews.add(crew)
            if self._hooked:
                return
            self._hooked = True
        leaving.install(self.snapshot)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)

    def snapshot(self) -> list[Tenant]:
        """The crews that are alive now."""
        with self._lock:
            return list(self._crews)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        for crew in self.snapshot():
            crew.after_fork()


CREWS = Registry()
