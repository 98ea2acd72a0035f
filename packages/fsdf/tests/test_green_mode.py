"""GEVENT and EVENTLET mode: whole programs in interpreters of their own, on drivers that wait in Python or in C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "green_program.py"
PATIENCE = 90
TASKS = 500
"""Of the program's last queue."""

FIRST_LINES = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import warnings; warnings.simplefilter('ignore'); import eventlet; eventlet.monkey_patch()",
}
SERVERS = {
    "MEMORY_QUEUE": None,
    "SQLITE_QUEUE": None,
    "REDIS_ACK_ABLE": ("redis_url", "FSDF_REDIS_URL"),
    "RABBITMQ": ("rabbitmq_url", "FSDF_RABBITMQ_URL"),
    "KAFKA_CONFLUENT": ("kafka_bootstrap", "FSDF_KAFKA_BOOTSTRAP_SERVERS"),
}


LIBRARIES = ["gevent", "eventlet"]


@pytest.fixture
def environment(tmp_path):
    own = {"FSDF_HOME": str(tmp_path / "home"), "FSDF_LOG_LEVEL": "CRITICAL", "FSDF_HANDLE_SIGNALS": "1"}
    return os.environ | own


@pytest.fixture
def run(tmp_path, environment):
    """Return a function that runs a script to its end and returns what it prints."""

    def run(script):
        file = tmp_path / "script.py"
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, file], capture_output=True, text=True, timeout=PATIENCE, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


class Program:
    """The program with one library, running."""

    def __init__(self, library, kind, folder, environment):
        self.marks = folder / f"{library}-marks"
        self.marks.mkdir()
        self._output = folder / f"{library}-output"
        with self._output.open("w", encoding="utf-8") as stream:
            words = [sys.executable, str(PROGRAM), library, kind, str(self.marks)]
            self.process = subprocess.Popen(words, stdout=stream, stderr=subprocess.STDOUT, env=environment)

    @property
    def output(self):
        return self._output.read_text(encoding="utf-8")

    def wait_ready(self):
        deadline = time.monotonic() + PATIENCE
        while "ready" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.05)  # another process writes it

    def marked(self, what):
        return {mark.name.partition("-")[2] for mark in self.marks.glob(f"{what}-*")}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_whole_program(kind, tmp_path, environment, request):
    if SERVERS[kind] is not None:
        fixture, variable = SERVERS[kind]
        environment[variable] = request.getfixturevalue(fixture)
    programs = [Program(library, kind, tmp_path, environment) for library in LIBRARIES]
    try:
        for program in programs:
            program.wait_ready()
            if os.name == "posix":
                program.process.send_signal(signal.SIGTERM)
                assert program.process.wait(PATIENCE) == 0, program.output
                assert program.marked("start") == program.marked("end")
                assert 5 <= len(program.marked("start")) < TASKS
                assert program.output.split() == ["ready"]
    finally:
        for program in programs:
            program.process.kill()
            program.process.wait(PATIENCE)


TASK = """
from fsdf import boost

@boost("q-{mode}", broker_kind="MEMORY_QUEUE", concurrent_mode="{mode}")
{kind} task():
    pass

try:
    task.consume()
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_the_patch_one_error_shows_the_line(run):
    output = run("".join(TASK.format(mode=library, kind="def") for library in LIBRARIES))
    for library in LIBRARIES:
        words = f"ConfigurationError {library} needs its monkey patch: add to the very top of your script\n    "
        assert words + FIRST_LINES[library].rpartition("ignore'); ")[2] in output


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_patch_after_the_import_is_an_error(library, run):
    output = run(f"import fsdf_core.context\n{FIRST_LINES[library]}\n" + TASK.format(mode=library, kind="def"))
    assert f"ConfigurationError the monkey patch of {library} came after the import of fsdf: move it" in output


@pytest.mark.parametrize("library", LIBRARIES)
def test_async_def_functions_and_the_other_library_are_errors(library, run):
    (other,) = set(LIBRARIES) - {library}
    tasks = TASK.format(mode=library, kind="async def") + TASK.format(mode=other, kind="def")
    output = run(f"{FIRST_LINES[library]}\n{tasks}")
    assert f"ConfigurationError task is async def, which greenlets of {library} do not run: use concurrent" in output
    assert f"cannot run in a process that {library} has patched" in output


@pytest.mark.skipif(os.name != "posix", reason="ends by SIGTERM")
def test_worker_processes_patch_themselves(tmp_path, environment):
    output = tmp_path / "output"
    with output.open("w", encoding="utf-8") as stream:
        words = [sys.executable, str(PROGRAM.with_name("green_processes.py"))]
        parent = subprocess.Popen(words, stdout=stream, stderr=subprocess.STDOUT, env=environment)
    try:
        deadline = time.monotonic() + PATIENCE
        while len(lines := output.read_text(encoding="utf-8").splitlines()) < 201:
            assert parent.poll() is None, lines
            assert time.monotonic() < deadline, lines
            time.sleep(0.05)  # other processes write it
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(PATIENCE) == 0
    finally:
        parent.kill()
        parent.wait(PATIENCE)
    ran = [line.split() for line in lines if not line.startswith("parent")]
    assert [words for words in ran if len(words) != 2] == []
    assert sorted(int(number) for _, number in ran) == list(range(200))
    assert str(parent.pid) not in {pid for pid, _ in ran}
