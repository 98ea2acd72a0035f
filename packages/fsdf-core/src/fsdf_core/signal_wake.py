"""Waking the main thread for a signal that it would sleep through.

Python calls a signal's handler in the main thread, at its next instruction. If the kernel gives the signal to another
thread, or to the main thread after its last look and before the system call in which it waits, then that wait goes on,
and the handler is called when it ends: perhaps never (https://github.com/python/cpython/issues/66094). The
interpreter's own part writes each signal to the wakeup descriptor, though, whatever thread was given it. A thread
reads there, and sends the main thread, and no other, a signal that does nothing but end its system call.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

from fsdf_core.green.native import threading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NOTHING: Any = getattr(signal, "SIGURG", None)
"""What wakes: ignored unless a program asks for it, and sent by others in vain, too, so that programs bear with it."""

_TIME = 0.05
"""Seconds that the main thread has to notice a signal by itself, and again after each try to wake it."""

_TRIES = 3
"""More would be in vain: a main thread that is busy in C code notices the signal when it comes back."""

_descriptors: tuple[int, int] | None = None


def wake_main_thread(signums: Iterable[int], noticed: Callable[[], bool]) -> None:
    """Let no wait of the main thread outlast one of these signals; to be called in it, more than once does no harm.

    Where the program has a wakeup descriptor or a handler of SIGURG of its own, and on Windows, where a lock cannot
    be waited for interruptibly anyway, it does nothing.

    Args:
        signums: signals that have a handler.
        noticed: whether the handler was called; asked in another thread.
    """
    global _descriptors  # noqa: PLW0603 - process-wide, as signals are
    if _descriptors or not hasattr(signal, "pthread_kill") or signal.getsignal(_NOTHING) is not signal.SIG_DFL:
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    others = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    if others != -1:
        signal.set_wakeup_fd(others)
        os.close(reading)
        os.close(writing)
        return
    signal.signal(_NOTHING, _pass)
    _descriptors = reading, writing
    os.register_at_fork(after_in_child=_forget_after_fork)
    threading.Thread(
        target=_watch, args=(reading, frozenset(signums), noticed, threading.get_ident()),
        name="fsdf-signal-wake", daemon=True,
    ).start()  # fmt: skip


def _pass(signum: int, frame: object) -> None:
    pass


def _watch(reading: int, signums: frozenset[int], noticed: Callable[[], bool], main: int) -> None:
    """Wake the main thread if it has not noticed what came; the thread's work.

    A child that was just forked still writes to the same pipe, so what comes there proves nothing: waking in vain
    must do no harm.
    """
    pause = threading.Event()
    while True:
        if signums.isdisjoint(os.read(reading, 512)):
            continue
        for _ in range(_TRIES):
            if noticed() or pause.wait(_TIME) or noticed():
                break
            signal.pthread_kill(main, _NOTHING)


def _forget_after_fork() -> None:
    """A forked child must not wake its parent; its thread is gone."""
    global _descriptors
    if _descriptors is None:
        return
    ours, _descriptors = _descriptors, None
    with contextlib.suppress(ValueError):  # forked in a thread of a subinterpreter: nothing can be set there
        others = signal.set_wakeup_fd(-1)
        if others not in {-1, ours[1]}:
            signal.set_wakeup_fd(others)
        signal.signal(_NOTHING, signal.SIG_DFL)
    for descriptor in ours:
        os.close(descriptor)
