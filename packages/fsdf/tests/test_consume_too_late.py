"""A thread that begins to consume when the interpreter is being left."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import sys, threading
from fsdf import boost

@boost("late", broker_kind="MEMORY_QUEUE")
def task(x): ...

def late():
    threading.main_thread().join()
    try:
        task.consume()
    except Exception as error:
        sys.stdout.write(f"{type(error).__name__}: {error}")

threading.Thread(target=late).start()
"""


def test_it_is_one_clear_error(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, "FSDF_HOME": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert ended.stdout.startswith("ConsumerError: late: the main thread has ended"), ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
