"""What runs in a child process."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

from fsdf_pools.process_pool.answer import READY, answer, encode_error
from fsdf_pools.process_pool.log_relay import relay_logs
from fsdf_pools.process_pool.stack import answer_stack

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

GROUP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""Signals that terminals and service managers send to all processes of a group: they concern the parent."""

_PR_SET_PDEATHSIG = 1


def serve(requests: Connection, answers: Connection, stacks: Connection, setup: bytes, level: int) -> None:
    """Run the parent's calls until it closes the pipe or is gone.

    Args:
        requests: what the parent writes to.
        answers: what it reads.
        stacks: where it reads what it asks for before it kills this process.
        setup: a pickled `(initializer, arguments)`; the initializer may be None.
        level: of the parent's root logger.
    """
    _leave_signals_to_the_parent()
    _end_with_the_parent()
    with contextlib.suppress(Exception):  # stderr may be no file
        faulthandler.enable(all_threads=False)
    answer_stack(stacks)
    sending = threading.Lock()

    def send(frame: bytes) -> None:
        with sending:
            answers.send_bytes(frame)

    relay_logs(send, level)
    with contextlib.suppress(EOFError, OSError):
        send(_prepare(setup))
        while True:
            request = requests.recv_bytes()
            send(answer(request))


def _prepare(setup: bytes) -> bytes:
    try:
        initializer, arguments = pickle.loads(setup)  # noqa: S301 - from the parent
        if initializer is not None:
            initializer(*arguments)
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        return encode_error(error)
    return READY


def _leave_signals_to_the_parent() -> None:
    for number in GROUP_SIGNALS:
        signal.signal(number, _ignore)
    if hasattr(signal, "pthread_sigmask"):
        # The parent has blocked them meanwhile.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)


def _ignore(signum: int, frame: Any) -> None:
    """Do nothing. Unlike SIG_IGN it is not inherited by programs that calls start."""


def _end_with_the_parent() -> None:
    threading.Thread(target=_watch_parent, name="fsdf-parent-watch", daemon=True).start()
    if sys.platform != "linux":
        return
    # The thread above needs the interpreter's lock, which a call in C may keep; the kernel does not.
    with contextlib.suppress(Exception):
        import ctypes  # noqa: PLC0415 - where it is needed only

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        os._exit(1)


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        with contextlib.suppress(Exception):
            logging.shutdown()
        os._exit(1)
