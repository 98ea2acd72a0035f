"""Publishing, queues and dead letters by HTTP."""

import time

import orjson
import pytest

from fsdf_core.dead_letter import NOTE
from fsdf_core.roster import KnownQueue, Worker
from fsdf_core.testing.clock import ManualClock
from tests.web.stores import everywhere

pytestmark = everywhere


def bodies(queue):
    """Take all messages from a queue."""
    subscription = queue.subscribe("a-test", 10)
    found = subscription.receive(10, 5)
    subscription.ack(found)
    subscription.close()
    return [orjson.loads(delivery.body) for delivery in found]


def test_a_queue_that_nobody_knows(api, settings):
    for path in ("pause", "resume", "clear", "messages", "dead-letters/drop"):
        answer = api.post(f"/api/queues/nowhere/{path}", json={})
        assert answer.status_code == 404, path
    assert api.get("/api/queues/nowhere").status_code == 404
    assert "nowhere" in answer.json()["detail"]
    assert api.get("/api/queues").json() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [({}, "needs 'x'"), ({"x": 1, "z": 2}, "no 'z'"), ({"x": 1, "extra": {}}, "extra")],
)
def test_arguments_that_the_function_does_not_take(api, sums, arguments, complaint):
    answer = api.post("/api/queues/sums/messages", json={"arguments": arguments})
    assert answer.status_code == 400
    assert complaint in answer.json()["detail"]
    assert sums.size().total == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"arguments": 1}', b'{"unknown": 1}', b'{"wait": -1}'])
def test_bodies_that_are_no_call(api, sums, body):
    answer = api.post("/api/queues/sums/messages", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert sums.size().total == 0


def test_publishing_without_the_function(api, sums):
    answer = api.post("/api/queues/sums/messages", json={"arguments": {"x": 1}, "task_id": "mine", "priority": 0})
    assert answer.status_code == 201
    assert answer.json() == {"task_id": "mine", "queue": "sums", "accepted": True, "result": None}
    (message,) = bodies(sums)
    assert message["x"] == 1
    assert message["extra"]["task_id"] == "mine"


def test_publishing_with_a_delay(api, sums):
    api.post("/api/queues/sums/messages", json={"arguments": {"x": 1}, "countdown": 600})
    assert sums.size().delayed == 1
    answer = api.post("/api/queues/sums/messages", json={"arguments": {"x": 1}, "countdown": 600, "eta": "2030-01-01"})
    assert answer.status_code == 400


def test_publishing_to_a_new_queue_needs_its_broker(api):
    call = {"arguments": {"a": 1}}
    assert api.post("/api/queues/new/messages", json=call).status_code == 404
    assert api.post("/api/queues/new/messages?broker_kind=NOPE", json=call).status_code == 404
    assert api.post("/api/queues/new/messages?broker_kind=SQLITE_QUEUE", json=call).status_code == 201


def test_names_with_slashes(api, hub):
    hub.roster().enlist(Worker("w", "a/b"), KnownQueue("a/b", "SQLITE_QUEUE"))
    assert api.get("/api/queues/a/b").json()["name"] == "a/b"
    assert api.post("/api/queues/a%2Fb/pause").json()["paused"] is True


def test_what_is_told_of_a_queue(api, hub, sums):
    hub.roster().enlist(
        Worker("w", "sums", running=3, per_second=2.5, qps=5, concurrency=10), KnownQueue("sums", "SQLITE_QUEUE")
    )
    api.post("/api/queues/sums/messages", json={"arguments": {"x": 1}})
    status = api.get("/api/queues/sums").json()
    assert {key: status[key] for key in ("ready", "delayed", "dead", "running", "workers", "qps", "paused")} == {
        "ready": 1,
        "delayed": 0,
        "dead": 0,
        "running": 3,
        "workers": 1,
        "qps": 5,
        "paused": False,
    }
    assert api.get("/api/queues").json()[0]["name"] == "sums"


def test_pause_resume_clear(api, sums, state):
    api.post("/api/queues/sums/messages", json={"arguments": {"x": 1}})
    assert api.post("/api/queues/sums/pause").json()["paused"] is True
    assert state.get(["fsdf:pause:sums"]) != [None]
    assert api.post("/api/queues/sums/resume").json()["paused"] is False
    assert api.post("/api/queues/sums/clear").json() == {"count": 1}
    assert sums.size().total == 0


def test_the_pace(api, sums, hub):
    assert api.patch("/api/queues/sums/pace", json={"qps": -1}).status_code == 422
    assert api.patch("/api/queues/sums/pace", json={"concurrency": 0}).status_code == 422
    status = api.patch("/api/queues/sums/pace", json={"qps": 2.5}).json()
    assert (status["qps"], status["ordered"]) == (2.5, True)
    assert hub.roster().pace("sums").qps == 2.5
    assert api.delete("/api/queues/sums/pace").json()["ordered"] is False


def test_a_broker_that_is_away_is_told_and_holds_nothing_up(api, hub):
    url = "/nowhere/at/all"
    hub.roster().enlist(Worker("w", "far"), KnownQueue("far", "NO_SUCH_BROKER", {"url": url}))
    status = api.get("/api/queues/far").json()
    assert "NO_SUCH_BROKER" in status["trouble"]
    assert status["ready"] is None


def put_dead(hub, *ids):
    graves = hub.queues.open("sums").broker.queue("sums_dlx")
    note = {"reason": "failed", "error": "ValueError: no", "time": time.time(), "queue": "sums"}
    from fsdf_core.publisher import Publisher

    for task_id in ids:
        Publisher(graves).publish({"x": 1}, {"task_id": task_id, NOTE: note})


def test_dead_letters(api, hub, sums):
    put_dead(hub, "a", "b", "c")
    listed = api.get("/api/queues/sums/dead-letters").json()
    assert [dead["task_id"] for dead in listed] == ["a", "b", "c"]
    assert listed[0]["error"] == "ValueError: no"
    assert api.post("/api/queues/sums/dead-letters/drop", json={"task_ids": ["b"]}).json() == {"count": 1}
    assert api.post("/api/queues/sums/dead-letters/replay", json={"task_ids": ["a"]}).json() == {"count": 1}
    assert [message["extra"]["task_id"] for message in bodies(sums)] == ["a"]
    assert api.post("/api/queues/sums/dead-letters/drop", json={}).json() == {"count": 1}
    assert api.get("/api/queues/sums/dead-letters").json() == []


def test_workers(api, hub):
    hub.roster().enlist(Worker("w1", "sums", host="alpha", pid=7), KnownQueue("sums"))
    (worker,) = api.get("/api/workers").json()
    assert (worker["consumer_id"], worker["host"], worker["pid"]) == ("w1", "alpha", 7)
    assert api.post("/api/workers/w2/shut-down").status_code == 404
    assert api.post("/api/workers/w1/shut-down").json() == {"count": 1}
    assert hub.roster().report(Worker("w1", "sums")).end is True


def test_looking_at_dead_letters_is_done_once_for_all(api, hub, sums, monkeypatch):
    from fsdf_core.dead_letters import DeadLetters

    hub.dead_letters._clock = ManualClock()
    put_dead(hub, "a")
    looks = []
    really = DeadLetters.list
    monkeypatch.setattr(DeadLetters, "list", lambda self, limit: looks.append(limit) or really(self, limit))
    for _ in range(3):
        assert ">a</a>" in api.get("/queues/sums").text
    assert len(looks) == 1
    api.post("/api/queues/sums/dead-letters/drop", json={})
    assert ">a</a>" not in api.get("/queues/sums").text
