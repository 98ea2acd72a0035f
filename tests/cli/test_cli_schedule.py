"""`fsdf schedule`: what is refused, what is kept, and that somebody publishes it."""

import json

import pytest

from fsdf.schedule_manager import _managers
from fsdf_cli.mistakes import MISUSED
from fsdf_core.waiting import wait_until
from tests.cli.conftest import PATIENCE


@pytest.fixture(autouse=True)
def _own_managers():
    _managers.clear()
    yield
    _managers.clear()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--every", "30s", "--cron", "* * * * *"],
        ["--every", "soon"],
        ["--every", "0s"],
        ["--cron", "* * *"],
        ["--cron", "99 * * * *"],
        ["--at", "yesterday"],
        ["--at", "2001-01-01 00:00:00"],
    ],
)
def test_times_that_are_none(fsdf, queue, words):
    fsdf("schedule", "add", *words, f"SQLITE_QUEUE:{queue}", "--x=1", status=MISUSED)
    assert fsdf.errors.startswith("Error: ")
    assert fsdf("schedule", "list") == "no schedules\n"


@pytest.mark.parametrize("command", ["pause", "resume", "remove", "run"])
def test_a_schedule_that_is_not_there(fsdf, queue, command):
    fsdf("schedule", "add", "--every", "1h", "--id", "beat", f"SQLITE_QUEUE:{queue}", "--x=1")
    fsdf("schedule", command, "baet", status=MISUSED)
    assert "Did you mean 'beat'?" in fsdf.errors


def test_an_id_that_is_taken(fsdf, queue):
    words = ("--id", "beat", f"SQLITE_QUEUE:{queue}", "--x=1")
    fsdf("schedule", "add", "--every", "1h", *words)
    fsdf("schedule", "add", "--every", "2h", *words, status=MISUSED)
    fsdf("schedule", "add", "--replace", "--every", "2h", *words)
    (job,) = json.loads(fsdf("schedule", "list", "--json"))
    assert job["when"]["hours"] == 2


def test_a_call_that_the_function_does_not_take(fsdf, queue):
    fsdf("schedule", "add", "--every", "1h", "-i", fsdf.module(queue), queue, "--z=1", status=MISUSED)
    assert "z" in fsdf.errors


def test_from_adding_to_removing(fsdf, queue):
    module = fsdf.module(queue)
    added = json.loads(
        fsdf("schedule", "add", "--json", "--cron", "*/5 8-18 * * mon-fri", "--id", "c", "-i", module, queue, "1")
    )
    assert (added["queue"], added["arguments"], added["trigger"]) == (queue, {"x": 1}, "cron")
    assert added["next"] > 0
    fsdf("schedule", "add", "--at", "2100-01-01 00:00:00", "--id", "d", f"SQLITE_QUEUE:{queue}", "--x", "word")
    text = fsdf("schedule", "list")
    assert "2100-01-01" in text
    assert "day_of_week=mon-fri" in text
    fsdf("schedule", "pause", "c")
    assert {job["id"]: job["paused"] for job in json.loads(fsdf("schedule", "list", "--json"))} == {
        "c": True,
        "d": False,
    }
    fsdf("schedule", "resume", "c")
    assert len(json.loads(fsdf("schedule", "run", "d", "--json"))["task_id"]) == 36
    assert '"word"' in fsdf.json("inspect", "--peek", "1", f"SQLITE_QUEUE:{queue}")["messages"][0]["body"]
    fsdf("schedule", "remove", "c")
    fsdf("schedule", "remove", "d")
    assert fsdf("schedule", "list") == "no schedules\n"


def test_a_scheduler_publishes_until_it_is_told_to_end(fsdf, queue, start):
    fsdf("schedule", "add", "--every", "0.5s", f"SQLITE_QUEUE:{queue}", "--x=1")
    scheduler = start("schedule", "start")
    scheduler.says("publishing what is due")
    assert wait_until(lambda: fsdf.json("inspect", f"SQLITE_QUEUE:{queue}")["ready"] >= 2, PATIENCE)
    scheduler.popen.terminate()
    assert scheduler.ends() == 0, scheduler.output
    assert "Traceback" not in scheduler.output
