"""An app with stores of its own, and visitors of each kind."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from fsdf_core import registry
from fsdf_core.settings import Settings
from fsdf_core.states.memory import MemoryStateStore
from fsdf_web.app import create_app
from fsdf_web.config import WebSettings

ADMIN = "the-token-of-admins"
READER = "the-token-of-readers"
_apps = {}
"""Each is built at its first request, which takes long; they keep nothing else from test to test."""

BASE = "http://127.0.0.1:27018"


@pytest.fixture
def state(monkeypatch):
    """A state store of the test's own."""
    store = MemoryStateStore()
    monkeypatch.setattr(registry, "open_state", lambda settings: store)
    return store


@pytest.fixture
def make_app(state, tmp_path):
    def make(**web):
        names = {"token": ADMIN, "read_token": READER, **web}
        key = tuple(sorted(names.items()))
        if key not in _apps:
            _apps[key] = create_app(Settings(home=tmp_path), WebSettings.read(**names))
        door = _apps[key].state.hub.door
        door.sessions._key = b""
        door._attempts._failures.clear()
        return _apps[key]

    return make


@pytest.fixture
def visit(make_app):
    """Return a client of an app; `headers` go with each request."""
    clients = []

    def visiting(app=None, address="127.0.0.1", **headers):
        client = TestClient(
            app or make_app(),
            base_url=BASE,
            headers=headers,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(address, 50000),
        )
        clients.append(client)
        return client

    yield visiting
    for client in clients:
        client.close()


@pytest.fixture
def admin(visit):
    return visit(authorization=f"Bearer {ADMIN}")


@pytest.fixture
def log_in():
    def logging_in(client, token=ADMIN):
        """Log in by the form; return the CSRF token of the pages."""
        answer = client.post("/login", data={"token": token, "next": "/"})
        assert answer.status_code == 200, answer.text
        page = client.get("/").text
        return page.partition('name="csrf-token" content="')[2].partition('"')[0]

    return logging_in
