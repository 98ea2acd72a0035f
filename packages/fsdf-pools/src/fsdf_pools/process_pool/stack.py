"""Where a child process is, asked right before it is killed; it answers even from C code that never ends."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from typing import TYPE_CHECKING

from fsdf_pools.process_pool.readable import readable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_PATIENCE = 1.0
"""Seconds that a child has to go on with its answer; one that waits in the kernel for a disk does not."""

_MOST = 65536
"""Bytes of an answer."""

_HEAD = "Killed here (most recent call last):\n"

_INNER = '/answer.py", line '
"""Stands in the frame that calls the function; what is outside is ours."""

_CUT = "\n  ...\n"
"""Ends a stack that is too deep to be told."""


def stack_signal() -> int | None:
    """Return the signal that asks for the stack: one that nothing else uses; None where there is none."""
    highest = getattr(signal, "SIGRTMAX", None)
    return None if highest is None or not hasattr(faulthandler, "register") else int(highest) - 3


def answer_stack(stacks: Connection) -> None:
    """Write the main thread's stack to the pipe whenever the parent asks for it."""
    number = stack_signal()
    if number is not None:
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            faulthandler.register(number, stacks.fileno(), all_threads=False)


def ask_stack(pid: int, stacks: Connection) -> str:
    """Return where a child is, or "" if it does not tell.

    Args:
        pid: the child's process id.
        stacks: what it writes to.
    """
    number = stack_signal()
    if number is None:
        return ""
    text = ""
    told = readable(stacks)
    with contextlib.suppress(OSError, ValueError):
        os.kill(pid, number)
        while not _whole(text) and told(_PATIENCE):
            piece = os.read(stacks.fileno(), _MOST).decode(errors="replace")
            if not piece:
                break
            text += piece
    return as_traceback(text)


def _whole(dump: str) -> bool:
    """Whether all frames of the call are there; they come in small pieces."""
    return _CUT in dump or "\n" in dump.partition(_INNER)[2] or len(dump) > _MOST


def as_traceback(dump: str) -> str:
    """Return the frames of the call, as `faulthandler` tells them, in the order of tracebacks.

    Example:
        >>> dump = ["most recent call first:", '  File "inner.py", line 2 in work', '  File "task.py", line 1 in task']
        >>> print(as_traceback(chr(10).join([*dump, '  File "/answer.py", line 3 in answer'])))
        Killed here (most recent call last):
          File "task.py", line 1 in task
          File "inner.py", line 2 in work
    """
    frames = []
    for line in dump.splitlines():
        if _INNER in line:
            break
        if line.startswith("  "):
            frames.append(line)
    return _HEAD + "\n".join(reversed(frames)) if frames else ""
