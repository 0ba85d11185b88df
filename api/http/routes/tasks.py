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
from api.http.pages import Paged, read_moment_and_id
from api.services.messages import tasks as service
from api.services.messages.tasks import OpenedTask

router = make_router("tasks")

Identifier = Annotated[str, Path(max_length=100)]

EXAMPLE: JsonDict = {
    "id": "77ab",
    "kind": "visit-declined",
    "subject_kind": "visit",
    "subject": "visit-0181",
    "detail": {"freed": {"start": "2026-12-01T09:00", "location": "wang"}},
    "words": "I have to be at work by eleven, please call me.",
    "created_at": "2026-11-30T14:05:00Z",
    "done_at": None,
    "done_by": None,
    "version": 1,
}


class Task(ResponseModel):
    """A task: of what kind, about what, and by whom it was done. Ids only, but for ``words``, which a patient has written."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str
    kind: str
    subject_kind: str
    subject: str = Field(validation_alias="subject_id")
    detail: dict[str, Any]
    words: str | None
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
    after = read_moment_and_id(page)

    def act(session: Transaction) -> RouteResult:
        listed = service.list_tasks(session, call.context.signer, after, page.count + 1, done)
        following = page.cursor(listed, service.get_place_in_list)
        return RouteResult(Tasks(items=[_show(task) for task in listed[: page.count]], next=following))

    return call.disclose("tasks.read", "tasks", "", act)


@router.get("/v1/tasks/{task}", response_model=Task)
def get_task(task: Identifier, call: Reading) -> Response:
    """Return a task."""

    def act(session: Transaction) -> RouteResult:
        opened = service.get_task(session, call.context.signer, task)
        return RouteResult(_show(opened), version=opened.row.version)

    return call.disclose("task.read", "task", task, act)


@router.put("/v1/tasks/{task}/done", response_model=Task, responses=document_problems(409, 412, 428))
def end_task(task: Identifier, call: Changing) -> Response:
    """Note that a task is done."""
    version, now = call.expected_version(), call.context.clock()

    def act(session: Transaction) -> RouteResult:
        row = service.end_task(session, call.actor, task, version, now)
        return RouteResult(_show(service.open_task(call.context.signer, row)), version=row.version)

    return call.write(act)


def _show(task: OpenedTask) -> Task:
    return Task.of(task.row, words=task.words)
