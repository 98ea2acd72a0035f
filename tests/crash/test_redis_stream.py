"""REDIS_STREAM: workers die and stall, connections are cut, the server restarts, while tasks run."""

import sys
import threading

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet
from tests.crash.producer import Producer, check_all

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]

TASKS = 3000


@pytest.fixture
def fleet(redis_url, tmp_path, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    fleet = Fleet("REDIS_STREAM", tmp_path)
    yield fleet
    fleet.close()


def disturb(fleet, blow, times):
    numbers = fleet.storm(blow, TASKS, strikes=times, seconds=0.02)
    fleet.wait_done()
    return numbers


def test_stream_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill, 4)
    assert check(fleet.history, numbers, fleet.kills).accepted == len(numbers)


def test_stream_terminate_loses_and_repeats_nothing(fleet):
    numbers = disturb(fleet, fleet.terminate, 2)
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


def test_stream_a_task_of_a_killed_worker_runs_again_within_seconds_on_an_idle_queue(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 5


def test_stream_a_task_that_holds_the_interpreter_is_not_run_twice(fleet):
    fleet.run_hogs(2)
    check(fleet.history, range(2), {})


def test_stream_a_worker_stopped_for_two_leases_harms_nothing(short_lease, fleet):
    fleet.halt_one_of_two(1000, 6.0)
    fleet.wait_done()
    report = check(fleet.history, range(1000), fleet.kills)
    assert report.duplicates <= 100  # its ten tasks, and what it had fetched


def test_stream_cut_connections_and_a_killed_server_lose_and_repeat_nothing(launch_redis, tmp_path, monkeypatch):
    server = launch_redis(aof=True)
    monkeypatch.setenv("FSDF_REDIS_URL", server.url)
    fleet = Fleet("REDIS_STREAM", tmp_path)
    fleet.env["FSDF_HEARTBEAT_TIMEOUT"] = "5"
    try:
        fleet.start()
        fleet.start()
        producer = Producer(fleet)
        fleet.wait_for(lambda: len(fleet.at_work()) == 2)
        for _ in range(3):
            assert int(server.command("CLIENT", "KILL", "TYPE", "normal").strip(b":\r\n")) >= 2
            threading.Event().wait(0.3)
        server.kill()
        threading.Event().wait(2.0)
        server.start()
        count = len(fleet.events())
        fleet.wait_for(lambda: len(fleet.events()) > count, 5)
        producer.end()
        fleet.wait_done()
        check_all(fleet, producer)
    finally:
        fleet.close()
