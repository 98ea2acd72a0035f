"""Workers are killed while thousands of tasks run; the history tells whether the promises held."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fsdf_core.publisher import Publisher
from fsdf_core.registry import brokers
from fsdf_core.settings import Settings
from fsdf_core.testing.history import check

WORKER = Path(__file__).parent / "worker.py"
EVERY = 0.3

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


class Fleet:
    """Worker processes on one queue."""

    def __init__(self, kind, folder, **options):
        self.kind = kind
        self.options = json.dumps(options)
        self.history = folder / "history"
        self.history.mkdir()
        self.env = os.environ | {"FSDF_HOME": str(folder / "home"), "FSDF_HEARTBEAT_TIMEOUT": "0.5"}
        self.broker = brokers.get(kind).from_settings(Settings(home=folder / "home"))
        self.queue = self.broker.queue("crash", **options)
        self.publisher = Publisher(self.queue)
        self.workers = []
        self.tasks = 0
        self.kills = {}

    def start(self):
        words = [sys.executable, str(WORKER), self.kind, str(self.history), self.options]
        worker = subprocess.Popen(words, env=self.env)
        self.workers.append(worker)
        return worker

    def kill(self, worker):
        worker.kill()
        worker.wait()
        self.kills[worker.pid] = time.time()
        self.workers.remove(worker)

    def terminate(self, worker):
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(40) == 0
        self.workers.remove(worker)

    def wait_for(self, condition, seconds=60):
        pause = threading.Event()
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.queue.size()
            pause.wait(0.02)

    def events(self):
        return "".join(log.read_text() for log in self.history.glob("*.log"))

    def at_work(self):
        """The workers that have begun; a signal before would meet no handler."""
        logs = {worker: self.history / f"{worker.pid}.log" for worker in self.workers}
        return [worker for worker, log in logs.items() if log.exists() and log.stat().st_size]

    def wait_up(self):
        """Wait until all workers have started to consume."""
        self.wait_for(lambda: all((self.history / f"{worker.pid}.up").exists() for worker in self.workers))

    def hand_over(self):
        """Kill the worker that runs a long task; return the seconds until one that was there runs it again."""
        self.publisher.publish({"number": 1, "seconds": 60})
        self.wait_for(lambda: "start 1 " in self.events())
        logs = {worker: self.history / f"{worker.pid}.log" for worker in self.at_work()}
        self.kill(next(worker for worker, log in logs.items() if "start 1 " in log.read_text()))
        began = time.monotonic()
        self.wait_for(lambda: self.events().count("start 1 ") == 2)
        return time.monotonic() - began

    def start_pair(self):
        """Start two workers and wait until they consume."""
        workers = [self.start(), self.start()]
        self.wait_up()
        return workers

    def wait_done(self, seconds=90):
        self.wait_for(lambda: self.queue.size().total == 0, seconds)

    def top_up(self, least, tasks=1000, **arguments):
        """Publish more if there is little left; return how many tasks there were in all."""
        if self.queue.size().ready < least:
            self.publisher.publish_many({"number": self.tasks + number, **arguments} for number in range(tasks))
            self.tasks += tasks
        return self.tasks

    def storm(self, blow, tasks, *, strikes, seconds, every=0.5):
        """Push tasks, strike a random worker of three that has begun, replace it, and so on; return the tasks' numbers.

        A machine that starts processes slowly gets more tasks, so that there is always something to lose.
        """
        self.top_up(1, tasks, seconds=seconds)
        for _ in range(3):
            self.start()
        for _ in range(strikes):
            self.wait_for(lambda: self.top_up(tasks // 4, tasks // 4, seconds=seconds) and self.at_work())
            threading.Event().wait(every)
            blow(random.choice(self.at_work()))
            self.start()
        return range(self.tasks)

    def close(self):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        self.broker.close()


@pytest.fixture(params=["SQLITE_QUEUE"])
def fleet(request, tmp_path):
    fleet = Fleet(request.param, tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow, tasks):
    """Push tasks, then strike a random worker every 0.3 s and replace it, until all is done."""
    fleet.publisher.publish_many({"number": number} for number in range(tasks))
    for _ in range(3):
        fleet.start()
    pause = threading.Event()
    strikes = 0
    deadline = time.monotonic() + 120
    while fleet.queue.size().total:
        assert time.monotonic() < deadline, fleet.queue.size()
        pause.wait(EVERY)
        if up := fleet.at_work():
            blow(random.choice(up))
            strikes += 1
            fleet.start()
    return strikes


def test_kill_loses_nothing(fleet):
    assert disturb(fleet, fleet.kill, 20_000) >= 3
    report = check(fleet.history, range(20_000), fleet.kills)
    assert report.accepted == 20_000


def test_terminate_loses_nothing_and_repeats_nothing(fleet):
    assert disturb(fleet, fleet.terminate, 20_000) >= 3
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, range(20_000), {}).duplicates == 0


def test_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 5


def test_a_second_process_leaves_running_tasks_alone(fleet):
    fleet.publisher.publish({"number": 1, "seconds": 3})
    fleet.start()
    fleet.wait_for(lambda: "start 1" in fleet.events())
    fleet.start()
    fleet.wait_done()
    check(fleet.history, [1], {})


def test_a_task_that_holds_the_interpreter_is_not_run_twice(fleet):
    fleet.start()
    fleet.start()
    fleet.publisher.publish_many({"number": number, "kind": "regex"} for number in range(3))
    fleet.wait_done()
    check(fleet.history, range(3), {})
