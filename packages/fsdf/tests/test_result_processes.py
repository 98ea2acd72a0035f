"""Results between processes, and the end of a script."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from fsdf import AsyncResult

PATIENCE = 120


@pytest.fixture
def script(tmp_path):
    """Runs a program to its end in the project of this test; returns what it prints."""

    def run(program, status=0):
        path = tmp_path / "program.py"
        path.write_text(textwrap.dedent(program), encoding="utf-8")
        environment = {**os.environ, "FSDF_HANDLE_SIGNALS": "1"}
        done = subprocess.run(
            [sys.executable, str(path)], env=environment, cwd=tmp_path, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stdout.split()

    return run


def test_a_result_for_another_process_that_knows_the_id(decorate, script):
    task = decorate(lambda x: {"doubled": 2 * x}, broker_kind="SQLITE_QUEUE", is_using_rpc_mode=True)
    task.consume()
    result = task.push(21)
    out = script(f"""
        from fsdf import AsyncResult
        print(AsyncResult("{result.task_id}").get({PATIENCE})["doubled"])
    """)
    assert out == ["42"]


def test_a_result_of_another_process(script):
    (task_id,) = script("""
        from fsdf import boost
        @boost("far", is_using_rpc_mode=True)
        def far(x):
            return x + 1
        if __name__ == "__main__":
            result = far.push(1)
            far.consume()
            result.get(60)
            print(result.task_id)
            far.stop()
    """)
    assert AsyncResult(task_id).get(PATIENCE) == 2


def test_the_end_of_a_script_waits_for_its_callbacks(script):
    out = script("""
        import threading
        from fsdf import boost
        @boost("slow", is_using_rpc_mode=True, broker_kind="MEMORY_QUEUE")
        def slow(x):
            threading.Event().wait(1)
            return x + 1
        def show(status):
            threading.Event().wait(0.2)
            print("called", status and status["result"], flush=True)
            slow.stop()
        slow.consume()
        slow.push(1).set_callback(show)
        print("end", flush=True)
    """)
    assert out == ["end", "called", "2"]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals between processes there")
def test_a_signal_does_not_wait_for_callbacks(script):
    out = script("""
        import os, signal, threading
        from fsdf import boost
        @boost("never", is_using_rpc_mode=True, broker_kind="MEMORY_QUEUE")
        def never(x): ...
        @boost("other", broker_kind="MEMORY_QUEUE")
        def other():
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        never.push(1).set_callback(print)
        other.consume()
        other.push()
        print("end", flush=True)
    """)
    assert out == ["end"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_forked_children_wait_for_themselves(script):
    out = script("""
        import os, signal, threading
        from fsdf import boost
        @boost("forked", is_using_rpc_mode=True)
        def add(x):
            return x + 1
        worker = os.fork()
        if worker == 0:
            add.consume()
            threading.Event().wait(60)
            os._exit(0)
        print(add.push(1).get(60), flush=True)
        child = os.fork()
        if child == 0:
            print(add.push(10).get(60), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(add.push(2).get(60), flush=True)
        os.kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
    """)
    assert out == ["2", "11", "3"]
