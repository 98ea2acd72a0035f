"""What a process has loaded before it begins to work is no garbage: nobody need look through it again and again.

Messages that are fetched ahead outlive Python's young generations, so a busy consumer makes the collector look
through everything every few thousand messages: 25 ms for the 50 000 objects of a small program, a quarter of a
second for those of a large one. `gc.freeze` (Python's documentation, module gc) takes what exists out of that.

The young generation is collected whenever 700 objects more have come than gone (2000 since Python 3.13), which is
less than what is fetched ahead: each message is looked at while it is in use. Of 50 000 objects, most are not.
"""

from __future__ import annotations

import gc
import threading

_YOUNG = 50_000
"""Objects that have come and not gone, before the collector looks for cycles among them."""

_lock = threading.Lock()
_spared = False


def spare_loaded_heap() -> None:
    """Freeze what there is, and let more come before each look at what is new; the first time in a process only.

    Nothing happens if the program has frozen its heap itself; a threshold that is higher, or 0 (never), is left alone.
    Reference counting frees all objects as before; what of the frozen ones becomes part of a cycle later is not freed.
    """
    global _spared  # noqa: PLW0603 - one process has one heap
    with _lock:
        if not _spared and hasattr(gc, "freeze") and not gc.get_freeze_count():
            gc.freeze()
            young, *older = gc.get_threshold()
            if 0 < young < _YOUNG:
                gc.set_threshold(_YOUNG, *older)
        _spared = True
