"""The web UI within other applications, under a prefix."""

from __future__ import annotations

import re
import signal
import time

import flask
import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import fsdf
from fsdf_control.scheduling import Schedule, ScheduleBook, Trigger
from fsdf_core.errors import ConfigurationError
from fsdf_core.registry import brokers
from fsdf_core.waiting import wait_until
from fsdf_web import WebServer, WebSettings, create_app
from fsdf_web.wsgi import create_wsgi_app
from tests.web.program import Program

ADMIN = "the-token-of-admins"
WEB = WebSettings.read(token=ADMIN)


def in_fastapi(settings):
    outer = FastAPI()
    outer.mount("/tools/fsdf", create_app(settings, WEB))
    return outer


def in_starlette(settings):
    return Starlette(routes=[Mount("/tools", routes=[Mount("/fsdf", create_app(settings, WEB))])])


@pytest.mark.parametrize("mounted", [in_fastapi, in_starlette])
def test_in_an_asgi_application(settings, state, mounted):
    with TestClient(mounted(settings), base_url="http://127.0.0.1", follow_redirects=False) as client:
        assert client.get("/tools/fsdf/queues").headers["location"] == "/tools/fsdf/login?next=%2Fqueues"
        answer = client.post("/tools/fsdf/login", data={"token": ADMIN, "next": "/queues"})
        assert "path=/tools/fsdf/" in answer.headers["set-cookie"].lower()
        check(client, answer.text)
        assert client.post("/tools/fsdf/api/audit").status_code == 403  # no CSRF token
        assert client.get("/tools/fsdf").headers["location"].endswith("/tools/fsdf/")


def check(client, entering):
    """Follow the links of a page: all of them stay below the prefix."""
    assert 'content="0;url=/tools/fsdf/queues"' in entering
    page = client.get("/tools/fsdf/queues")
    assert page.status_code == 200
    for link in re.findall(r'(?:href|src)="([^"#]+)"', page.text):
        assert link.startswith("/tools/fsdf/"), link
        assert client.get(link).status_code in {200, 303}, link
    assert 'data-root="/tools/fsdf"' in page.text


def test_in_flask(settings, state):
    app = flask.Flask(__name__)
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/tools/fsdf": create_wsgi_app(settings, WEB)})
    client = app.test_client()
    options = {"base_url": "http://127.0.0.1", "buffered": True}
    assert client.get("/tools/fsdf/queues", **options).status_code == 303
    entering = client.post("/tools/fsdf/login", data={"token": ADMIN, "next": "/queues"}, **options)
    assert 'content="0;url=/tools/fsdf/queues"' in entering.get_data(as_text=True)
    page = client.get("/tools/fsdf/queues", **options).get_data(as_text=True)
    assert 'data-root="/tools/fsdf"' in page
    assert client.get("/tools/fsdf/static/style.css", **options).status_code == 200
    # Nothing is streamed: browsers ask instead.
    assert client.get("/tools/fsdf/events", **options).status_code == 204
    headers = {"authorization": f"Bearer {ADMIN}"}
    assert client.get("/tools/fsdf/api/queues", headers=headers, **options).json == []
    assert client.post("/tools/fsdf/api/queues/no/pause", headers=headers, **options).status_code == 404


def test_in_django(settings, state):
    import django
    from django.conf import settings as django_settings
    from django.core.handlers.wsgi import WSGIHandler

    if not django_settings.configured:
        django_settings.configure(ROOT_URLCONF="django.contrib.staticfiles.urls", ALLOWED_HOSTS=["*"])
        django.setup()
    from werkzeug.test import Client

    client = Client(DispatcherMiddleware(WSGIHandler(), {"/tools/fsdf": create_wsgi_app(settings, WEB)}))
    headers = {"authorization": f"Bearer {ADMIN}"}
    answer = client.get("/tools/fsdf/api/workers", base_url="http://127.0.0.1", headers=headers, buffered=True)
    assert answer.json == []


