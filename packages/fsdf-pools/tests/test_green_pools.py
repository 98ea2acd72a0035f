"""Pools of greenlets, in interpreters of their own: a monkey patch is for a whole process."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "green_pools.py"


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_pool_of_greenlets(library):
    done = subprocess.run(
        [sys.executable, str(PROGRAM), library], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert done.stderr == ""
