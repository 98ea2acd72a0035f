"""Where worker processes can be started from, and the one error where they cannot."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from fsdf import BoostersManager, BrokerEnum, boost
from fsdf_core.errors import ConfigurationError, UnsupportedFeature
from tests.processes.conftest import HERE

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

SCRIPT = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
from fsdf import boost

@boost("forms", log_level=20)
def task(x):
    sys.stdout.write(f"ran {x}\\n")
    sys.stdout.flush()
"""
GUARDED = """
if __name__ == "__main__":
    task.push(1)
    task.consume()
    task.stop()
    task.multi_process_consume(1)
    task.push(2)
"""


@pytest.fixture
def run(tmp_path):
    """Runs a program until it says something, then ends it; returns what it has said."""
    children = []

    def start(*words, source=None, until=None, stdin=None):
        if source is not None:
            (tmp_path / "form.py").write_text(SCRIPT + textwrap.dedent(source))
        environment = {**os.environ, "FSDF_HOME": str(tmp_path / "home"), "FSDF_HANDLE_SIGNALS": "1"}
        child = subprocess.Popen(
            [sys.executable, *words], cwd=tmp_path, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        children.append(child)
        child.stdin.write(stdin or "")
        child.stdin.close()
        output = ""
        for line in child.stdout:
            output += line
            if until and re.search(until, output):
                child.terminate()
                until = None
        assert until is None, output
        child.stdout.close()
        return child.wait(30), output

    yield start
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


@pytest.mark.parametrize(
    "words", [("form.py",), ("-m", "form"), ("-c", "import form; form.task.mp_consume(1); form.task.push(2)")]
)
def test_a_task_in_a_file(run, words):
    status, output = run(*words, source=GUARDED, until="ran 2")
    assert status == 0, output
    assert output.count("ran 2") == 1
    assert "Traceback" not in output


def test_a_task_in_the_main_file_of_a_package(run, tmp_path):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__main__.py").write_text(SCRIPT + textwrap.dedent(GUARDED))
    status, output = run("-m", "pack", until="ran 2")
    assert status == 0, output
    assert "Traceback" not in output


def test_the_main_file_of_a_folder_is_one_clear_error(run, tmp_path):
    (tmp_path / "__main__.py").write_text(SCRIPT + "task.multi_process_consume(1)\n")
    status, output = run(".")
    assert status == 1
    assert "move the function into a module beside it" in output


def test_a_module_that_no_file_has_is_one_clear_error(run):
    status, output = run("-c", f"exec({SCRIPT!r} + 'task.multi_process_consume(1)', {{'__name__': 'typed'}})")
    assert status == 1
    assert "its module 'typed' is no file that can be imported" in output


def test_a_script_without_a_guard_starts_no_processes_of_processes(run):
    unguarded = """
        task.consume()
        from fsdf import BoostersManager, ctrl_c_recv
        BoostersManager.consume_all(block=False)
        task.stop()
        task.multi_process_consume(1)
        ctrl_c_recv()
        """
    status, output = run("form.py", source=unguarded, until=r'(?s)under `if __name__ == "__main__":`.*consuming forms')
    assert status == 0, output
    assert len(re.findall("started, pid", output)) == 1


@pytest.mark.parametrize("words", [("-",), ("-c", SCRIPT + "task.multi_process_consume(1)")])
def test_a_typed_in_function_is_one_clear_error(run, words):
    status, output = run(*words, stdin=SCRIPT + "task.multi_process_consume(1)\n")
    assert status == 1
    assert "need the function in a file" in output


def test_a_function_inside_the_main_block_is_one_clear_error(run):
    inside = """
        if __name__ == "__main__":
            @boost("inside")
            def hidden(x):
                pass
            hidden.multi_process_consume(1)
        """
    status, output = run("form.py", source=inside)
    assert status == 1
    assert "move it above that line" in output


def test_decorated_inside_the_main_block_says_so_in_the_log(run):
    inside = """
        def plain(x):
            pass

        if __name__ == "__main__":
            boost("inside", log_level=20)(plain).multi_process_consume(1)
        """
    status, output = run("form.py", source=inside, until="decorate at the top level of the module")
    assert status == 0, output


def test_what_cannot_be_is_refused():
    @boost("local")
    def local(x): ...

    with pytest.raises(ConfigurationError, match="top level of a module"):
        local.multi_process_consume(2)
    with pytest.raises(ConfigurationError, match="1 or more, not 0"):
        local.multi_process_consume(0)
    with pytest.raises(ConfigurationError, match="first number is the smaller"):
        local.multi_process_consume(3, 2)
    with pytest.raises(ConfigurationError, match="stall_limit"):
        local.multi_process_consume(1, stal_limit=3)
    with pytest.raises(ConfigurationError, match="max_tasks_per_child must be a number above 0"):
        local.multi_process_consume(1, max_tasks_per_child=0)
    with pytest.raises(UnsupportedFeature, match="other processes cannot reach"):
        in_memory.multi_process_consume(1)


@boost("in-memory", broker_kind=BrokerEnum.MEMORY_QUEUE, booster_group="nobody's")
def in_memory(x): ...


def test_an_unknown_group_is_refused():
    with pytest.raises(ConfigurationError, match="no task has the booster_group"):
        BoostersManager.mp_consume_group("nobodys", 2)


@pytest.mark.parametrize(
    ("call", "processes"),
    [
        ("BoostersManager.mp_consume_group('group', 1)", 1),
        ("BoostersManager.mp_consume(**{'grouped-1': 1, 'grouped-2': 1})", 2),
        ("run_many_consumer_with_multi_process([jobs.grouped_1, jobs.grouped_2], 1)", 1),
    ],
)
def test_several_queues(hire, call, processes):
    boss = hire("grouped-1")
    (boss.folder / "group.py").write_text(
        "import jobs\n"
        "from fsdf import BoostersManager, run_many_consumer_with_multi_process\n"
        "if __name__ == '__main__':\n"
        "    jobs.grouped_1.push(1); jobs.grouped_2.push(2)\n"
        f"    {call}\n"
    )
    boss.start(command=(str(boss.folder / "group.py"),))
    boss.until(lambda: sum(boss.runs().values()) == 2)
    boss.terminate()
    assert len(boss.runs()) == processes


def test_a_closed_terminal_ends_all(hire):
    boss = hire()
    master, terminal = os.openpty()
    take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
    words = [sys.executable, "-c", take, sys.executable, str(HERE / "boss.py"), "jobs", '{"numbers": [1]}']
    log = boss.folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            words, env=boss.environment, cwd=HERE, start_new_session=True, stdin=terminal, stdout=output, stderr=output
        )
    os.close(terminal)
    try:
        boss.until(lambda: "consuming jobs" in log.read_text())
        os.close(master)
        process.wait(30)  # with 1: it reads the terminal
        assert "ended (stopped)" in log.read_text()
    finally:
        process.kill()
        process.wait()
