"""The web UI over real stores: SQLite files of the test's own, or what `stores` says."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from starlette.testclient import TestClient

from fsdf_core import registry
from fsdf_core.roster import KnownQueue, Worker
from fsdf_core.settings import Settings
from fsdf_web.app import create_app
from fsdf_web.config import WebSettings
from tests.servers.fixtures import need
from tests.web.program import Program
from tests.web.stores import SQLITE, urls

ADMIN, READER = "the-token-of-admins", "the-token-of-readers"
PARAMETERS = ({"name": "x", "required": True, "annotation": "int"}, {"name": "y", "required": False, "default": 2})


@pytest.fixture
def stores(request):
    """The URLs of state and records as settings; modules that parametrize it say which servers hold them."""
    return urls(getattr(request, "param", SQLITE), request.getfixturevalue)


@pytest.fixture
def settings(tmp_path, stores):
    return Settings(home=tmp_path / "home", timezone="UTC", **stores)


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


@pytest.fixture(scope="session")
def built():
    """One app for all tests: FastAPI builds its routes at the first request, which takes long."""
    return create_app(Settings(home=Path("nowhere")), WebSettings.read(token=ADMIN, read_token=READER))


@pytest.fixture
def app(built, settings, state):
    """The app, with stores of the test's own."""
    built.state.hub.__init__(settings, built.state.hub.web, tuple)
    yield built
    built.state.hub.close()


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


@pytest.fixture(scope="module")
def browser():
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=need("chromium"), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def house(request, tmp_path_factory):
    """A worker and the web UI, over SQLite files or the servers of its parameter; `house.link` opens it."""
    home, stores = tmp_path_factory.mktemp("house"), getattr(request, "param", SQLITE)
    environment = {
        "FSDF_HOME": str(home), "FSDF_TIMEZONE": "UTC", "FSDF_HANDLE_SIGNALS": "1",
        "FSDF_WEB_TOKEN": ADMIN, "FSDF_WEB_READ_TOKEN": READER,
        **{f"FSDF_{name.upper()}": url for name, url in urls(stores, request.getfixturevalue).items()},
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        worker = Program("web_jobs.py", environment=environment)
        stack.callback(worker.close)
        web = Program("-m", "fsdf_web.command", "--port", "0", environment=environment)
        stack.callback(web.close)
        worker.until("ready")
        web.worker = worker
        web.link = web.until(r"http://127\.0\.0\.1:\d+/login\?token=\S+")
        web.root = web.link.partition("/login")[0]
        yield web


def _is_trouble(told):
    return told.type == "error" and "net::ERR" not in told.text


@pytest.fixture
def look(browser, house):
    """Return a page of a browser of its own that has logged in; nothing may fail or be forbidden in it."""
    trouble, contexts = [], []

    def looking(token: str | None = ADMIN, **options):
        context = browser.new_context(locale="en-US", base_url=house.root, **options)
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        # What leaving a page cuts off is no trouble.
        page.on("console", lambda told: trouble.append(told.text) if _is_trouble(told) else None)
        if token is not None:
            page.goto(f"/login?token={token}")
            page.wait_for_url(f"{house.root}/")
        return page

    looking.trouble = trouble
    yield looking
    for context in contexts:
        context.close()
    assert trouble == []
