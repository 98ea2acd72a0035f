"""The thread in which controls look at the world."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from fsdf_core.control import overriding

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from fsdf_core.control import Control

PERIOD = 0.5
"""Seconds between two ticks."""


class Ticker:
    """Owns the thread `fsdf-tick-<queue>`; there is none if no control overrides `tick`.

    Args:
        controls: those of the consumer.
        logger: where a tick that fails is logged, once for each kind of trouble.
        name: the queue's name.
    """

    def __init__(self, controls: Sequence[Control], logger: logging.Logger, name: str) -> None:
        self._ticks = overriding(controls, "tick")
        self._logger = logger
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"fsdf-tick-{name}", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        if self._ticks:
            self._thread.start()

    def close(self, timeout: float) -> None:
        """End the thread, waiting at most `timeout` seconds for a tick that runs."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        troubles: dict[int, str] = {}
        while not self._ended.wait(PERIOD):
            for place, tick in enumerate(self._ticks):
                try:
                    tick(time.monotonic())
                except Exception as error:  # noqa: BLE001 - a control may raise anything, the others go on
                    self._complain(troubles, place, error)
                else:
                    if troubles.pop(place, None) is not None:
                        self._logger.info("%s works again", type(tick.__self__).__name__)

    def _complain(self, troubles: dict[int, str], place: int, error: Exception) -> None:
        description = f"{type(error).__name__}: {error}"
        if troubles.get(place) != description:
            troubles[place] = description
            self._logger.warning(
                "%s fails, trying on: %s",
                type(self._ticks[place].__self__).__name__,
                description,
                exc_info=self._logger.isEnabledFor(10),
            )
