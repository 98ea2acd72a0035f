"""The HTTP API keeps what its OpenAPI document says, whatever is sent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as examples
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fsdf_control.scheduling import Schedule, ScheduleBook, Trigger
from fsdf_core.records import TaskRecord
from fsdf_core.registry import open_records, open_state
from fsdf_core.roster import KnownQueue, Roster, Worker
from fsdf_core.settings import Settings
from fsdf_web import WebServer, WebSettings, create_app

# The library's own use of random numbers.
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")

ADMIN = "the-token-of-admins"
WEB = WebSettings.read(token=ADMIN, port=0)
# Opens nothing: the document comes from the code.
schema = schemathesis.openapi.from_dict(create_app(Settings(home=Path("nowhere")), WEB).openapi())
REAL = {"queue": "sums", "task_id": "t", "consumer_id": "w", "schedule_id": "s"}
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    settings = Settings(home=tmp_path_factory.mktemp("home"), timezone="UTC")
    running = WebServer(settings, WEB)
    running.furnish = lambda: furnish(settings)
    running.start()
    yield running
    running.stop()
    open_state(settings).close()
    open_records(settings).close()


def furnish(settings):
    """Put there what the call before may have deleted."""
    Roster(open_state(settings)).enlist(Worker("w", "sums"), KnownQueue("sums", "SQLITE_QUEUE"))
    now = time.time()
    open_records(settings).save([TaskRecord("t", "sums", "add", "success", now, now, now, arguments={"x": 1})])
    daily = Schedule("s", "sums", Trigger.of("cron", "UTC", hour=3), broker_kind="SQLITE_QUEUE")
    ScheduleBook(open_state(settings)).add(daily, now, replace=True)


@schema.parametrize()
@examples(
    max_examples=6,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_the_api_as_documented(case, server):
    # Real names, so that more than "there is none" is answered; and no test waits for a result that never comes.
    server.furnish()
    for name, real in REAL.items():
        if name in (case.path_parameters or {}) and len(str(case.path_parameters[name])) % 3:
            case.path_parameters[name] = real
    if isinstance(case.body, dict) and "trigger" in case.body and "queue" in case.body:
        case.body["queue"] = "sums"
    for place in (case.query, case.body):
        if isinstance(place, dict) and "wait" in place:
            place["wait"] = 0
    case.call_and_validate(
        base_url=server.url.rstrip("/"), headers={"Authorization": f"Bearer {ADMIN}"}, checks=CHECKS, timeout=60
    )


def test_the_document_says_all(server):
    document = create_app(Settings(home=Path("nowhere")), WEB).openapi()
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 20
    assert all(operation.get("summary") and operation.get("description") for operation in operations)
    assert all(path.startswith("/api/") for path in document["paths"])
    assert len({operation["operationId"] for operation in operations}) == len(operations)
