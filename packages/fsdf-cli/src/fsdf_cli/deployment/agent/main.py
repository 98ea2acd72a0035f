"""Answers one request: JSON on standard input, JSON behind a mark on standard output."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import files, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "fsdf-answer:"
"""Goes before the answer: shells may print, too."""
_ALONE = {"apply": files.apply, "start": workers.start, "stop": workers.stop}
_ANYTIME = {"plan": files.plan, "status": workers.status, "logs": workers.logs}


def main() -> None:
    """Do what is asked for; every error is part of the answer."""
    own = Path(__file__).resolve().parents[1]
    request: dict[str, Any] = json.loads(sys.stdin.buffer.read())
    action = request["action"]
    try:
        if action in _ALONE:
            with _alone(own / "lock", request.get("lock_timeout", 120.0)):
                answer = _ALONE[action](own.parent, own, request)
        else:
            answer = _ANYTIME[action](own.parent, own, request)
    except Exception as error:  # noqa: BLE001 - whoever asked shall know
        answer = {"failure": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
    sys.stdout.write(f"\n{MARK}{json.dumps(answer)}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _alone(path: Path, timeout: float) -> Iterator[None]:
    """Let one deployment change things at a time; the lock ends with the process that holds it."""
    try:
        import fcntl  # noqa: PLC0415 - not on every system
    except ImportError:
        yield
        return
    deadline = time.monotonic() + timeout
    with path.open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise TimeoutError("another deployment of the project is being made") from None
                time.sleep(0.1)
        yield
