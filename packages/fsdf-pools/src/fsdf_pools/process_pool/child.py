"""The parent's view of one child process."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import signal
import time
from typing import TYPE_CHECKING

from fsdf_pools.process_pool.answer import LOG, READY, decode_result
from fsdf_pools.process_pool.child_main import GROUP_SIGNALS, serve
from fsdf_pools.process_pool.exit_reason import exit_reason, oom_kills
from fsdf_pools.process_pool.log_relay import handle_relayed
from fsdf_pools.process_pool.readable import readable
from fsdf_pools.process_pool.spawning import start
from fsdf_pools.process_pool.stack import ask_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOK_EVERY = 1.0
"""Seconds between two looks at whether a child that says nothing is there: another process may hold its pipe."""

_ENDING = 5.0
"""Seconds that a child has to end by itself, and again when killed."""


class ChildGoneError(Exception):
    """The child process has ended, or its pipe has."""


class Child:
    """A process that runs one call after the other; started with "spawn", because a fork of threads may hang.

    Belongs to the thread that made it: on Linux the kernel ends it with that thread.

    Args:
        name: its name.
        setup: for `child_main.serve`.
        main_file: the script, if this process runs one.

    Raises:
        OSError: the system has no process or no pipe left.
    """

    def __init__(self, name: str, setup: bytes, main_file: str | None) -> None:
        self.ready = False
        self.calls = 0
        self.warmed = 0
        self._killed = False
        spawn = multiprocessing.get_context("spawn")
        self._oom_kills = oom_kills()
        # Of two pipes, because one for both directions is twice as slow.
        requests, self._requests = spawn.Pipe(duplex=False)
        self._answers, answers = spawn.Pipe(duplex=False)
        self._stacks, stacks = spawn.Pipe(duplex=False)
        self._readable = readable(self._answers)
        level = logging.getLogger().level
        self._process = spawn.Process(
            target=serve, args=(requests, answers, stacks, setup, level), name=name, daemon=False
        )
        try:
            with _signals_blocked():
                knows_main = start(self._process, main_file)
        except BaseException:
            self._close_pipes()
            raise
        finally:
            requests.close()
            answers.close()
            stacks.close()
        self.pid = self._process.pid
        if not knows_main:
            self.kill()

    def send(self, request: bytes) -> None:
        """Hand a call over.

        Raises:
            ChildGoneError: nobody will read it.
        """
        try:
            self._requests.send_bytes(request)
        except OSError as error:
            raise ChildGoneError from error

    def hear(self, timeout: float) -> bytes | None:
        """Return the next frame that is no log record, or None if none comes in time.

        Raises:
            ChildGoneError: none will come.
        """
        deadline = time.monotonic() + timeout
        left = timeout
        try:
            while True:
                if self._readable(min(left, _LOOK_EVERY)):
                    frame = self._answers.recv_bytes()
                    if frame[:1] != LOG:
                        return frame
                    handle_relayed(frame[1:])
                elif left <= 0:
                    return None
                elif self._process.exitcode is not None:
                    raise ChildGoneError
                left = max(0.0, deadline - time.monotonic())
        except (EOFError, OSError) as error:
            raise ChildGoneError from error

    def check_ready(self, frame: bytes) -> None:
        """Take its first frame.

        Raises:
            BaseException: the initializer raised it.
        """
        if frame != READY:
            decode_result(frame)
        self.ready = True

    def whereabouts(self) -> str:
        """Return the lines of code that it runs, as the text of a traceback, or ""; any thread may ask."""
        return ask_stack(self.pid, self._stacks) if self.pid is not None else ""

    def kill(self) -> None:
        """End it now; any thread may."""
        self._killed = True
        with contextlib.suppress(OSError, ValueError):
            self._process.kill()

    def retire(self) -> str:
        """Let it end by itself, or end it; return why it did."""
        self._close_pipes()
        self._process.join(0.0 if self._killed else _ENDING)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(_ENDING)
        code = self._process.exitcode
        if code is None:
            return "for an unknown reason: somebody else has taken its exit code, or it cannot be killed"
        reason = exit_reason(code, out_of_memory=self._lacked_memory())
        self._process.close()
        return reason

    def forget(self) -> None:
        """Let go of it in a forked process, whose child it is not."""
        self._close_pipes()
        # `multiprocessing` would wait for it when the forked process exits, and fail.
        getattr(multiprocessing.process, "_children", set()).discard(self._process)

    def _close_pipes(self) -> None:
        self._requests.close()
        self._answers.close()
        self._stacks.close()

    def _lacked_memory(self) -> bool | None:
        now = oom_kills()
        return None if now is None or self._oom_kills is None else now > self._oom_kills


@contextlib.contextmanager
def _signals_blocked() -> Iterator[None]:
    """Keep signals from a process that is just starting, which would end by them; it lets them in when it can."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker  # noqa: PLC0415 - POSIX only

    # It would unblock them if it were started below.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
