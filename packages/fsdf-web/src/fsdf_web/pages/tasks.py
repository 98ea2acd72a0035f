"""Tasks that were: the list and its search, one task."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_core.errors import ConfigurationError
from fsdf_core.records import STATUSES, Page
from fsdf_web.hub import Hub, TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.results import answer_of
from fsdf_web.services.task_search import TaskFilter, found_task
from fsdf_web.services.troubles import Troubles
from fsdf_web.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.records import RecordQuery

router = APIRouter()
_FIELDS = (
    "queue", "status", "since", "until", "text", "argument", "error_type", "min_seconds", "max_seconds", "task_id",
    "cursor",
)  # fmt: skip
_PAGE, _COUNTED = 50, 1000


@router.get("/tasks")
def show_tasks(request: Request, hub: TheHub) -> Response:
    """Search among tasks, newest first."""
    form = {name: request.query_params.get(name, "")[:500] for name in _FIELDS}
    troubles = Troubles()
    page, count, chosen = Page([]), None, {}
    if form["task_id"]:
        record = troubles.caught(lambda: found_task(hub, form["task_id"]), None)
        page = Page([record] if record else [])
    else:
        wanted = troubles.caught(lambda: _filter(form, hub.settings.timezone), None)
        if wanted is not None:
            query = wanted.query(_PAGE, form["cursor"] or None)
            found = troubles.caught(lambda: hub.records().find(query), None)
            count = troubles.caught(lambda: _count(hub, query, found), None)
            page = found or page
            chosen = {name: value for name, value in wanted.__dict__.items() if value not in (None, [])}
    kept = {name: value for name, value in form.items() if value and name != "cursor"}
    return render(
        request,
        "tasks.html",
        {
            "form": form,
            "failure": "; ".join(troubles.texts),
            "queues": list(hub.queues.all()),
            "statuses": STATUSES,
            "page": page,
            "count": count,
            "more": count is not None and count >= _COUNTED,
            "chosen": orjson.dumps(chosen).decode(),
            "newest": urlencode(kept),
            "older": urlencode({**kept, "cursor": page.next or ""}),
        },
    )


@router.get("/tasks/{task_id:path}")
def show_task(request: Request, hub: TheHub, task_id: str) -> Response:
    """Everything about one task; records come a moment after the task's end."""
    record = hub.records().get(task_id)
    if record is None:
        return render(request, "unknown_task.html", {"answer": answer_of(hub, task_id)})
    return render(request, "task.html", {"record": record})


def _count(hub: Hub, query: RecordQuery, page: Page | None) -> int:
    """Return how many match, up to `_COUNTED`; a first page that is not full has them all."""
    if page is not None and query.cursor is None and len(page.records) < query.limit:
        return len(page.records)
    return hub.records().how_many(query, _COUNTED)


def _filter(form: Mapping[str, str], zone: str | None) -> TaskFilter:
    facts: dict[str, Any] = {name: form[name] or None for name in ("queue", "status", "error_type", "text")}
    for name in ("min_seconds", "max_seconds"):
        try:
            facts[name] = float(form[name]) if form[name] else None
        except ValueError:
            raise ConfigurationError(f"{name} is no number: {form[name]!r}") from None
    for name in ("since", "until"):
        facts[name] = _moment(form[name], zone) if form[name] else None
    facts["argument"] = [each.strip() for each in form["argument"].split(",") if each.strip()]
    return TaskFilter(**facts)


def _moment(text: str, zone: str | None) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or (zoneinfo.ZoneInfo(zone) if zone else None)).timestamp()
    except (ValueError, OverflowError):
        raise ConfigurationError(f"not a time: {text!r}; write it like 2030-01-31T08:00") from None