def test_without_a_token_it_does_not_mount(settings, monkeypatch):
    monkeypatch.delenv("FSDF_WEB_TOKEN", raising=False)
    with pytest.raises(ConfigurationError, match="FSDF_WEB_TOKEN"):
        create_wsgi_app(settings)


def test_a_server_makes_a_token_and_tells_of_changes(settings, state):
    server = WebServer(settings, WebSettings.read(port=0))
    server.start()
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login\?token=[\w-]{43}", server.link)
        assert "token" not in repr(server)
        with httpx2.Client(timeout=60) as client:
            assert client.get(server.url + "events").status_code == 401
            token = server.link.partition("token=")[2]
            headers = {"authorization": f"Bearer {token}"}
            with client.stream("GET", server.url + "events", headers=headers) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                lines = stream.iter_lines()
                assert next(lines) == "retry: 2000"
                assert any(line.startswith(":") for line in lines)
                state.set({"fsdf:web:audit:count": b"7"})
                assert any(line == "event: changed" for line in lines)
    finally:
        server.stop()


def test_a_server_runs_schedules(settings, state):
    server = WebServer(settings, WebSettings.read(port=0, token=ADMIN), run_schedules=True)
    server.start()
    try:
        queue = brokers.get("SQLITE_QUEUE").from_settings(settings).queue("nightly")
        soon = Trigger.of("date", "UTC", run_date=time.time() + 1)
        ScheduleBook(state).add(Schedule("once", "nightly", soon, {"x": 1}, "SQLITE_QUEUE"), time.time())
        assert wait_until(lambda: queue.size().ready == 1, 60)
        assert wait_until(lambda: not ScheduleBook(state).all(), 60)
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_well_while_browsers_listen(tmp_path, number):
    web = Program("-m", "fsdf_web.command", "--port", "0", environment={"FSDF_HOME": str(tmp_path)})
    try:
        root, token = web.until(r"http://\S+").split("login?token=")
        headers = {"authorization": f"Bearer {token}"}
        with httpx2.stream("GET", f"{root}events", headers=headers, timeout=60) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            web.process.send_signal(number)
            assert web.ended() == 0
            assert not [line for line in lines if line.startswith("event")]
    finally:
        web.close()
    assert "Traceback" not in web.output
    assert "Cancel" not in web.output


def test_a_port_that_is_taken(settings, state):
    first = WebServer(settings, WebSettings.read(port=0, token=ADMIN))
    try:
        first.start()
        with pytest.raises(ConfigurationError, match="FSDF_WEB_PORT"):
            WebServer(settings, WebSettings.read(port=first.port, token=ADMIN))
    finally:
        first.stop()


def test_queues_of_this_process(monkeypatch, tmp_path, capsys):
    from fsdf_core import registry, settings

    monkeypatch.setattr(settings, "_patches", {"home": tmp_path / "home"})
    monkeypatch.setattr(settings, "_current", None)

    @fsdf.boost("web-memory", broker_kind="MEMORY_QUEUE")
    def greet(name: str) -> str:
        return name

    server = fsdf.start_web_manager(port=0, token=ADMIN)
    try:
        assert f"{server.url}login?token={ADMIN}" in capsys.readouterr().err
        with httpx2.Client(timeout=60, headers={"authorization": f"Bearer {ADMIN}"}) as client:
            url = f"{server.url}api/queues/web-memory"
            assert client.post(f"{url}/messages", json={"arguments": {}}).status_code == 400
            assert client.post(f"{url}/messages", json={"arguments": {"name": "ann"}}).status_code == 201
            assert client.get(url).json()["ready"] == 1
            assert client.post(f"{url}/pause").json()["paused"] is True
            assert client.post(f"{url}/resume").json()["paused"] is False
        assert greet.get_message_count() == 1
    finally:
        server.stop()
        registry.open_state(settings.get_settings()).close()
        registry.open_records(settings.get_settings()).close()
