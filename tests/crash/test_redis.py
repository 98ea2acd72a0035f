"""The Redis kinds: workers die and stall, connections are cut, the server restarts, while tasks run."""

import sys
import threading
from collections import Counter

import pytest

from fsdf_core.testing.history import check
from tests.crash.fleet import Fleet
from tests.crash.producer import Producer, check_all

pytestmark = [
    pytest.mark.crash,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the signals of these tests are POSIX"),
]

LEASED = ["REDIS_ACK_ABLE", "REDIS_BRPOP_LPUSH", "REDIS_PRIORITY", "REDIS_ZSET_DELAY"]
TASKS = 2000


def timed(seconds):
    return pytest.param(("REDIS_ACK_USING_TIMEOUT", {"ack_timeout": seconds}), id="REDIS_ACK_USING_TIMEOUT")


@pytest.fixture
def fleet(request, tmp_path, monkeypatch):
    kind, options = request.param if isinstance(request.param, tuple) else (request.param, {})
    monkeypatch.setenv("FSDF_REDIS_URL", request.getfixturevalue("redis_url"))
    fleet = Fleet(kind, tmp_path, **options)
    yield fleet
    fleet.close()


def disturb(fleet, blow):
    return fleet.storm(blow, TASKS, strikes=3, seconds=0.03, every=0.4)


@pytest.mark.parametrize("fleet", [*LEASED, timed(4)], indirect=True)
def test_redis_kill_loses_nothing(fleet):
    numbers = disturb(fleet, fleet.kill)
    fleet.wait_done()
    assert check(fleet.history, numbers, fleet.kills).accepted == len(numbers)


@pytest.mark.parametrize("fleet", ["REDIS"], indirect=True)
def test_redis_kill_without_acks_repeats_nothing_and_loses_only_what_a_worker_held(fleet):
    count = len(disturb(fleet, fleet.kill))
    fleet.wait_done()
    for worker in fleet.at_work():
        fleet.terminate(worker)
    events = Counter(line.rpartition(" ")[0] for line in fleet.events().splitlines())
    assert max(events.values()) == 1
    # Each held the tasks of its ten workers, and what they do in 50 ms more.
    assert count - 100 * len(fleet.kills) < sum(event.startswith("start") for event in events) <= count


@pytest.mark.parametrize("fleet", ["REDIS", "REDIS_ZSET_DELAY"], indirect=True)
def test_redis_terminate_loses_and_repeats_nothing(fleet):
    numbers = disturb(fleet, fleet.terminate)
    fleet.wait_done()
    fleet.wait_for(lambda: set(fleet.at_work()) == set(fleet.workers) or fleet.events().count("end") == len(numbers))
    for worker in fleet.at_work():
        fleet.terminate(worker)
    assert check(fleet.history, numbers, {}).duplicates == 0


@pytest.mark.parametrize("fleet", ["REDIS_ACK_ABLE", "REDIS_PRIORITY", "REDIS_ZSET_DELAY"], indirect=True)
def test_redis_a_task_of_a_killed_worker_runs_again_within_seconds(fleet):
    fleet.start_pair()
    assert fleet.hand_over() < 5


@pytest.mark.parametrize("fleet", ["REDIS_PRIORITY", "REDIS_ZSET_DELAY", timed(2)], indirect=True)
def test_redis_a_worker_stopped_for_two_leases_harms_nothing(short_lease, fleet):
    fleet.halt_one_of_two(1000, 6.0)
    fleet.wait_done()
    report = check(fleet.history, range(1000), fleet.kills)
    assert report.duplicates <= 100  # its ten tasks, and what it had fetched


@pytest.mark.parametrize("kind", ["REDIS_BRPOP_LPUSH", "REDIS_PRIORITY", "REDIS_ZSET_DELAY"])
def test_redis_cut_connections_and_a_killed_server_lose_and_repeat_nothing(kind, launch_redis, tmp_path, monkeypatch):
    server = launch_redis(aof=True)
    monkeypatch.setenv("FSDF_REDIS_URL", server.url)
    fleet = Fleet(kind, tmp_path)
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
