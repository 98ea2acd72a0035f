"""The pool of gevent's greenlets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import gevent  # type: ignore[import-untyped]
from gevent.event import Event  # type: ignore[import-untyped]
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from fsdf_pools.green_pool import Flag, GreenPool

if TYPE_CHECKING:
    from collections.abc import Callable


class GeventPool(GreenPool):
    """Runs calls in greenlets of gevent; see `GreenPool`."""

    green: ClassVar[str] = "gevent"

    def current(self) -> Any:
        """Return the greenlet that runs this."""
        return getcurrent()

    def _call_soon(self, function: Callable[[], None]) -> None:
        gevent.get_hub().loop.run_callback(function)

    def _new_greenlet(self) -> Any:
        return greenlet(self._work, gevent.get_hub())

    def _new_flag(self) -> Flag:
        flag: Flag = Event()
        return flag

    def _give_way(self) -> None:
        gevent.sleep(0)
