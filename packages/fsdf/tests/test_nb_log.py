"""Logging with nb_log's handlers, each time in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TASKS = """
import logging, os, sys, threading
from fsdf import boost
done = threading.Semaphore(0)
def work(function, calls):
    for call in calls:
        function.push(*call)
    function.consume()
    for call in calls:
        assert done.acquire(timeout=60)
    assert function.stop()
"""


def begin(folder: Path, script: str, **settings: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ, "FSDF_HOME": str(folder / "home"), "HOME": str(folder / "user"), "FSDF_HANDLE_SIGNALS": "0",
        **settings,
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", TASKS + script],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    return out, errors


def run(folder: Path, script: str, **settings: str) -> tuple[str, str]:
    return end(begin(folder, script, **settings))


def lines(folder: Path) -> list[str]:
    return [
        line for path in sorted(folder.glob("*")) for line in path.read_text(encoding="utf-8").splitlines()
    ]  # fmt: skip


UNTOUCHED = """
import builtins
def traces():
    return (
        print, builtins.print, sys.stdout, sys.stderr, getattr(sys.stdout.write, "__self__", None), sys.excepthook,
        logging.getLoggerClass(), logging.Formatter.formatMessage, logging.root.handlers[:], logging.root.level,
        dict(os.environ), [name for name in logging.root.manager.loggerDict if "nb_log" in name or name == "simple"],
    )
before = traces()
@boost("mails", broker_kind="MEMORY_QUEUE", log_handler="nb_log")
def f(x):
    logging.getLogger("fsdf.mails").info("sends %s", x)
    done.release()
work(f, [(1,)])
assert traces() == before
assert not [name for name in sys.modules if name.startswith("nb_log")]
print("plain")
"""


def test_nothing_but_the_handlers_comes_with_nb_log(tmp_path):
    out, errors = run(tmp_path, UNTOUCHED)
    assert out == "plain\n"
    assert "\x1b[0;30;46msends 1\x1b[0m" in errors
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert all(re.fullmatch(r"home/logs/\d{4}-\d\d-\d\d\.0001\.fsdf\.mails\.log", name) for name in made)
    assert len(made) == 1


def test_each_line_has_the_id_of_its_task(tmp_path):
    script = """
import asyncio
from fsdf import get_current_taskid
@boost("plain", broker_kind="MEMORY_QUEUE", log_handler="nb_log")
def f(x):
    logging.getLogger("fsdf.plain").info("is %s", get_current_taskid())
    done.release()
@boost("async", broker_kind="MEMORY_QUEUE", concurrent_mode="async", log_handler="nb_log")
async def g(x):
    await asyncio.sleep(0.01)
    logging.getLogger("fsdf.async").info("is %s", get_current_taskid())
    done.release()
work(f, [(n,) for n in range(20)])
work(g, [(n,) for n in range(20)])
"""
    run(tmp_path, script)
    told = [line for line in lines(tmp_path / "home/logs") if " - is " in line]
    assert len(told) == 40
    assert len(set(told)) == 40
    for line in told:
        task_id = line.rpartition(" is ")[2]
        assert f"INFO - {task_id} - is" in line
    assert any("INFO - - - consuming plain" in line for line in lines(tmp_path / "home/logs"))


def test_many_processes_write_whole_lines_to_a_queue_s_file_and_it_rotates(tmp_path):
    script = """
@boost("shared/queue[1]", broker_kind="MEMORY_QUEUE")
def f(x):
    logging.getLogger("fsdf.shared/queue[1]").warning("%d %d %s", os.getpid(), x, "é" * 500)
    done.release()
work(f, [(n,) for n in range(200)])
"""
    settings = {"FSDF_LOG_HANDLER": "nb_log", "FSDF_LOG_DIR": str(tmp_path / "elsewhere/logs"), "NO_COLOR": "1"}
    writers = [begin(tmp_path, script, **settings) for _ in range(3)]
    errors = [end(writer)[1] for writer in writers]
    assert all("\x1b" not in error for error in errors)
    pattern = re.compile(r".* - (\d+) (\d+) é{500}")
    written = [match.groups() for line in lines(tmp_path / "elsewhere/logs") if (match := pattern.fullmatch(line))]
    assert len(set(written)) == len(written) == 600
    (full,) = (tmp_path / "elsewhere/logs").iterdir()
    before = full.read_bytes()
    run(tmp_path, script, **settings, FSDF_LOG_FILE_SIZE="10000")
    assert full.read_bytes() == before
    new = full.with_name(full.name.replace(".0001.", ".0002."))
    assert new.name.endswith(".0002.fsdf.shared_queue_1_.log")
    assert sum("é" * 500 in line for line in new.read_text(encoding="utf-8").splitlines()) == 200
    assert not (tmp_path / "home/logs").exists()


def test_the_parameters_of_old_versions(tmp_path):
    script = """
