"""The pool of eventlet's greenlets."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from fsdf_pools.green_pool import Flag, GreenPool

with warnings.catch_warnings():
    # Its authors advise against it in new programs; who chooses this pool has chosen it already. The category is
    # eventlet's own, and cannot be had before the import that warns.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet  # type: ignore[import-untyped]
    from eventlet import hubs
    from eventlet.event import Event  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable


class EventletPool(GreenPool):
    """Runs calls in greenlets of eventlet; see `GreenPool`."""

    green: ClassVar[str] = "eventlet"

    def current(self) -> Any:
        """Return the greenlet that runs this."""
        return getcurrent()

    def _call_soon(self, function: Callable[[], None]) -> None:
        hubs.get_hub().schedule_call_global(0, function)

    def _new_greenlet(self) -> Any:
        return greenlet(self._work, hubs.get_hub().greenlet)

    def _new_flag(self) -> Flag:
        return _Flag()

    def _give_way(self) -> None:
        eventlet.sleep(0)


class _Flag:
    def __init__(self) -> None:
        self._event: Any = Event()

    def set(self) -> None:
        if not self._event.ready():
            self._event.send()

    def wait(self, timeout: float | None = None) -> None:
        self._event.wait(timeout)
