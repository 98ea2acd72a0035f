"""Waits for the state store's default file, for what has nothing to do in a store that nobody uses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fsdf_core import registry
from fsdf_core.settings import get_settings

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK = 1.0


def state_is_used() -> bool:
    """Whether there is a state store: the setting `state_url`, or the default file."""
    settings = get_settings()
    return settings.state_url is not None or registry.default_state_file(settings).exists()


class StateFileWait:
    """A thread `fsdf-await-state` that ends when there is a state store, or by `close`.

    It is no reason for the process to live on.

    Args:
        then: called in that thread when there is one.
    """

    def __init__(self, then: Callable[[], object]) -> None:
        self._then = then
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fsdf-await-state", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it waits; it does not in a forked child."""
        return self._thread.is_alive()

    def close(self, timeout: float = 5.0) -> None:
        """End it, within seconds."""
        self._closed.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not state_is_used():
            if self._closed.wait(_LOOK):
                return
        if not self._closed.is_set():
            self._then()
