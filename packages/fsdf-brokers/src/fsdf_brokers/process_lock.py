"""Proof that a process of this host lives: a file that the kernel keeps locked for it until it dies.

The kernel releases the lock however the process ends, and no user code can stall it, so there is neither a
false "dead" (a task that holds the GIL) nor a long "alive" (kill -9, a reused process id).

Usage:
    mark = LifeMark(folder, consumer_id)    # in the consumer's process, before it claims anything
    is_alive(folder, consumer_id)           # in any process of the host: ALIVE, DEAD or UNKNOWN
    mark.release()

A lock that cannot be tested (another user's file, no descriptors left) proves nothing. Then the age of the
owner's heartbeat must do: `mark.beat()` and `beat_age(folder, consumer_id)`, or one that is kept elsewhere.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import sys
import time
from pathlib import Path
from urllib.parse import quote

from fsdf_core.green.native import threading

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    # Record locks, not flock: a forked child must not keep its dead parent's lock.
    def _lock(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


BLIND_LIMIT = 30.0
"""Seconds without a heartbeat after which an owner counts as dead whose life is UNKNOWN."""

_HELD = frozenset({errno.EAGAIN, errno.EACCES, errno.EDEADLK})
"""What a lock says that another process holds (POSIX allows the first two, Windows says the last two)."""

_ATTEMPTS = 1000
_PAUSE = 0.002

_guard = threading.Lock()
_mine: dict[str, int] = {}
"""Locked files of this process by path. A record lock ends with the first close of its file in the process,
so the process must never open its own files a second time."""


class Life(enum.Enum):
    """What is known of an owner. False only if it is surely dead, so a careless asker errs towards patience."""

    ALIVE = enum.auto()
    DEAD = enum.auto()
    UNKNOWN = enum.auto()

    def __bool__(self) -> bool:
        return self is not Life.DEAD


class LifeMark:
    """A locked file `<folder>/<owner>.lock`, held until `release()` or the process's end.

    Args:
        folder: shared by everybody who may ask; created if need be.
        owner: unique among living and dead owners.

    Raises:
        OSError: the folder is not writable.
    """

    def __init__(self, folder: Path, owner: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = _path(folder, owner)
        with _guard:
            _mine[self._path] = _locked_file(self._path)

    def beat(self) -> None:
        """Renew the time of the file, for those who cannot test its lock. Does nothing once released."""
        with _guard, contextlib.suppress(OSError):
            if self._path in _mine:
                os.utime(self._path)

    def release(self) -> None:
        """Unlock and delete the file. Idempotent."""
        with _guard:
            descriptor = _mine.pop(self._path, None)
            if descriptor is not None:
                _discard(self._path, descriptor)


def is_alive(folder: Path, owner: str) -> Life:
    """Return whether the owner's process lives and has not released its mark; clean up after a dead one.

    UNKNOWN: the lock cannot be tested. The owner may be dead once its heartbeat is `BLIND_LIMIT` seconds old.
    """
    path = _path(folder, owner)
    with _guard:
        if path in _mine:
            return Life.ALIVE
        try:
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            return Life.DEAD
        except OSError:  # Windows also says so of a file that is being deleted
            return Life.UNKNOWN
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            return Life.ALIVE if error.errno in _HELD else Life.UNKNOWN
        if _same_file(path, descriptor):
            _discard(path, descriptor)
            return Life.DEAD
        # Somebody else has deleted this file; another one of that name may be in use.
        os.close(descriptor)
        return Life.ALIVE if Path(path).exists() else Life.DEAD


def beat_age(folder: Path, owner: str) -> float | None:
    """Return the seconds since the owner was marked or beat; None if the file cannot even be looked at."""
    try:
        return time.time() - os.stat(_path(folder, owner)).st_mtime  # noqa: PTH116 - the path is text
    except OSError:
        return None


def _path(folder: Path, owner: str) -> str:
    return str(folder / f"{quote(owner, safe='')}.lock")


def _locked_file(path: str) -> int:
    for _ in range(_ATTEMPTS):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        with contextlib.suppress(OSError):
            _lock(descriptor)
            # Somebody who asked between the two lines above has deleted the file: then lock a new one.
            if _same_file(path, descriptor):
                return descriptor
        os.close(descriptor)
        time.sleep(_PAUSE)
    raise OSError(f"cannot lock {path}: does its file system know file locks?")


def _same_file(path: str, descriptor: int) -> bool:
    try:
        found, held = Path(path).stat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, held)


def _discard(path: str, descriptor: int) -> None:
    """Delete before closing, so that nobody locks the file in between; Windows only deletes closed files."""
    if sys.platform != "win32":
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()
    os.close(descriptor)
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            Path(path).unlink()


def _forget_after_fork() -> None:
    """A forked child holds none of its parent's locks."""
    global _guard  # noqa: PLW0603 - the parent's may be held
    _guard = threading.Lock()
    for descriptor in _mine.values():
        with contextlib.suppress(OSError):
            os.close(descriptor)
    _mine.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
