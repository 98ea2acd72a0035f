"""Every page, with hostile data in every field; two languages; what readers see."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from fsdf_control.scheduling import Schedule, Trigger
from fsdf_core.dead_letter import NOTE
from fsdf_core.publisher import Publisher
from fsdf_core.records import Attempt, Count, TaskRecord
from fsdf_core.roster import KnownQueue, Worker
from fsdf_web.chinese import CHINESE
from fsdf_web.templates import _WORDS
from tests.web.stores import everywhere
from tests.web.words import said

READER = "the-token-of-readers"
EVIL = "\"'></textarea></title><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
PAGES = ("/", "/tasks", "/speed", "/queues", "/workers", "/workers?by=host", "/call", "/schedules", "/audit")


class Found(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self.scripts = [], "", 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def check(self):
        for tag, attributes in self.tags:
            assert tag not in {"img", "iframe", "object", "style"}
            assert not [name for name in attributes if name.startswith("on") or name == "style"], attributes
            assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:", "//")), attributes
            if tag == "script":
                assert attributes["src"].startswith("/static/"), attributes


@pytest.fixture
def evil_world(hub, records, state):
    now = time.time()
    known = KnownQueue(
        EVIL, "SQLITE_QUEUE", {}, EVIL, ({"name": EVIL, "required": False, "annotation": EVIL, "default": EVIL},),
        {EVIL: EVIL}, EVIL,
    )  # fmt: skip
    worker = Worker(
        EVIL[:40], EVIL, EVIL, {}, EVIL, EVIL, EVIL, 1, EVIL, EVIL, EVIL, now - 5, EVIL, EVIL, running=1, seen=now
    )
    hub.roster().enlist(worker, known)
    hub.roster().enlist(Worker("other", "plain", host="alpha"), KnownQueue("plain", EVIL))
    for status in ("failure", "running"):
        records.save(
            [
                TaskRecord(
                    f"{EVIL}{status}", EVIL, EVIL, status, now - 3, now - 2, now - 1, 2,
                    [Attempt(now - 2, now - 1, EVIL)],
                    {EVIL: [EVIL]}, {EVIL: EVIL}, {EVIL: EVIL}, EVIL, EVIL, EVIL, EVIL, EVIL, 1, 2, EVIL, {EVIL: EVIL},
                )
            ],
            [Count(EVIL, int(now), 1, 1, runs=2, seconds_spent=1.0)],
        )  # fmt: skip
    Publisher(hub.queues.open(EVIL).broker.queue(EVIL + "_dlx")).publish(
        {EVIL: EVIL},
        {"task_id": EVIL, NOTE: {"reason": EVIL, "error": EVIL, "traceback": EVIL, "time": now, "queue": EVIL}},
    )
    trigger = Trigger.of("cron", "UTC", hour=3)
    hub.schedules().add(Schedule(EVIL, EVIL, trigger, {EVIL: EVIL}, "SQLITE_QUEUE", name=EVIL), now)


@everywhere
@pytest.mark.timeout(240)
def test_hostile_data_stay_text(api, evil_world):
    name, task = quote(EVIL, safe=""), quote(f"{EVIL}failure", safe="")
    api.post(f"/api/queues/{name}/pause")
    api.post("/api/tasks-kill", json={"text": EVIL})
    showing = [
        *PAGES,
        f"/queues/{name}",
        f"/tasks/{task}",
        f"/call?task={task}",
        f"/call?queue={name}&result={task}",
        f"/speed?queue={name}",
    ]
    for path in showing:
        answer = api.get(path)
        assert answer.status_code == 200, (path, answer.text)
        found = Found(answer.text)
        found.check()
        assert "<script>alert(1)" not in answer.text, path
        # What stands in a select or a title is text to the parser, too.
        assert "alert(1)" in found.text, path


ADDRESSES = (
    "/login?next={}", "/tasks?text={0}&queue={0}&status={0}&since={0}&argument={0}&cursor={0}&task_id=",
    "/tasks?text={0}&queue={0}&argument=a%3D{0}", "/tasks?error_type={}", "/tasks?task_id={}", "/tasks/{}",
    "/queues/{}", "/call?queue={}", "/call?task={}", "/call?result={}", "/speed?queue={}", "/workers?by={}", "/{}",
    "/language/en?next={}",
)  # fmt: skip


@everywhere
@pytest.mark.parametrize("evil", [EVIL, EVIL + "\0\udc80", "%_!\\$"], ids=["text", "no text", "signs"])
def test_hostile_addresses_stay_text(api, evil):
    for path in ADDRESSES:
        answer = api.get(path.format(quote(evil, safe="", errors="surrogatepass")))
        assert answer.status_code in {200, 303, 400, 404}, (path, answer.text)
        assert "<script>alert(1)" not in answer.text, path
        assert answer.status_code == 303 or "<img" not in answer.text, path
        Found(answer.text).check()


@everywhere
def test_templates_do_not_run_data(api, records):
    records.save([TaskRecord("{{7*7}}", "{{7*7}}", "f", "success", 1e9, 1e9, 1e9)])
    assert "{{7*7}}" in api.get("/tasks").text
    assert "49" not in Found(api.get(f"/tasks/{quote('{{7*7}}')}").text).text.replace("1", "")


@everywhere
def test_pages_of_an_empty_house(api):
    for path in PAGES:
        answer = api.get(path)
        assert answer.status_code == 200, path
        Found(answer.text).check()


def test_what_is_not_there(api):
    assert api.get("/nowhere").status_code == 404
    assert "no queue" in api.get("/queues/nowhere").text
    assert "Nothing is known of it" in api.get("/tasks/nothing").text
    assert api.get("/tasks?since=yesterday").status_code == 200
    assert "2030-01-31T08:00" in api.get("/tasks?since=yesterday").text


def test_readers_get_no_buttons(app, evil_world):
    with TestClient(app, base_url="http://127.0.0.1", headers={"authorization": f"Bearer {READER}"}) as client:
        for path in (*PAGES, f"/queues/{quote(EVIL, safe='')}", f"/tasks/{quote(f'{EVIL}failure', safe='')}"):
            assert "data-action" not in client.get(path).text, path
        assert "read-only" in client.get("/").text


@everywhere
def test_a_store_that_is_away_takes_no_page_with_it(api, records, monkeypatch):
    from fsdf_core.errors import StateUnavailable

    def away(*_, **__):
        raise StateUnavailable("the record store is away: <b>")

    for method in ("find", "counts", "queues", "how_many"):
        monkeypatch.setattr(type(records), method, away)
    for path in ("/", "/tasks", "/speed", "/queues"):
        answer = api.get(path)
        assert answer.status_code == 200, path
        assert path == "/queues" or "the record store is away: &lt;b&gt;" in answer.text, path


def test_every_word_is_translated():
    words = said() | set(_WORDS.values())
    assert not words - set(CHINESE)
    assert not set(CHINESE) - words


def test_languages(api):
    assert '<html lang="en"' in api.get("/").text
    assert "总览" in api.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    answer = api.get("/language/zh?next=/queues")
    assert answer.headers["location"] == "/queues"
    assert "总览" in api.get("/").text
    assert api.get("/language/en?next=//evil.example").headers["location"] == "/"


def test_scripts_and_styles_are_ours(api):
    page = api.get("/").text
    for tag, attributes in Found(page).tags:
        source = attributes.get("src") if tag == "script" else attributes.get("href") if tag == "link" else None
        if source:
            assert api.get(source).status_code == 200, source
