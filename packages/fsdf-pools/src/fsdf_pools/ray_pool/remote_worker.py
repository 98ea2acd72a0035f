"""What runs on the cluster: an actor that answers calls as the child process of a `ProcessPool` does."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
import sys
from multiprocessing import spawn
from pathlib import Path

from fsdf_pools.process_pool.answer import answer


def main_address() -> dict[str, str]:
    """Return how another process finds the main module of this one: by name, by path, or not at all."""
    main = sys.modules["__main__"]
    name = getattr(getattr(main, "__spec__", None), "name", None)
    if name is not None:
        return {"init_main_from_name": name}
    path = getattr(main, "__file__", None)
    return {} if path is None else {"init_main_from_path": str(Path(path).resolve())}


class RemoteWorker:
    """Runs the calls of one thread of a `RayPool`, one after the other.

    Args:
        main: what `main_address` has returned.
    """

    def __init__(self, main: dict[str, str]) -> None:
        # By this name modules know, while they are imported, that this process consumes nothing itself.
        multiprocessing.current_process().name = "fsdf-ray-worker"
        with contextlib.suppress(FileNotFoundError):  # on another machine
            # As for its own children, so that the script's `if __name__ == "__main__"` does not run.
            spawn.prepare(dict(main))

    def where(self) -> tuple[str, int]:
        """Return the name of the machine, and the process id."""
        return socket.gethostname(), os.getpid()

    def answer(self, request: bytes) -> bytes:
        """Run a call; return the frame with its outcome."""
        return answer(request)
