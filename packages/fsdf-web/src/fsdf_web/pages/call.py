"""Publishing by a form made from the function's parameters, and looking up results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response  # noqa: TC002 - FastAPI reads it

from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.results import answer_of
from fsdf_web.services.task_search import found_task
from fsdf_web.templates import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fsdf_core.roster import KnownQueue

router = APIRouter()


@dataclass(frozen=True)
class Field:
    """One argument's field; `kind` is "text" where the annotation says so, else "json"."""

    name: str
    required: bool
    annotation: str
    kind: str
    default: str
    value: str


@router.get("/call")
def show_call(request: Request, hub: TheHub, queue: str = "", task: str = "", result: str = "") -> Response:
    """The form of a queue, filled with a task's arguments if one is named; the result of a task."""
    given: Mapping[str, Any] = {}
    if task:
        record = found_task(hub, task)
        queue, given = record.queue, record.arguments
    queues = hub.queues.all()
    known = hub.queues.get(queue) if queue else None
    fields, rest = _fields(known, given)
    return render(
        request,
        "call.html",
        {
            "queues": list(queues),
            "known": known,
            "fields": fields,
            "open_ended": known is not None and _open_ended(known),
            "raw": orjson.dumps(rest, option=orjson.OPT_INDENT_2).decode() if rest else "",
            "source": task,
            "result_id": result,
            "answer": answer_of(hub, result) if result else None,
        },
    )


def _fields(known: KnownQueue | None, given: Mapping[str, Any]) -> tuple[list[Field], dict[str, Any]]:
    """Return the fields of named parameters, and the arguments that have none."""
    fields: list[Field] = []
    rest = dict(given)
    for parameter in known.parameters if known else ():
        if parameter.get("variadic"):
            continue
        name, annotation = str(parameter.get("name", "")), str(parameter.get("annotation", ""))
        kind = "text" if annotation.replace(" ", "") in {"str", "str|None", "Optional[str]"} else "json"
        default = _json(parameter["default"]) if "default" in parameter else ""
        value = _text(rest.pop(name), kind) if name in rest else ""
        fields.append(Field(name, bool(parameter.get("required")), annotation, kind, default, value))
    return fields, rest


def _open_ended(known: KnownQueue) -> bool:
    return not known.parameters or any(each.get("variadic") == "kwargs" for each in known.parameters)


def _text(value: Any, kind: str) -> str:
    return value if kind == "text" and isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=repr).decode()
