"""The web UI over real stores: SQLite files of the test's own."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from fsdf_core import registry
from fsdf_core.roster import KnownQueue, Worker
from fsdf_core.settings import Settings
from fsdf_web.app import create_app
from fsdf_web.config import WebSettings

ADMIN, READER = "the-token-of-admins", "the-token-of-readers"
PARAMETERS = ({"name": "x", "required": True, "annotation": "int"}, {"name": "y", "required": False, "default": 2})


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", timezone="UTC")


@pytest.fixture
def state(settings):
    """The state store, closed in the end with the records."""
    store = registry.open_state(settings)
    yield store
    store.close()
    registry.open_records(settings).close()


@pytest.fixture
def records(settings, state):
    return registry.open_records(settings)


@pytest.fixture
def hub(app):
    return app.state.hub


@pytest.fixture
def app(settings, state):
    made = create_app(settings, WebSettings.read(token=ADMIN, read_token=READER))
    yield made
    made.state.hub.close()


@pytest.fixture
def api(app):
    """A client with the admin's token."""
    with TestClient(
        app,
        base_url="http://127.0.0.1",
        headers={"authorization": f"Bearer {ADMIN}"},
        follow_redirects=False,
        raise_server_exceptions=False,
    ) as client:
        yield client


@pytest.fixture
def sums(hub):
    """The queue of `add(x: int, y=2)`, which a worker has consumed once."""
    worker = Worker("gone", "sums", "SQLITE_QUEUE", function="jobs.add", host="alpha")
    hub.roster().enlist(worker, KnownQueue("sums", "SQLITE_QUEUE", {}, "jobs.add", PARAMETERS, {"qps": 5}))
    hub.roster().strike_off("gone")
    return hub.queues.open("sums")
