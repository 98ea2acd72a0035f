"""Workers are killed while thousands of tasks run; the history tells whether the promises held."""

import random
import threading
import time

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet

EVERY = 0.3

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]


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
    fleet.run_hogs(3)
    check(fleet.history, range(3), {})
