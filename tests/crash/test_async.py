"""Workers with hundreds of coroutines in flight are killed, ended, and blocked for longer than a lease."""

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet

ASYNC_WORKER = Path(__file__).parent / "async_worker.py"
TASKS = 6000

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]


class AsyncFleet(Fleet):
    """Worker processes whose tasks are coroutines."""

    def start(self):
        words = [sys.executable, str(ASYNC_WORKER), self.kind, str(self.history), self.options]
        worker = subprocess.Popen(words, env=self.env)
        self.workers.append(worker)
        return worker


@pytest.fixture(params=["SQLITE_QUEUE", "REDIS_ACK_ABLE"])
def fleet(request, tmp_path, monkeypatch):
    if request.param.startswith("REDIS"):
        monkeypatch.setenv("FSDF_REDIS_URL", request.getfixturevalue("redis_url"))
    fleet = AsyncFleet(request.param, tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow):
    """Push tasks, strike a random worker three times while hundreds run, and replace it."""
    fleet.top_up(1, TASKS, seconds=0.4)
    for _ in range(2):
        fleet.start()
    for _ in range(3):
        fleet.wait_for(lambda: fleet.top_up(2000, 2000, seconds=0.4) and len(fleet.at_work()) == 2)
        enough = fleet.events().count("start") + 100
        fleet.wait_for(lambda enough=enough: fleet.events().count("start") > enough)
        blow(random.choice(fleet.at_work()))
        fleet.start()
    fleet.wait_done()
    return range(fleet.tasks)


def test_async_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill)
    report = check(fleet.history, numbers, fleet.kills)
    assert report.accepted == len(numbers)
    assert report.in_flight > 100


def test_async_terminate_loses_nothing_and_repeats_nothing(fleet):
    numbers = disturb(fleet, fleet.terminate)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


def test_a_coroutine_that_blocks_the_loop_for_longer_than_the_lease_is_not_run_twice(fleet):
    fleet.start()
    fleet.publisher.publish_many({"number": number, "kind": "block", "seconds": 3} for number in range(2))
    fleet.publisher.publish_many({"number": number, "seconds": 3} for number in range(2, 100))
    fleet.wait_for(lambda: "start 0" in fleet.events())
    fleet.start()
    threading.Event().wait(1)  # the second one has had time to look for the dead
    fleet.wait_done()
    assert check(fleet.history, range(100), {}).duplicates == 0