@boost("q", broker_kind="MEMORY_QUEUE", log_handler="nb_log", log_filename="own.log", logger_prefix="my-",
       is_print_detail_exception=False, max_retry_times=0)
def f(x):
    done.release()
    raise OSError("no luck")
@boost("without", broker_kind="MEMORY_QUEUE", log_handler="nb_log", create_logger_file=False)
def g(x):
    done.release()
work(f, [(1,)])
work(g, [(1,)])
"""
    _, errors = run(tmp_path, script)
    (file,) = (tmp_path / "home/logs").iterdir()
    assert file.name.endswith(".0001.own.log")
    (failed,) = [line for line in lines(file.parent) if "no luck" in line]
    assert "fsdf.my-q" in failed
    assert re.search(r"ERROR - [0-9a-f-]{36} - task .*: OSError: no luck$", failed)
    assert "Traceback" not in file.read_text(encoding="utf-8")
    assert "consuming without" in errors


def test_without_nb_log_a_file_name_means_a_plain_file(tmp_path):
    script = """
@boost("q", broker_kind="MEMORY_QUEUE", log_filename="plain.log")
def f(x):
    logging.getLogger("fsdf.q").info("runs")
    done.release()
work(f, [(1,)])
"""
    assert run(tmp_path, script) == ("", "")
    told = (tmp_path / "home/logs/plain.log").read_text(encoding="utf-8")
    assert re.search(r"fsdf\.q [0-9a-f-]{36}: runs\n", told)


def test_a_log_file_that_cannot_be_written_harms_no_task(tmp_path):
    pytest.importorskip("resource", reason="limits of processes are POSIX's")
    script = """
import resource
@boost("q", broker_kind="MEMORY_QUEUE", log_handler="nb_log")
def f(x):
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    logging.getLogger("fsdf.q").info("cannot be kept")
    done.release()
work(f, [(1,), (2,)])
print(f.consumer.statistics().failed)
"""
    out, errors = run(tmp_path, script)
    assert out == "0\n"
    assert "OSError" in errors


def test_the_real_nb_log_of_a_program_stays(tmp_path):
    script = """
import warnings
sys.path.insert(1, os.getcwd())  # where it writes its configuration
os.mkdir(os.environ["HOME"])  # and its files
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import nb_log, nb_log.handlers
theirs = dict(sys.modules)
@boost("q", broker_kind="MEMORY_QUEUE", log_handler="nb_log")
def f(x):
    logging.getLogger("fsdf.q").info("runs")
    done.release()
work(f, [(1,)])
assert {name: module for name, module in sys.modules.items() if name.startswith("nb_log")} == {
    name: module for name, module in theirs.items() if name.startswith("nb_log")}
"""
    run(tmp_path, script)
    assert any(line.endswith(" - runs") for line in lines(tmp_path / "home/logs"))


BLOCKED = """
class Blocked:
    def find_spec(self, name, *_):
        if name == 'nb_log':
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Blocked())
"""
MISTAKE = """
from fsdf_core.errors import ConfigurationError
try:
    @boost("q", broker_kind="MEMORY_QUEUE", {parameters})
    def f(x): ...
    f.push(1)
    f.consume()
except ConfigurationError as error:
    print(type(error).__name__, error)
else:
    f.stop()
"""


@pytest.mark.parametrize(
    ("before", "parameters", "settings", "message"),
    [
        (
            BLOCKED,
            "log_handler='nb_log'", {}, r"MissingDependency .*'nb_log': pip install fsdf\[nb-log\]",
        ),
        ("", "log_handler='loguru'", {}, "ConfigurationError .*log_handler"),
        ("", "log_handler='nb_log'", {"FSDF_LOG_DIR": "/dev/null/logs"}, "ConfigurationError .*FSDF_LOG_DIR"),
        ("", "log_filename='a.log'", {"FSDF_LOG_DIR": "/dev/null/logs"}, "ConfigurationError .*FSDF_LOG_DIR"),
        ("", "log_level=10", {"FSDF_LOG_HANDLER": "loguru"}, "ConfigurationError .*log_handler"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_cure(tmp_path, before, parameters, settings, message):
    out, _ = run(tmp_path, before + MISTAKE.format(parameters=parameters), **settings)
    assert re.match(message, out), out
