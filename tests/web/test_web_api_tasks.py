"""Tasks, results, speed and schedules by HTTP."""

import time

import orjson
import pytest

from fsdf_core.records import Count, TaskRecord
from tests.web.stores import everywhere

pytestmark = everywhere


def record(task_id="t1", queue="sums", status="success", **more):
    now = time.time()
    facts = {
        "published": now - 3,
        "started": now - 2,
        "finished": now - 1,
        "attempts": 1,
        "arguments": {"x": 1, "y": 2},
    }
    return TaskRecord(task_id, queue, "jobs.add", status, **{**facts, **more})


def sent(queue):
    subscription = queue.subscribe("a-test", 100)
    found = subscription.receive(100, 5)
    subscription.ack(found)
    subscription.close()
    return [orjson.loads(delivery.body) for delivery in found]


def test_a_task_that_nobody_knows(api):
    assert api.get("/api/tasks/none").status_code == 404
    assert api.post("/api/tasks/none/run", json={}).status_code == 404
    assert api.post("/api/tasks/none/kill").status_code == 404
    answer = api.get("/api/results/none").json()
    assert (answer["status"], answer["done"]) == ("pending", False)


@pytest.mark.parametrize("query", ["status=no", "limit=0", "limit=1001", "since=x", "unknown=1", "cursor=garbage"])
def test_searches_that_make_no_sense(api, query):
    assert api.get(f"/api/tasks?{query}").status_code in {400, 422}


def test_an_argument_without_a_value(api):
    answer = api.get("/api/tasks", params={"argument": "x"})
    assert answer.status_code == 400
    assert "path=value" in answer.json()["detail"]


def test_searching(api, records):
    records.save(
        [
            record("a"),
            record("b", status="failure", error_type="ValueError", error="no such user"),
            record("c", queue="other", arguments={"user": {"id": 5}}),
        ]
    )

    def found(**query):
        return sorted(task["task_id"] for task in api.get("/api/tasks", params=query).json()["tasks"])

    assert found() == ["a", "b", "c"]
    assert found(queue="sums") == ["a", "b"]
    assert found(status="failure") == found(error_type="ValueError") == found(text="such user") == ["b"]
    assert found(argument="user.id=5") == ["c"]
    assert found(min_seconds=5) == []
    assert api.get("/api/tasks-count", params={"queue": "sums"}).json() == {"count": 2, "more": False}


