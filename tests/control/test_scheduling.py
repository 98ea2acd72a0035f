"""Schedules in real processes, over one store: each time once, whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import fsdf_core.settings
from fsdf import ApsJobAdder, assembly, boost, fct
from fsdf import schedule_manager as managers
from fsdf_core import registry
from fsdf_core.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
STORES = {"sql": None, "redis": ("FSDF_REDIS_URL", "redis_url"), "mongodb": ("FSDF_MONGO_URL", "mongodb_url")}
"""Of each job store, the setting of its server and the fixture that has one; None needs none."""
on_each_store = pytest.mark.parametrize("kind", STORES, indirect=True)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FSDF_HOME", str(tmp_path))
    monkeypatch.setattr(fsdf_core.settings, "_current", None)
    monkeypatch.setattr(fsdf_core.settings, "_patches", {})
    monkeypatch.setattr(managers, "_managers", {})
    monkeypatch.setattr(managers, "_strangers", {})
    monkeypatch.setattr(registry, "_open", {})
    monkeypatch.setattr(assembly, "_brokers", {})
    yield tmp_path
    for store in (*registry._open.values(), *(manager.book.store for manager in managers._managers.values())):
        store.close()


@pytest.fixture
def kind(request, home, monkeypatch):
    kind = getattr(request, "param", "sql")
    if STORES[kind] is not None:
        setting, server = STORES[kind]
        monkeypatch.setenv(setting, request.getfixturevalue(server))
    return kind


class Process:
    """One that runs the schedules, and knows no function."""

    def __init__(self, home, kind):
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "tests.control.scheduling_worker", kind], cwd=ROOT, text=True,
            env={**os.environ, "FSDF_HOME": str(home)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self.popen.stdout.readline() == "started\n"
        self.leads = threading.Event()
        threading.Thread(target=self._listen, name="fsdf-test-listen", daemon=True).start()

    def _listen(self):
        if self.popen.stdout.readline() == "leads\n":
            self.leads.set()

    def kill(self):
        self.popen.kill()
        self.popen.wait(10)

    def end(self):
        if self.popen.poll() is None:
            self.popen.stdin.close()
            assert self.popen.wait(30) == 0


@pytest.fixture
def processes(home, kind):
    started = []

    def start():
        started.append(Process(home, kind))
        return started[-1]

    yield start
    for process in started:
        process.end()
        process.popen.stdin.close()
        process.popen.stdout.close()


class Beats:
    """Consumes a queue; remembers when what came. Each time of a schedule has a task id of its own."""

    def __init__(self, name):
        self.came = []
        self.ids = []
        self.changed = threading.Condition()

        @boost(name)
        def beat(x):
            with self.changed:
                self.came.append((time.time(), x))
                self.ids.append(fct.task_id)
                self.changed.notify_all()

        self.task = beat
        beat.consume()

    def expect(self, count, seconds=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.came) >= count, seconds), self.came
        return [when for when, _ in self.came]


@pytest.fixture
def beats(kind, request):
    made = Beats(f"beats-{request.function.__name__}-{kind}")
    yield made
    made.task.stop()


@on_each_store
def test_three_processes_publish_each_time_once(kind, beats, processes):
    for _ in range(3):
        processes()
    ApsJobAdder(beats.task, kind, is_auto_start=False).add_push_job("interval", seconds=0.5, args=(1,), id="half")
    beats.expect(8)
    assert len(set(beats.ids)) == len(beats.ids)


@on_each_store
def test_a_killed_holder_is_replaced_within_five_seconds(kind, beats, processes):
    first = processes()
    assert first.leads.wait(PATIENCE)
    second = processes()
    ApsJobAdder(beats.task, kind, is_auto_start=False).add_push_job("interval", seconds=0.5, args=(1,), catch_up="all")
    beats.expect(3)
    first.kill()
    killed, known = time.time(), len(beats.came)
    assert second.leads.wait(PATIENCE)
    assert time.time() - killed < 10  # the lease ends after 3.5 s; a busy machine takes its time
    beats.expect(known + 4)
    # catch_up="all": what nobody published meanwhile came too, nothing twice.
    begin = beats.came[0][0]
    assert wait_until(lambda: len(beats.came) >= (time.time() - begin) / 0.5 - 2, PATIENCE), beats.came
    assert len(set(beats.ids)) == len(beats.ids)


def test_pause_resume_run_and_remove_from_another_process(beats, processes):
    process = processes()
    assert process.leads.wait(PATIENCE)
    job = ApsJobAdder(beats.task, is_auto_start=False).add_push_job("interval", seconds=0.5, kwargs={"x": 7}, id="j")
    beats.expect(2)
    jobs = managers.manager("sql")
    assert [each.id for each in jobs.get_jobs()] == ["j"]
    job.pause()
    threading.Event().wait(1.3)  # the holder looks each second
    known = len(beats.came)
    threading.Event().wait(1.2)
    assert len(beats.came) == known
    assert job.next_run_time is None
    jobs.run_job("j")
    beats.expect(known + 1)
    job.resume()
    beats.expect(known + 3)
    job.remove()
    threading.Event().wait(1.3)
    known = len(beats.came)
    threading.Event().wait(1.0)
    assert len(beats.came) == known
    assert jobs.get_jobs() == []
    assert {x for _, x in beats.came} == {7}
