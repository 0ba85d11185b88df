"""Tasks: what a member of staff has to look at."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from api.http.answers import RouteResult, Transaction
from api.http.dependencies import Changing, Reading
from api.http.errors import document_problems
from api.http.gate import make_router
from api.http.models import ResponseModel
from api.http.pages import Paged
from api.services import tasks as service

router = make_router("tasks")

Identifier = Annotated[str, Path(max_length=100)]

EXAMPLE: JsonDict = {
    "id": "77ab",
    "kind": "visit-declined",
    "subject_kind": "visit",
    "subject": "visit-0181",
    "detail": {"freed": {"start": "2026-12-01T09:00", "location": "wang"}},
    "created_at": "2026-11-30T14:05:00Z",
    "done_at": None,
    "done_by": None,
    "version": 1,
}


class Task(ResponseModel):
    """A task: of what kind, about what, and by whom it was done. Ids only."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    kind: str
    subject_kind: str
    subject: str = Field(validation_alias="subject_id")
    detail: dict[str, Any]
    created_at: datetime
    done_at: datetime | None
    done_by: str | None
    version: int


class Tasks(ResponseModel):
    """A page of tasks."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next": None}]})

    items: list[Task]
    next: str | None


@router.get("/v1/tasks", response_model=Tasks)
def list_tasks(
    call: Reading, page: Paged, done: Annotated[bool, Query(description="Those that are done instead.")] = False
) -> Response:
    """Return the tasks that are open, the oldest first, a page at a time."""

    def act(session: Transaction) -> RouteResult:
        rows = service.list_tasks(session, page.after, page.count + 1, done)
        return RouteResult(page.of(Tasks, rows, service.get_place_in_list))

    return call.read(act)


@router.get("/v1/tasks/{task}", response_model=Task)
def get_task(task: Identifier, call: Reading) -> Response:
    """Return a task."""

    def act(session: Transaction) -> RouteResult:
        row = service.get_task(session, task)
        return RouteResult(Task.of(row), version=row.version)

    return call.read(act)


@router.put("/v1/tasks/{task}/done", response_model=Task, responses=document_problems(409, 412, 428))
def end_task(task: Identifier, call: Changing) -> Response:
    """Note that a task is done."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        row = service.end_task(session, call.actor, task, version, now)
        return RouteResult(Task.of(row), version=row.version)

    return call.write(act)
