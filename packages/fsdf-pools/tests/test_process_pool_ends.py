"""The ends of processes that have a pool of processes: exit, Ctrl-C, fork."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """
import os, re, sys, threading, time
from fsdf_pools import ProcessPool

def slowly(path):
    time.sleep(0.3)
    with open(path, "w") as file:
        file.write("done")

def endless():
    print("begun", flush=True)
    re.match(r"(a+)+$", "a" * 60 + "b")
"""

pytestmark = pytest.mark.timeout(120)


def start(folder: Path, body: str) -> subprocess.Popen[str]:
    path = folder / "script.py"
    path.write_text(HEAD + "\nif __name__ == '__main__':\n" + textwrap.indent(textwrap.dedent(body), "    "))
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


def test_what_was_submitted_is_finished_before_the_end(tmp_path: Path) -> None:
    script = start(
        tmp_path, f"pool = ProcessPool(1)\nfor name in 'ab':\n    pool.submit(slowly, {str(tmp_path)!r} + '/' + name)"
    )
    out, errors = script.communicate()
    assert (script.returncode, out, errors) == (0, "", "")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["done", "done"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_control_c_ends_a_call_that_holds_the_interpreter(tmp_path: Path) -> None:
    script = start(tmp_path, "pool = ProcessPool(1)\npool.submit(endless).result()")
    assert script.stdout is not None
    assert script.stdout.readline() == "begun\n"
    for _ in range(2):
        # The first is the main thread's; the second ends the wait at the exit.
        os.killpg(script.pid, signal.SIGINT)
        try:
            _, errors = script.communicate(timeout=2)
            break
        except subprocess.TimeoutExpired:
            continue
    else:
        _, errors = script.communicate()
    assert "KeyboardInterrupt" in errors
    assert script.returncode != 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_has_children_of_its_own(tmp_path: Path) -> None:
    script = start(
        tmp_path,
        """
        pool = ProcessPool(1)
        mine = pool.submit(os.getpid).result()
        if os.fork() == 0:
            print(pool.submit(os.getpid).result() not in (mine, os.getpid()), flush=True)
            sys.exit()
        print(os.wait()[1], pool.submit(os.getpid).result() == mine, flush=True)
        """,
    )
    out, errors = script.communicate()
    assert (script.returncode, out.split("\n"), errors) == (0, ["True", "0 True", ""], "")
