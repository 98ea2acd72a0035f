"""MONGOMQ: workers die, stall and lose their server while tasks run."""

import random
import sys
import threading
import time

import pytest

from fsdf_core.errors import BrokerUnavailable
from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]

TASKS = 1500


def ran(fleet):
    """The numbers of the tasks that have ended."""
    lines = (line.split() for line in fleet.events().splitlines())
    return {int(words[1]) for words in lines if words[0] == "end" and len(words) == 3}


def wait_ran(fleet, numbers, seconds):
    """Wait for tasks; to count the queue all the time would keep the test's server from its work."""
    pause = threading.Event()
    deadline = time.monotonic() + seconds
    while left := set(numbers) - ran(fleet):
        assert time.monotonic() < deadline, (len(left), fleet.queue.size())
        pause.wait(0.1)
    fleet.wait_done()


@pytest.fixture
def fleet(mongodb_url, tmp_path, monkeypatch):
    monkeypatch.setenv("FSDF_MONGO_URL", mongodb_url)
    fleet = Fleet("MONGOMQ", tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow):
    """Push tasks, strike a random worker every 0.5 s and replace it, four times, and wait until all is done."""
    fleet.publisher.publish_many({"number": number, "seconds": 0.06} for number in range(TASKS))
    for _ in range(3):
        fleet.start()
    strikes = 0
    for _ in range(4):
        fleet.wait_for(fleet.at_work)
        if len(ran(fleet)) >= TASKS:
            break
        threading.Event().wait(0.5)
        blow(random.choice(fleet.at_work()))
        strikes += 1
        fleet.start()
    wait_ran(fleet, range(TASKS), 90)
    return strikes


def test_mongodb_kill_loses_nothing(fleet):
    assert disturb(fleet, fleet.kill) >= 2
    assert check(fleet.history, range(TASKS), fleet.kills).accepted == TASKS


def test_mongodb_terminate_repeats_nothing(fleet):
    assert disturb(fleet, fleet.terminate) >= 2
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, range(TASKS), {}).duplicates == 0


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing but time tells that a worker is dead")
def test_mongodb_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 15  # only time tells: a silent process keeps its messages for up to 30 s


def test_mongodb_a_worker_stopped_for_two_leases_harms_nothing(fleet):
    fleet.env["FSDF_LEASE_LIMIT"] = "3"
    fleet.halt_one_of_two(800, 6.0)
    wait_ran(fleet, range(800), 60)
    # What the stopped worker was running, and what it had fetched, ran elsewhere too.
    check(fleet.history, range(800), fleet.kills)


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_mongodb_server_restart_loses_and_repeats_nothing(ending, launch_mongodb, tmp_path, monkeypatch):
    server = launch_mongodb()
    monkeypatch.setenv("FSDF_MONGO_URL", server.database())
    fleet = Fleet("MONGOMQ", tmp_path)
    accepted, doubtful, ended = [], set(), threading.Event()

    def produce():
        number = 0
        while not ended.wait(0.005):
            number += 1
            try:
                fleet.publisher.publish({"number": number})
            except BrokerUnavailable:
                doubtful.add(number)
            else:
                accepted.append(number)

    producer = threading.Thread(target=produce, name="fsdf-test-producer")
    try:
        fleet.start()
        fleet.start()
        producer.start()
        fleet.wait_for(lambda: len(fleet.at_work()) == 2)
        getattr(server, ending)()
        threading.Event().wait(2.0)
        server.start()
        count = len(ran(fleet))
        fleet.wait_for(lambda: len(ran(fleet)) > count + 100)
        ended.set()
        producer.join(30)
        assert not producer.is_alive()
        wait_ran(fleet, accepted, 30)
        check(fleet.history, {*accepted, *(doubtful & ran(fleet))}, fleet.kills)
    finally:
        ended.set()
        fleet.close()
