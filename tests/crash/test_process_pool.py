"""Workers whose tasks run in children are killed and ended while they run: nothing is lost, nothing stays behind."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet

PROCESS_WORKER = Path(__file__).parent / "process_worker.py"
TASKS = 800

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(170),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]


class ProcessFleet(Fleet):
    """Worker processes with two children each; what a child does when its parent is killed was in flight."""

    def start(self):
        words = [sys.executable, str(PROCESS_WORKER), self.kind, str(self.history), self.options]
        # Of its own group, to which the signals go, as those of terminals and service managers do.
        worker = subprocess.Popen(words, env=self.env, start_new_session=True, stdout=subprocess.PIPE)
        self.workers.append(worker)
        return worker

    def children(self, worker):
        parents = self.history.glob("*.parent")
        return [int(file.stem) for file in parents if file.read_text() == str(worker.pid)]

    def at_work(self):
        logs = {worker: [self.history / f"{pid}.log" for pid in self.children(worker)] for worker in self.workers}
        return [worker for worker, of_it in logs.items() if any(log.exists() and log.stat().st_size for log in of_it)]

    def kill(self, worker):
        super().kill(worker)
        when = self.kills.pop(worker.pid)
        self.kills |= dict.fromkeys(self.children(worker), when)
        end(worker)

    def terminate(self, worker):
        os.killpg(worker.pid, 15)
        assert worker.wait(60) == 0
        self.workers.remove(worker)
        end(worker)

    def close(self):
        workers = list(self.workers)
        super().close()
        for worker in workers:
            end(worker)


def end(worker):
    """Wait for the end of the children, too: they hold its output. This test's timeout is that of the wait."""
    with worker.stdout as stream:
        assert not stream.read()


@pytest.fixture
def fleet(tmp_path):
    fleet = ProcessFleet("SQLITE_QUEUE", tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow):
    """Push tasks, strike a random worker twice while they run, and replace it."""
    fleet.publisher.publish_many({"number": number} for number in range(TASKS))
    for _ in range(2):
        fleet.start()
    for _ in range(2):
        fleet.wait_for(fleet.at_work, 60)
        enough = fleet.events().count("start") + 100
        fleet.wait_for(lambda enough=enough: fleet.events().count("start") > enough, 60)
        assert fleet.queue.size().total
        blow(random.choice(fleet.at_work()))
        fleet.start()
    fleet.wait_done(90)


def test_kills_of_parents_lose_nothing_and_leave_no_child(fleet):
    disturb(fleet, fleet.kill)
    assert check(fleet.history, range(TASKS), fleet.kills).accepted == TASKS


def test_signals_to_the_whole_group_lose_nothing_and_repeat_nothing(fleet):
    disturb(fleet, fleet.terminate)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, range(TASKS), {}).duplicates == 0
