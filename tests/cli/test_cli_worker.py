"""`fsdf worker` and its older forms, as processes: signals, several processes, reload, orders."""

import json
import signal

import pytest

from fsdf_cli.mistakes import MISUSED
from fsdf_core.waiting import wait_until
from tests.cli.conftest import PATIENCE

SLOW = """
import sys
import time

from fsdf import boost

@boost({queue!r}, broker_kind={kind!r}, concurrent_num=1)
def task(x):
    sys.stderr.write(f"begun {{x}}\\n")
    time.sleep({seconds})
    sys.stderr.write(f"ended {{x}}\\n")
"""
VERSION = """
import sys

from fsdf import boost

@boost({queue!r})
def task(x):
    sys.stderr.write(f"{text} {{x}}\\n")
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cli_tasks_none"], "there is no module"),
        (["nowhere/"], "there is no file"),
        (["."], "no file in . decorates"),
        (["MODULE", "--queue", "other"], "no imported function has the queue 'other'"),
        (["MODULE", "--group", "other"], "no imported function has the booster_group 'other'"),
        (["MODULE", "--processes", "many"], "--processes takes a number or two"),
        (["MODULE", "--processes", "3:1"], "the first number is the smaller one"),
        (["MODULE", "--log-level", "LOUD"], "log_level"),
    ],
)
def test_what_is_refused(fsdf, queue, words, said):
    words = [fsdf.module(queue) if word == "MODULE" else word for word in words]
    fsdf("worker", *words, status=MISUSED)
    assert said in fsdf.errors
    assert "Traceback" not in fsdf.errors


@pytest.mark.parametrize("words", [["mp_consume", "sums"], ["mp_consume"], ["mp_consume", "--sums=two"]])
def test_numbers_of_processes_by_queue(fsdf, queue, words):
    fsdf(*words, "-i", fsdf.module(queue), status=MISUSED)
    assert "--QUEUE=NUMBER" in fsdf.errors


def test_the_tasks_of_files_and_folders_are_found_and_chosen(fsdf, queue):
    first = fsdf.module(f"{queue}_a", booster_group="night")
    fsdf.module(f"{queue}_b")
    listed = json.loads(fsdf("worker", ".", "--list", "--json"))
    assert sorted(each["queue"] for each in listed) == [f"{queue}_a", f"{queue}_b"]
    assert json.loads(fsdf("worker", ".", "--group", "night", "--list", "--json")) == [
        {"queue": f"{queue}_a", "function": f"{first}.task", "group": "night"}
    ]
    assert f"{queue}_b" in fsdf("worker", f"{first}.py", "-q", f"{queue}_b", "--list")


@pytest.mark.parametrize(
    ("kind", "signum"),
    [("SQLITE_QUEUE", signal.SIGTERM), ("SQLITE_QUEUE", signal.SIGINT), ("REDIS_ACK_ABLE", signal.SIGTERM)],
)
def test_a_signal_lets_what_runs_end_and_gives_back_the_rest(fsdf, queue, start, kind, signum, redis_url, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    (fsdf.folder / "cli_tasks_slow.py").write_text(SLOW.format(queue=queue, kind=kind, seconds=1.0))
    address = f"{kind}:{queue}"
    fsdf("publish", address, "-", stdin="".join(f'{{"x": {number}}}\n' for number in range(5)))
    worker = start("worker", "cli_tasks_slow")
    worker.says("begun 0")
    worker.popen.send_signal(signum)
    assert worker.ends() == 0, worker.output
    assert "Traceback" not in worker.output
    begun, ended = worker.output.count("begun"), worker.output.count("ended")
    assert begun == ended
    assert fsdf.json("inspect", address)["ready"] == 5 - ended


def test_worker_processes_and_their_end(fsdf, queue, start):
    worker = start("worker", fsdf.module(queue), "--processes", "2", "-c", "3")
    worker.says("consuming", 2)
    worker.says("up to 3 workers", 2)
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x=1")
    worker.says("ran 1 2")
    worker.popen.terminate()
    assert worker.ends() == 0, worker.output
    assert worker.output.count("ended (stopped)") == 2


def test_changed_files_replace_the_processes(fsdf, queue, start):
    file = fsdf.folder / "cli_tasks_version.py"
    file.write_text(VERSION.format(queue=queue, text="first"))
    worker = start("worker", "cli_tasks_version", "--reload")
    worker.says("consuming")
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x=1")
    worker.says("first 1")
    file.write_text(VERSION.format(queue=queue, text="the second"))
    worker.says("cli_tasks_version.py changed")
    worker.says("ended (", 1)
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x=2")
    worker.says("the second 2")
    worker.popen.terminate()
    assert worker.ends() == 0, worker.output


@pytest.mark.parametrize("processes", [(), ("--processes", "1")], ids=["alone", "supervised"])
def test_a_worker_that_is_told_to_stop_ends_its_process(fsdf, queue, start, processes):
    fsdf("queues")  # opens the store, where workers then enlist
    worker = start("worker", fsdf.module(queue), "--qps", "5", *processes)
    assert wait_until(lambda: fsdf.roster.workers(queue), PATIENCE), worker.output
    (found,) = fsdf.json("workers", "-q", queue)
    assert found["qps"] == 5.0
    assert (found["pid"] == worker.popen.pid) is not bool(processes)
    fsdf("workers", "stop", found["consumer_id"])
    assert worker.ends() == 0, worker.output
    assert fsdf.json("workers") == []


@pytest.mark.parametrize(
    "words",
    [
        ("--import_modules_str={module}", "consume", "{queue}"),
        ("--booster_dirs_str=.", "mp_consume", "--{queue}=1"),
    ],
    ids=["consume", "mp_consume"],
)
def test_older_forms(fsdf, queue, start, words):
    module = fsdf.module(queue)
    worker = start(f"--project_root_path={fsdf.folder}", *(word.format(module=module, queue=queue) for word in words))
    worker.says("consuming")
    fsdf("publish", f"SQLITE_QUEUE:{queue}", '{"x": 3}')
    worker.says("ran 3 2")
    worker.popen.terminate()
    assert worker.ends() == 0, worker.output


def test_older_forms_find_the_project_s_tasks(fsdf, queue, start):
    fsdf.module(queue)
    assert queue in fsdf("show_all_queues", "-i", ".")
    worker = start("consume_all")
    worker.says("consuming")
    worker.popen.terminate()
    assert worker.ends() == 0, worker.output


def test_the_web_ui_takes_its_own_options(start):
    web = start("web", "--help")
    assert web.ends() == 0, web.output
    assert "--port" in web.output
