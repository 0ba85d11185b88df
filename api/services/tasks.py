"""Tasks: what a member of staff has to look at, and that it is done."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.store import tasks
from api.store.tables import TaskRow


def list_tasks(session: Session, after: str, count: int, done: bool) -> list[TaskRow]:
    """Return tasks that are open, or those that are done, the oldest first, those after a place in the list."""
    return tasks.list_tasks(session, after, count, done)


def get_task(session: Session, identifier: str) -> TaskRow:
    """Return a task. Raises ``UnknownId``."""
    return tasks.get_task(session, identifier)


def get_place_in_list(row: TaskRow) -> str:
    """Return a task's place in the list."""
    return tasks.get_place(row)


def end_task(session: Session, by: Actor, identifier: str, version: int, now: datetime) -> TaskRow:
    """Note that a task is done.

    Raises
    ------
    Conflict
        When it is done already.
    StaleVersion
        When somebody else has changed it.
    """
    if tasks.get_task(session, identifier).done_at is not None:
        raise Conflict(f'task "{identifier}" is done')
    row = tasks.end_task(session, identifier, by.id, now, version)
    write_audit(session, by, "task.end", row.subject_kind, row.subject_id, now, task=identifier, what=row.kind)
    return row
