"""What a pool raises."""

from __future__ import annotations

import queue


class PoolClosedError(RuntimeError):
    """The pool no longer accepts work: it was shut down, closed, or the interpreter is exiting."""


class PoolFullError(queue.Full):
    """The bounded queue had no room within the time that the caller was ready to wait."""


class NoThreadError(RuntimeError):
    """The operating system refused a thread and the pool has no other to run the work on."""