def test_pages_follow_each_other(api, records):
    records.save([record(f"t{number}", finished=1e9 + number) for number in range(5)])
    seen, cursor = [], None
    for _ in range(3):
        page = api.get("/api/tasks", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [task["task_id"] for task in page["tasks"]]
        cursor = page["next"]
    assert seen == ["t4", "t3", "t2", "t1", "t0"]
    assert cursor is None


def test_running_again(api, records, sums):
    records.save([record("a", extra={"task_id": "a", "priority": 0, "max_retry_times": 1})])
    new = api.post("/api/tasks/a/run", json={}).json()["task_id"]
    edited = api.post("/api/tasks/a/run", json={"arguments": {"x": 9}}).json()["task_id"]
    first, second = sent(sums)
    assert (first["x"], first["extra"]["task_id"], first["extra"]["max_retry_times"]) == (1, new, 1)
    assert (second["x"], second["extra"]["task_id"]) == (9, edited)
    assert "a" not in {new, edited}


def test_masked_secrets_do_not_run(api, records, sums):
    records.save([record("a", arguments={"x": {"password": ["***"]}})])
    answer = api.post("/api/tasks/a/run", json={})
    assert answer.status_code == 400
    assert "masked" in answer.json()["detail"]
    assert sums.size().total == 0


def test_running_all_that_match(api, records, sums):
    failed = [record(f"f{number}", status="failure") for number in range(3)]
    records.save([record("ok"), *failed])
    assert api.post("/api/tasks-run", json={"status": "failure"}).json() == {"count": 3}
    assert len(sent(sums)) == 3


def test_running_all_runs_none_if_one_cannot(api, records, sums):
    records.save([record("a"), record("b", arguments={"x": "***"})])
    assert api.post("/api/tasks-run", json={}).status_code == 400
    records.save([record("b", arguments={"unknown": 1})])
    assert api.post("/api/tasks-run", json={}).status_code == 400
    records.save([record("b", queue="gone", arguments={"x": 1})])
    assert sums.size().total == 0


def test_running_thousands(api, records, sums):
    records.save([record(f"t{number}", arguments={"x": number}) for number in range(2500)])
    assert api.post("/api/tasks-run", json={"queue": "sums"}).json() == {"count": 2500}
    assert sums.size().ready == 2500


def test_killing(api, records, state):
    records.save([record("a", status="running", finished=None), record("b")])
    assert api.post("/api/tasks-kill", json={}).json() == {"count": 1}
    assert api.post("/api/tasks/unheard/kill?queue=sums").json() == {"count": 1}
    assert [mark is not None for mark in state.get([f"fsdf:kill:sums:{name}" for name in ("a", "b", "unheard")])] == [
        True,
        False,
        True,
    ]


def test_the_result_of_a_task(api, records):
    records.save([record("a", result=3), record("b", status="failure", error_type="E", error="no", traceback="Tr")])
    assert api.get("/api/results/a").json()["result"] == 3
    answer = api.get("/api/results/b").json()
    assert (answer["status"], answer["error"], answer["done"]) == ("failure", "no", True)


def test_speed(api, records):
    now = int(time.time())
    records.save([], [Count("sums", now - 2, successes=4, failures=1, runs=5, seconds_spent=1.0, backlog=7)])
    speed = api.get("/api/speed").json()
    assert len(speed["times"]) == 60
    assert sum(speed["total"]["successes"]) == 4
    (curve,) = speed["queues"]
    index = curve["failures"].index(1)
    assert speed["times"][index] == now - 2
    assert (curve["mean_seconds"][index], curve["backlog"][index]) == (0.2, 7)
    for window, steps in (("hour", 60), ("day", 24), ("days", 10)):
        found = api.get("/api/speed", params={"window": window}).json()
        assert len(found["times"]) == steps
        assert sum(found["total"]["successes"]) == 4
    assert api.get("/api/speed", params={"window": "year"}).status_code == 422


SCHEDULE = {"queue": "sums", "trigger": "interval", "when": {"minutes": 5}, "arguments": {"x": 1}, "id": "often"}


@pytest.mark.parametrize(
    "change",
    [
        {"queue": "nowhere"},
        {"trigger": "never"},
        {"when": {"minute": 5}},
        {"when": {"minutes": -5}},
        {"arguments": {"z": 1}},
        {"trigger": "date", "when": {"run_date": "2001-01-01"}},
        {"when": {"minutes": 5, "kind": "cron"}},
        {"when": {"minutes": 5, "timezone": "Nowhere/Else"}},
        {"when": {"minutes": 5, "timezone": 3}},
        {"when": {"": 5}},
        {"when": {"minutes": 5, "cls": 1}},
        {"when": {"days": 1e308}},
    ],
)
def test_schedules_that_make_no_sense(api, sums, change):
    assert api.post("/api/schedules", json={**SCHEDULE, **change}).status_code in {400, 404, 422}
    assert api.get("/api/schedules").json() == []


def test_schedules(api, sums):
    made = api.post("/api/schedules", json=SCHEDULE)
    assert made.status_code == 201
    assert len(made.json()["next_runs"]) == 3
    assert api.post("/api/schedules", json={**SCHEDULE, "arguments": {"x": 2}}).status_code == 400
    assert api.post("/api/schedules/often/pause").json()["paused"] is True
    assert api.get("/api/schedules").json()[0]["next_runs"] == []
    assert api.post("/api/schedules/often/resume").json()["paused"] is False
    ran = api.post("/api/schedules/often/run").json()["task_id"]
    assert [message["extra"]["task_id"] for message in sent(sums)] == [ran]
    assert api.delete("/api/schedules/often").json() == {"count": 1}
    assert api.delete("/api/schedules/often").status_code == 404


def test_a_schedule_in_a_time_zone_of_its_own(api, sums):
    when = {"hour": 8, "timezone": "Asia/Tokyo"}
    made = api.post("/api/schedules", json={**SCHEDULE, "trigger": "cron", "when": when})
    assert made.status_code == 201, made.text
    assert made.json()["next_runs"][0] % 86_400 == 23 * 3600
