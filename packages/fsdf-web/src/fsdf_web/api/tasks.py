"""Tasks that were: search, one of them, run again, end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from fsdf_web.api.models import Done, Strict, TaskId
from fsdf_web.audit import add_details
from fsdf_web.hub import TheHub  # noqa: TC001 - FastAPI reads it
from fsdf_web.services.task_actions import end_one, end_tasks, run_again, run_one
from fsdf_web.services.task_search import TaskFilter, found_task

if TYPE_CHECKING:
    from fsdf_core.records import TaskRecord

router = APIRouter(tags=["tasks"])
Status = Literal["running", "success", "failure", "dropped", "requeued", "dead-letter"]


class FilterFields(Strict):
    """Which tasks; null leaves a field open."""

    queue: str | None = Field(default=None, max_length=300)
    status: Status | None = None
    error_type: str | None = Field(default=None, max_length=300)
    since: float | None = Field(default=None, ge=0, le=1e12, description="seconds since the epoch")
    until: float | None = Field(default=None, ge=0, le=1e12, description="seconds since the epoch")
    text: str | None = Field(default=None, max_length=300, description="in the arguments or the error")
    argument: list[Annotated[str, Field(max_length=300)]] = Field(
        default_factory=list, max_length=10, description="values in the arguments by path, such as `user.id=5`"
    )
    min_seconds: float | None = Field(default=None, ge=0, le=1e12)
    max_seconds: float | None = Field(default=None, ge=0, le=1e12)

    def filter(self) -> TaskFilter:
        """Return what the record store understands."""
        return TaskFilter(**self.model_dump())


class Attempt(BaseModel):
    """One run of a task."""

    started: float
    finished: float
    error: str


class Task(BaseModel):
    """One task; times are seconds since the epoch. Lists leave `timeline`, `extra`, `result` and `traceback` out."""

    task_id: str
    queue: str
    function: str
    status: str
    published: float | None
    started: float | None
    finished: float | None
    seconds: float | None = Field(description="how long its last run took")
    attempts: int
    timeline: list[Attempt]
    arguments: dict[str, Any]
    extra: dict[str, Any]
    result: Any
    error_type: str
    error: str
    traceback: str
    worker: str
    host: str
    process: int
    thread: int
    script: str
    context: dict[str, Any]
    expires: float | None

    @classmethod
    def of(cls, record: TaskRecord) -> Task:
        """Return the record as it travels."""
        facts = {name: getattr(record, name) for name in cls.model_fields if name != "timeline"}
        return cls(
            **facts,
            timeline=[
                Attempt(started=each.started, finished=each.finished, error=each.error) for each in record.timeline
            ],
        )


class TaskPage(BaseModel):
    """Tasks, newest first."""

    tasks: list[Task]
    next: str | None = Field(description="`cursor` of the next page; null after the last")
    reached: float | None = Field(description="the moment to which the search has come, if it stopped early")


class Matched(BaseModel):
    """How many tasks match."""

    count: int
    more: bool = Field(description="there are more than could be counted")


class Again(Strict):
    """How to run a task again."""

    arguments: dict[str, Any] | None = Field(default=None, description="null: as they were")


class Published(BaseModel):
    """The new task."""

    task_id: str


class Search(FilterFields):
    """Which tasks, and which page of them."""

    limit: int = Field(default=50, ge=1, le=1000)
    cursor: str | None = Field(default=None, max_length=500)


@router.get("/tasks")
def list_tasks(hub: TheHub, search: Annotated[Search, Query()]) -> TaskPage:
    """Return matching tasks, newest first."""
    fields = search.model_dump(exclude={"limit", "cursor"})
    page = hub.records().find(TaskFilter(**fields).query(search.limit, search.cursor))
    return TaskPage(
        tasks=[Task.of(record) for record in page.records],
        next=page.next,
        reached=page.reached,
    )


@router.get("/tasks-count")
def count_tasks(hub: TheHub, fields: Annotated[FilterFields, Query()]) -> Matched:
    """Return how many tasks match, up to 10 000."""
    count = hub.records().how_many(fields.filter().query(), 10_000)
    return Matched(count=count, more=count >= 10_000)  # noqa: PLR2004 - as above


@router.post("/tasks-run")
def run_matching(hub: TheHub, request: Request, fields: FilterFields) -> Done:
    """Publish every matching task again with its arguments, without the options of its message; up to 10 000."""
    add_details(request.scope, str(fields.model_dump(exclude_defaults=True)))
    return Done(count=run_again(hub, fields.filter()))


@router.post("/tasks-kill")
def kill_matching(hub: TheHub, request: Request, fields: FilterFields) -> Done:
    """Ask for the end of every matching task that is not done, up to 10 000."""
    add_details(request.scope, str(fields.model_dump(exclude_defaults=True)))
    return Done(count=end_tasks(hub, fields.filter()))


@router.post("/tasks/{task_id:path}/run", status_code=201)
def run_task(hub: TheHub, task_id: TaskId, again: Again) -> Published:
    """Publish a task again, as a new one."""
    return Published(task_id=run_one(hub, found_task(hub, task_id), again.arguments))


@router.post("/tasks/{task_id:path}/kill")
def kill_task(hub: TheHub, task_id: TaskId, queue: Annotated[str | None, Query(max_length=300)] = None) -> Done:
    """Ask for a task's end, whether it waits or runs; its consumer needs `is_support_remote_kill_task`.

    `queue` is needed for one of which there is no record yet.
    """
    end_one(hub, queue or found_task(hub, task_id).queue, task_id)
    return Done(count=1)


@router.get("/tasks/{task_id:path}")
def show_task(hub: TheHub, task_id: TaskId) -> Task:
    """Return one task's whole record."""
    return Task.of(found_task(hub, task_id))
