"""Requests that others make in a visitor's name, roles, headers, and what is noted."""

import logging

import orjson
import pytest

from fsdf_web.security.body_limit import LARGEST
from fsdf_web.security.hosts import host_of, is_allowed

ADMIN, READER = "the-token-of-admins", "the-token-of-readers"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost:1@evil.example", "", "127.0.0.2", "x, localhost"]
)
def test_unknown_hosts(admin, host):
    answer = admin.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "FSDF_WEB_ALLOWED_HOSTS" in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "[::1]:8080", "127.0.0.1", "a.example.com", "ui.test:80"])
def test_known_hosts(visit, make_app, host):
    client = visit(make_app(allowed_hosts="*.example.com, ui.test"), authorization=f"Bearer {ADMIN}")
    assert client.get("/", headers={"host": host}).status_code == 200


def test_a_pattern_is_no_ending():
    assert not is_allowed("evilexample.com", ("*.example.com",))
    assert not is_allowed("example.com", ("*.example.com",))
    assert host_of("[::1") == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_requests_of_other_sites(visit, make_app, log_in, headers):
    client = visit()
    csrf = log_in(client)
    assert client.post("/logout", headers={"x-csrf-token": csrf, **headers}).status_code == 403
    assert client.post("/login", data={"token": ADMIN}, headers=headers).status_code == 403
    nobody = visit(make_app(token=None, read_token=None, no_auth=True))
    assert nobody.post("/api/audit", headers=headers).status_code == 403


def test_a_session_needs_its_csrf_token(visit, make_app, log_in):
    app = make_app()
    client, other = visit(app), visit(app)
    csrf, foreign = log_in(client), log_in(other)
    assert len(csrf) == 64
    assert client.post("/api/audit").status_code == 403
    assert client.post("/api/audit", headers={"x-csrf-token": foreign}).status_code == 403
    # There is no such route; the guard has let it pass.
    assert client.post("/api/audit", headers={"x-csrf-token": csrf}).status_code == 405


def test_a_token_in_the_header_needs_no_csrf_token(admin):
    assert admin.post("/api/audit").status_code == 405


def test_readers_change_nothing(visit, log_in):
    reader = visit(authorization=f"Bearer {READER}")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert reader.request(method, "/api/audit").status_code == 403
    client = visit()
    csrf = log_in(client, READER)
    assert client.post("/api/audit", headers={"x-csrf-token": csrf}).status_code == 403
    assert client.post("/logout", headers={"x-csrf-token": csrf}).status_code == 204


@pytest.mark.parametrize("path", ["/", "/login", "/static/style.css", "/api/audit", "/nowhere"])
def test_every_answer_restricts_the_browser(admin, path):
    headers = admin.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_pages_stay_in_no_cache(admin):
    assert admin.get("/").headers["cache-control"] == "no-store"


def test_bodies_are_limited(admin):
    assert admin.post("/login", content=b"x" * (LARGEST + 1)).status_code == 413
    chunks = (b"x" * 2**20 for _ in range(12))
    assert admin.post("/login", content=chunks).status_code == 413


def test_what_changes_is_noted(admin, visit, caplog):
    with caplog.at_level(logging.INFO, "fsdf.web.audit"):
        admin.post("/api/queues/a%0Ab/pause")
    visit().post("/login", data={"token": "wrong wrong wrong"})
    entries = admin.get("/api/audit").json()
    assert [entry["status"] for entry in entries] == [401, 404]
    assert entries[1]["who"] == "admin by token"
    assert entries[1]["action"] == "POST /api/queues/a\nb/pause"
    assert entries[0]["who"] == "nobody"
    assert "\n" not in caplog.messages[0]
    assert orjson.loads(caplog.messages[0]) == entries[1]
    assert "wrong" not in str(entries)


def test_looking_is_not_noted(admin):
    admin.get("/")
    assert admin.get("/api/audit").json() == []
