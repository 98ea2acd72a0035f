"""`fsdf queues`, `inspect`, `purge`, `pause`, `resume`, `kill`, `brokers`, `workers`."""

import pytest

from fsdf import BoostersManager
from fsdf_cli.mistakes import FAILED, MISUSED
from fsdf_control.pausing import is_paused
from fsdf_core.registry import open_state
from fsdf_core.settings import get_settings
from fsdf_core.waiting import wait_until
from tests.cli.conftest import PATIENCE


@pytest.fixture
def working(fsdf, queue):
    """A task that is consumed in this process, and that the roster knows."""
    fsdf("worker", "--list", fsdf.module(queue, concurrent_num=5, is_support_remote_kill_task=True))
    open_state(get_settings()).get(["x"])  # now there is a place to look
    booster = BoostersManager.get_booster(queue)
    booster.consume()
    assert wait_until(lambda: fsdf.roster.workers(queue), PATIENCE)
    return booster


def test_nothing_is_known(fsdf):
    assert "as soon as a worker consumes them" in fsdf("queues")
    assert fsdf("workers") == "nobody works, as far as is known\n"
    assert fsdf.json("workers") == []


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "nobody"],
        ["purge", "-y", "nobody"],
        ["pause", "nobody"],
        ["dlq", "list", "nobody"],
        ["workers", "stop", "nobody"],
        ["workers", "pace", "nobody", "--qps", "1"],
        ["workers", "forget", "nobody"],
        ["kill", "x", "--queue", "nobody"],
    ],
)
def test_what_nobody_knows(fsdf, words):
    fsdf(*words, status=MISUSED)
    assert "nobody" in fsdf.errors
    assert "Traceback" not in fsdf.errors


def test_a_broker_that_forgets_cannot_be_looked_into(fsdf, queue, redis_url, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    fsdf("push", f"REDIS:{queue}", "--x=1")
    fsdf("inspect", "--peek", "3", f"REDIS:{queue}", status=MISUSED)
    assert "without losing" in fsdf.errors
    assert fsdf.json("inspect", f"REDIS:{queue}")["ready"] == 1


def test_one_queue_that_is_away_spoils_no_list(fsdf, queue, working, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    module = fsdf.module(f"{queue}_away", "REDIS_ACK_ABLE")
    listed = {each["queue"]: each for each in fsdf.json("queues", "-i", module)}
    assert listed[queue]["trouble"] == ""
    assert "127.0.0.1" in listed[f"{queue}_away"]["trouble"]
    assert "secret" not in str(listed)
    assert queue in fsdf("queues")


def test_a_server_that_goes_away_is_one_line(fsdf, queue, launch_redis, monkeypatch):
    server = launch_redis()
    monkeypatch.setenv("FSDF_REDIS_URL", server.url)
    monkeypatch.setenv("FSDF_STATE_URL", server.url)
    address = f"REDIS_ACK_ABLE:{queue}"
    fsdf("push", address, "--x=1")
    assert fsdf.json("inspect", address)["ready"] == 1
    server.stop()
    for words in (
        ["purge", "-y", address],
        ["queues"],
        ["push", address, "--x=1"],
        ["workers"],
        ["dlq", "list", address],
    ):
        fsdf(*words, status=FAILED)
        assert fsdf.errors.startswith("Error: ")
        assert fsdf.errors.count("\n") == 1
    findings = fsdf("doctor", "--json", status=FAILED)
    assert "fault" in findings


def test_purge_asks_first(fsdf, queue):
    address = f"SQLITE_QUEUE:{queue}"
    fsdf("publish", address, "-", stdin='{"x":1}\n{"x":2}\n')
    fsdf("purge", address, stdin="n\n", status=FAILED)
    assert "Delete 2 messages" in fsdf.errors
    assert fsdf.json("inspect", address)["ready"] == 2
    fsdf("purge", address, stdin="y\n")
    assert fsdf.json("inspect", address)["ready"] == 0
    fsdf("push", address, "--x=1")
    assert fsdf.json("purge", "-y", address) == {queue: 1}
    fsdf("push", address, "--x=1")
    fsdf("clear", address)
    assert fsdf.json("inspect", address)["ready"] == 0


def test_looking_leaves_messages_where_they_are(fsdf, queue):
    address = f"SQLITE_QUEUE:{queue}"
    for number in range(3):
        fsdf("push", address, f"--x={number}")
    for _ in range(2):
        seen = fsdf.json("inspect", "--peek", "2", address)
        assert [message["deliveries"] for message in seen["messages"]] == [1, 1]
        assert seen["ready"] == 3
        assert '"x":0' in seen["messages"][0]["body"]


def test_what_is_to_be_seen_of_a_queue(fsdf, queue, working):
    listed = {each["queue"]: each for each in fsdf.json("queues")}[queue]
    assert (listed["broker_kind"], listed["workers"], listed["ready"], listed["paused"]) == (
        "SQLITE_QUEUE",
        1,
        0,
        False,
    )
    text = fsdf("inspect", queue)
    assert "concurrent num" in text
    assert "int" in text
    assert "needed" in text
    seen = fsdf.json("inspect", queue)
    assert seen["known"]["params"]["concurrent_num"] == 5
    assert [worker["concurrency"] for worker in seen["living"]] == [5]
    watched = fsdf("queues", "--watch", "--times", "2", "--interval", "0.1")
    assert watched.count(queue) == 2


def test_pause_and_resume(fsdf, queue, working):
    fsdf("pause", queue)
    assert is_paused(open_state(get_settings()), queue)
    assert fsdf.json("inspect", queue)["paused"]
    fsdf("resume", queue)
    assert not is_paused(open_state(get_settings()), queue)


def test_kill_says_whether_anybody_listens(fsdf, queue, working):
    assert "within 2 s" in fsdf("kill", "some-id", "-q", queue)
    deaf = f"{queue}_deaf"
    fsdf("worker", "--list", fsdf.module(deaf))
    BoostersManager.get_booster(deaf).consume()
    assert wait_until(lambda: fsdf.roster.workers(deaf), PATIENCE)
    assert "takes no notice" in fsdf("kill", "some-id", "-q", deaf)


def test_workers_obey(fsdf, queue, working):
    (worker,) = fsdf.json("workers", "-q", queue)
    assert (worker["function"].rpartition(".")[2], worker["concurrency"]) == ("task", 5)
    assert queue in fsdf("workers", "--host", worker["host"])
    assert fsdf.json("workers", "--host", "elsewhere") == []
    fsdf("workers", "pace", queue, "--reset", "--qps", "1", status=MISUSED)
    assert fsdf("workers", "pace", queue, "--qps", "0.5", "-c", "2") == f"{queue}: starts a second: 0.5; at once: 2\n"
    assert wait_until(lambda: fsdf.json("workers", "-q", queue)[0]["concurrency"] == 2, PATIENCE)
    assert "0.5 a second, 2 at once" in fsdf("queues")
    assert "as the code says" in fsdf("workers", "pace", queue, "--reset")
    fsdf("workers", "stop", worker["consumer_id"])
    assert wait_until(lambda: not working.consumer.running, PATIENCE)
    fsdf("workers", "forget", queue)
    assert queue not in [known.name for known in fsdf.roster.queues()]


def test_brokers(fsdf):
    assert "SQLITE_QUEUE" in fsdf("brokers")
    found = {each["broker"]: each for each in fsdf.json("brokers")}
    assert found["SQLITE_QUEUE"]["acks"] is True
    assert found["REDIS"]["acks"] is False
