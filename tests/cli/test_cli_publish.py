"""`fsdf push`, `publish` and `result`: what is refused, what is sent, what comes back."""

import json

import pytest

from fsdf import BoostersManager
from fsdf_cli.mistakes import FAILED, MISUSED, UNANSWERED
from fsdf_core.waiting import wait_until
from tests.cli.conftest import PATIENCE


def bodies(fsdf, queue):
    """The messages of a queue, without what is not the caller's."""
    messages = fsdf.json("inspect", f"SQLITE_QUEUE:{queue}", "--peek", "100")["messages"]
    return [json.loads(message["body"]) for message in messages]


def calls(fsdf, queue):
    return [{name: value for name, value in body.items() if name != "extra"} for body in bodies(fsdf, queue)]


def test_a_queue_that_nobody_knows_is_refused_with_the_nearest(fsdf):
    module = fsdf.module("cli_orders")
    fsdf("push", "-i", module, "cli_ordres", "1", status=MISUSED)
    assert "Did you mean 'cli_orders'?" in fsdf.errors
    assert "SQLITE_QUEUE:cli_ordres" in fsdf.errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--z=1"], "does not take z"),
        ([], "x"),
        (["1", "--x=2"], "x"),
        (["1", "--y=1", "--y=2"], "twice"),
        (["1", "--y"], "no value"),
        (["1", "--not-a.name=2"], "no name of an argument"),
    ],
)
def test_a_call_that_the_function_does_not_take(fsdf, queue, words, said):
    fsdf("push", "-i", fsdf.module(queue), queue, *words, status=MISUSED)
    assert said in fsdf.errors
    assert "Traceback" not in fsdf.errors


def test_arguments_by_place_need_their_names(fsdf, queue):
    fsdf("push", f"SQLITE_QUEUE:{queue}", "1", status=MISUSED)
    assert "by name" in fsdf.errors


@pytest.mark.parametrize("text", ["{", "[1]", "3"])
def test_a_message_that_is_no_object(fsdf, queue, text):
    fsdf("publish", f"SQLITE_QUEUE:{queue}", text, status=MISUSED)
    assert "JSON" in fsdf.errors


def test_a_line_that_is_no_object_is_named(fsdf, queue):
    fsdf("publish", f"SQLITE_QUEUE:{queue}", "-", stdin='{"x":1}\nnonsense\n', status=MISUSED)
    assert "line 2" in fsdf.errors


def test_a_priority_goes_first(fsdf, queue):
    fsdf("push", "--priority", "300", f"SQLITE_QUEUE:{queue}", "--x=0", status=MISUSED)
    assert "priority" in fsdf.errors
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x=1")
    fsdf("push", "--priority", "3", f"SQLITE_QUEUE:{queue}", "--x=2")
    assert calls(fsdf, queue) == [{"x": 2}, {"x": 1}]


def test_a_queue_in_another_process_s_memory(fsdf, queue):
    fsdf("push", "-i", fsdf.module(queue, "MEMORY_QUEUE"), queue, "1", status=MISUSED)
    assert "memory of its worker's process" in fsdf.errors


def test_a_broker_whose_server_is_away_is_one_line(fsdf, queue, monkeypatch):
    monkeypatch.setenv("FSDF_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    fsdf("push", f"REDIS_ACK_ABLE:{queue}", "--x=1", status=FAILED)
    assert fsdf.errors.startswith("Error: ")
    assert "secret" not in fsdf.errors


def test_a_module_that_breaks_tells_where(fsdf, queue):
    (fsdf.folder / "cli_tasks_broken.py").write_text("import json\n\njson.loads('{')\n")
    fsdf("push", "-i", "cli_tasks_broken", queue, status=MISUSED)
    assert "cli_tasks_broken.py, line 3" in fsdf.errors
    assert "JSONDecodeError" in fsdf.errors


@pytest.mark.parametrize("target", ["cli_tasks_nowhere", "nowhere.py", "nowhere/tasks.py", "cli_tasks_nowhere.sub"])
def test_a_module_that_is_none(fsdf, queue, target):
    fsdf("push", "-i", target, queue, status=MISUSED)
    assert f"there is no {'file' if '/' in target or target.endswith('.py') else 'module'}" in fsdf.errors


def test_words_become_data_where_they_can(fsdf, queue):
    module = fsdf.module(queue)
    fsdf("push", "-i", f"{module}.py", queue, "1", "--y=2")
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x", "two words", '--y={"a": [1, null]}')
    fsdf("push", f"SQLITE_QUEUE:{queue}", "--x", '"1"', "--y=-3")
    assert calls(fsdf, queue) == [
        {"x": 1, "y": 2},
        {"x": "two words", "y": {"a": [1, None]}},
        {"x": "1", "y": -3},
    ]


def test_options_travel_with_the_message(fsdf, queue):
    address = f"SQLITE_QUEUE:{queue}"
    assert fsdf("publish", "--task-id", "mine", address, '{"x": 1}') == "mine\n"
    assert fsdf.json("push", "--task-id", "mine too", "--countdown", "600", address, "--x=2") == {
        "queue": queue,
        "task_id": "mine too",
    }
    assert [body["extra"]["task_id"] for body in bodies(fsdf, queue)] == ["mine"]
    assert fsdf.json("inspect", address)["delayed"] == 1


def test_many_from_standard_input(fsdf, queue):
    lines = "\n".join(f'{{"x": {number}}}' for number in range(2500))
    assert fsdf("publish", f"SQLITE_QUEUE:{queue}", "-", stdin=lines) == "2500 published\n"
    assert fsdf.json("inspect", f"SQLITE_QUEUE:{queue}")["ready"] == 2500


def test_a_worker_tells_what_its_function_takes(fsdf, queue, monkeypatch):
    fsdf("worker", "--list", fsdf.module(queue))
    BoostersManager.get_booster(queue).consume()
    fsdf("queues")  # opens the store
    assert wait_until(lambda: fsdf.roster.workers(queue), PATIENCE)
    BoostersManager.get_booster(queue).stop()
    monkeypatch.delitem(BoostersManager._boosters, queue)  # as in another process
    fsdf("push", queue, "1", "--z=3", status=MISUSED)
    assert "no argument 'z'" in fsdf.errors
    fsdf("push", queue, status=MISUSED)
    assert "needs the argument 'x'" in fsdf.errors
    fsdf("push", queue, "7")
    assert calls(fsdf, queue) == [{"x": 7}]


def test_results(fsdf, queue):
    module = fsdf.module(queue, max_retry_times=0)
    fsdf("worker", "--list", module)
    fsdf("push", "--wait", "0", "-i", module, queue, "1", status=UNANSWERED)
    BoostersManager.get_booster(queue).consume()
    assert json.loads(fsdf("push", "--wait", "60", queue, "1").splitlines()[-1]) == [1, 2]
    told = fsdf.json("push", "--wait", "60", queue, "5")
    assert (told["success"], told["result"]) == (True, [5, 2])
    assert fsdf.json("result", told["task_id"])["result"] == [5, 2]
    fsdf("push", "--wait", "60", queue, "1", "--fail=true", status=FAILED)
    assert "wanted" in fsdf.errors
    fsdf("result", "-t", "0", "nobody", status=UNANSWERED)
