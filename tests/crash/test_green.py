"""Workers with hundreds of greenlets in flight are killed and ended."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet

GREEN_WORKER = Path(__file__).parent / "green_worker.py"
TASKS = 2000

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(170),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]


class GreenFleet(Fleet):
    """Worker processes whose tasks are greenlets."""

    library = ""

    def start(self):
        words = [sys.executable, str(GREEN_WORKER), self.kind, str(self.history), self.options, self.library]
        worker = subprocess.Popen(words, env=self.env)
        self.workers.append(worker)
        return worker


@pytest.fixture(params=[("gevent", "SQLITE_QUEUE"), ("eventlet", "REDIS_ACK_ABLE")], ids="-".join)
def fleet(request, tmp_path, monkeypatch):
    library, kind = request.param
    if kind.startswith("REDIS"):
        monkeypatch.setenv("FSDF_REDIS_URL", request.getfixturevalue("redis_url"))
    fleet = GreenFleet(kind, tmp_path)
    fleet.library = library
    yield fleet
    fleet.close()


def disturb(fleet, blow, times):
    """Push tasks, strike a random worker while hundreds run, and replace it."""
    fleet.publisher.publish_many({"number": number, "seconds": 0.4} for number in range(TASKS))
    for _ in range(2):
        fleet.start()
    for _ in range(times):
        fleet.wait_for(fleet.at_work, 60)
        enough = fleet.events().count("start") + 100
        fleet.wait_for(lambda enough=enough: fleet.events().count("start") > enough, 60)
        assert fleet.queue.size().total > 200
        blow(random.choice(fleet.at_work()))
        fleet.start()
    fleet.wait_done(90)


def test_green_kill_loses_nothing(fleet):
    disturb(fleet, fleet.kill, 2)
    report = check(fleet.history, range(TASKS), fleet.kills)
    assert report.accepted == TASKS
    assert report.in_flight > 50


def test_green_terminate_loses_nothing_and_repeats_nothing(fleet):
    disturb(fleet, fleet.terminate, 2)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, range(TASKS), {}).duplicates == 0
