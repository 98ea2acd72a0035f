"""`fsdf dlq` and `fsdf move`: nothing is lost on the way."""

import json

import pytest

from fsdf import BoostersManager
from fsdf_cli.addresses import find
from fsdf_cli.mistakes import FAILED, INTERRUPTED, MISUSED
from fsdf_cli.moving import move
from fsdf_core.errors import BrokerUnavailable
from fsdf_core.waiting import wait_until
from tests.cli.conftest import PATIENCE


@pytest.fixture
def dead(fsdf, queue):
    """Tasks that have failed for good."""
    params = {"max_retry_times": 0, "is_push_to_dlx_queue_when_retry_max_times": True, "log_level": "CRITICAL"}
    module = fsdf.module(queue, **params)
    fsdf("worker", "--list", module)
    for number in range(3):
        fsdf("publish", "--task-id", f"t{number}", queue, json.dumps({"x": number, "fail": True}))
    booster = BoostersManager.get_booster(queue)
    booster.consume()
    letters = booster.dead_letters()
    assert wait_until(lambda: letters.count() == 3, PATIENCE)
    booster.stop()
    return booster


def numbers(address):
    """The x of the messages of a queue, in order; takes them."""
    subscription = find(address).queue.subscribe("test", 1000)
    deliveries = []
    while got := subscription.receive(1000, 0.2):
        deliveries += got
    subscription.ack(deliveries)
    subscription.close()
    return [json.loads(delivery.body)["x"] for delivery in deliveries]


def fill(fsdf, address, count):
    fsdf("publish", address, "-", stdin="\n".join(f'{{"x": {number}}}' for number in range(count)))


def test_misuse_of_dead_letters(fsdf, queue, dead):
    fsdf("dlq", "show", queue, "nobody", status=MISUSED)
    fsdf("dlq", "replay", queue, status=MISUSED)
    assert "--all" in fsdf.errors
    fsdf("dlq", "drop", queue, "--all", "t0", status=MISUSED)
    fsdf("dlq", "drop", queue, "nobody", status=FAILED)
    fsdf("dlq", "drop", queue, "--all", stdin="n\n", status=FAILED)
    assert dead.dead_letters().count() == 3


def test_look_replay_drop(fsdf, queue, dead):
    text = fsdf("dlq", "list", queue)
    assert text.count("wanted") == 3
    listed = json.loads(fsdf("dlq", "list", queue, "--json"))
    assert sorted(letter["task_id"] for letter in listed) == ["t0", "t1", "t2"]
    shown = fsdf("dlq", "show", queue, "t1")
    assert "Traceback" in shown
    assert '"x":1' in shown
    assert json.loads(fsdf("dlq", "show", queue, "t1", "--json"))["arguments"]["x"] == 1
    assert fsdf("dlq", "replay", queue, "t1") == "1 replayed\n"
    assert dead.get_message_count() == 1
    assert json.loads(fsdf("dlq", "drop", f"{queue}_dlx", "t0", "--json")) == {"deleted": 1}
    assert fsdf("dlq", "drop", queue, "--all", "-y") == "1 deleted\n"
    assert fsdf("dlq", "list", queue) == "no dead letters\n"


def test_a_move_to_itself(fsdf, queue):
    fsdf("move", f"SQLITE_QUEUE:{queue}", f"SQLITE_QUEUE:{queue}", status=MISUSED)
    assert "both ends" in fsdf.errors


def test_a_move_from_a_broker_that_forgets(fsdf, queue, redis_url, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    fsdf("move", f"REDIS:{queue}", f"SQLITE_QUEUE:{queue}", status=MISUSED)
    assert "no acknowledgements" in fsdf.errors


@pytest.mark.parametrize("accepted", [0, 1, 2])
def test_an_interrupted_move_loses_nothing_and_goes_on(fsdf, queue, accepted):
    source, target = f"SQLITE_QUEUE:{queue}", f"SQLITE_QUEUE:{queue}_b"
    fill(fsdf, source, 500)
    opened = find(target).queue
    batches = []

    class Breaking:
        """A target that goes away after some batches, and accepts the last one without saying so."""

        name, broker, serializes = opened.name, opened.broker, opened.serializes

        def send(self, messages):
            batches.append(len(messages))
            if len(batches) > accepted:
                opened.send(messages)
                raise BrokerUnavailable("gone")
            opened.send(messages)

    with pytest.raises(BrokerUnavailable):
        move(find(source).queue, Breaking())
    fsdf("move", source, target)
    moved = numbers(target)
    assert set(moved) == set(range(500))
    assert len(moved) == 500 + batches[-1]
    assert fsdf.json("inspect", source)["ready"] == 0


def test_ctrl_c_says_how_to_go_on(fsdf, queue, monkeypatch):
    from fsdf_cli.commands import move as command

    def interrupted(source, target, limit, tell):
        tell(200)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "move_messages", interrupted)
    fsdf("move", f"SQLITE_QUEUE:{queue}", f"SQLITE_QUEUE:{queue}_b", status=INTERRUPTED)
    assert "after 200: the same command moves the rest" in fsdf.errors


def test_order_limit_and_what_waits(fsdf, queue):
    source, target = f"SQLITE_QUEUE:{queue}", f"SQLITE_QUEUE:{queue}_b"
    fill(fsdf, source, 300)
    fsdf("push", "--countdown", "600", source, "--x=1000")
    assert fsdf("move", source, target, "--limit", "250").startswith("250 moved\n")
    told = json.loads(fsdf("move", source, target, "--json"))
    assert told == {"moved": 50, "ready": 0, "delayed": 1}
    assert "wait for their time" in fsdf("move", source, target)
    assert numbers(target) == list(range(300))


def test_from_one_broker_to_another_and_back(fsdf, queue, redis_url, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", redis_url)
    here, there = f"SQLITE_QUEUE:{queue}", f"REDIS_ACK_ABLE:{queue}"
    fill(fsdf, here, 450)
    assert fsdf("move", here, there) == "450 moved\n"
    assert fsdf.json("inspect", there)["ready"] == 450
    assert fsdf("move", there, here) == "450 moved\n"
    assert numbers(here) == list(range(450))


@pytest.mark.crash
def test_a_killed_move_loses_nothing(fsdf, queue, start):
    source, target, count = f"SQLITE_QUEUE:{queue}", f"SQLITE_QUEUE:{queue}_b", 20_000
    fill(fsdf, source, count)
    moving = start("move", source, target, FSDF_HEARTBEAT_TIMEOUT="0.5")
    assert wait_until(lambda: find(target).queue.size().ready > 1000, PATIENCE), moving.output
    moving.popen.kill()
    moving.ends()
    # What the killed one held comes back when its death is noticed.
    assert wait_until(lambda: fsdf("move", source, target) and not find(source).queue.size().total, PATIENCE)
    moved = numbers(target)
    assert set(moved) == set(range(count))
    assert len(moved) <= count + 200
