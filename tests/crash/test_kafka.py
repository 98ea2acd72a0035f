"""KAFKA_CONFLUENT: workers die and stall, and the server restarts, while tasks run."""

import sys
import threading
import time

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet
from tests.crash.producer import Producer, check_all
from tests.crash.test_sql import disturb

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]


@pytest.fixture
def server(launch_kafka):
    return launch_kafka()


@pytest.fixture
def fleet(server, tmp_path, monkeypatch):
    monkeypatch.setenv("FSDF_KAFKA_BOOTSTRAP_SERVERS", server.bootstrap)
    fleet = Fleet("KAFKA_CONFLUENT", tmp_path)
    yield fleet
    fleet.close()


def assemble(fleet, count):
    """Start workers and wait until each has partitions; return the numbers of the tasks that this took."""
    for _ in range(count):
        fleet.start()
    tasks = 0

    def all_at_work():
        nonlocal tasks
        fleet.publisher.publish_many({"number": 1_000_000 + number} for number in range(tasks, tasks + 20))
        tasks += 20
        return len(fleet.at_work()) == count

    fleet.wait_for(all_at_work)
    fleet.wait_done()
    return range(1_000_000, 1_000_000 + tasks)


def test_kafka_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill, 8_000)
    assert check(fleet.history, numbers, fleet.kills).accepted == len(numbers)


def test_kafka_terminate_repeats_nothing(fleet, monkeypatch):
    # Nobody dies here: a busy machine must not look like a death.
    monkeypatch.setitem(fleet.env, "FSDF_HEARTBEAT_TIMEOUT", "30")
    numbers = disturb(fleet, fleet.terminate, 8_000)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


def test_kafka_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    assemble(fleet, 2)
    assert fleet.hand_over() < 5


def test_kafka_a_task_that_holds_the_interpreter_is_not_run_twice(fleet):
    warm = assemble(fleet, 2)
    fleet.publisher.publish_many({"number": number, "kind": "regex"} for number in range(2))
    fleet.wait_done()
    check(fleet.history, [*warm, 0, 1], {})


def test_kafka_a_worker_stopped_for_longer_than_its_session_harms_nothing(fleet):
    warm = assemble(fleet, 2)
    fleet.publisher.publish_many({"number": number, "seconds": 0.05} for number in range(1500))
    stopped = fleet.workers[0]
    log = fleet.history / f"{stopped.pid}.log"
    size = log.stat().st_size
    fleet.wait_for(lambda: log.stat().st_size > size)
    fleet.halt(stopped, 3.0)
    fleet.wait_done()
    report = check(fleet.history, [*warm, *range(1500)], fleet.kills)
    assert report.duplicates <= 200  # its ten tasks, and what it had fetched while tasks were short


def test_kafka_server_killed_and_restarted_loses_and_repeats_nothing(server, fleet, monkeypatch):
    # Longer than the server is away: else it gives partitions to others, with what could not be committed meanwhile.
    monkeypatch.setitem(fleet.env, "FSDF_HEARTBEAT_TIMEOUT", "30")
    warm = assemble(fleet, 2)
    producer = Producer(fleet)
    fleet.wait_for(lambda: len(producer.accepted) > 200)
    server.kill()
    threading.Event().wait(2.0)
    server.start()
    began = time.monotonic()
    count = len(fleet.events())
    fleet.wait_for(lambda: len(fleet.events()) > count, 15)
    assert time.monotonic() - began < 7
    producer.end()
    fleet.wait_done()
    producer.accepted += warm
    check_all(fleet, producer)
