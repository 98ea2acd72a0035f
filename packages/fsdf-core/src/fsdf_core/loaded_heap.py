"""What a process has loaded before it begins to work is no garbage: nobody need look through it again and again.

Messages that are fetched ahead outlive Python's young generations, so a busy consumer makes the collector look
through everything every few thousand messages: 25 ms for the 50 000 objects of a small program, a quarter of a
second for those of a large one. `gc.freeze` (Python's documentation, module gc) takes what exists out of that.
"""

from __future__ import annotations

import gc
import threading

_lock = threading.Lock()
_spared = False


def spare_loaded_heap() -> None:
    """Freeze what there is, the first time it is called in a process, unless the program has done so itself.

    Reference counting frees those objects as before; what of them becomes part of a cycle later is not freed.
    """
    global _spared  # noqa: PLW0603 - one process has one heap
    with _lock:
        if not _spared and hasattr(gc, "freeze") and not gc.get_freeze_count():
            gc.freeze()
        _spared = True
