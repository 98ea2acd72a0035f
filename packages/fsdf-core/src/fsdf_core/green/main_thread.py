"""The main thread, and under monkey patches the greenlet that it was: there a signal may come in any greenlet."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

from fsdf_core.green import native

if TYPE_CHECKING:
    from types import FrameType


def in_main() -> bool:
    """Whether this runs in the main thread, in its first greenlet."""
    if native.patched_by() is None:
        return threading.current_thread() is threading.main_thread()
    import greenlet  # type: ignore[import-untyped]  # noqa: PLC0415 - the patching library needs it

    inside = native.threading.current_thread() is native.threading.main_thread()
    return inside and greenlet.getcurrent().parent is None


def leaving(frame: FrameType | None) -> bool:
    """Whether the interpreter joins its threads already: an exception there would only be complained of.

    Args:
        frame: what a signal has interrupted.
    """
    if native.patched_by() is not None and not in_main():
        frame = _root().gr_frame
    while frame is not None and frame.f_back is not None:
        frame = frame.f_back
    if frame is None:
        return False
    return frame.f_code.co_name == "_shutdown" and frame.f_globals.get("__name__") == "threading"


def raise_in_main(error: BaseException) -> None:
    """Raise an error in the main thread; called in a signal handler."""
    library = native.patched_by()
    if library is None or in_main():
        raise error
    root = _root()
    if library == "gevent":
        sys.modules["gevent"].get_hub().loop.run_callback(root.throw, error)
    else:
        sys.modules["eventlet.hubs"].get_hub().schedule_call_global(0, root.throw, error)


def _root() -> Any:
    """Return the first greenlet of this thread."""
    import greenlet  # noqa: PLC0415 - as above

    found = greenlet.getcurrent()
    while found.parent is not None:
        found = found.parent
    return found
