"""Tasks: what a member of staff has to look at, and that it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.access.credentials import Signer
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.store.queries import tasks
from api.store.tables import TaskRow


@dataclass(frozen=True, slots=True)
class OpenedTask:
    """A task, and what a patient has written that it is about; None when there is nothing, or another key has sealed it."""

    row: TaskRow
    words: str | None


def list_tasks(
    session: Session, signer: Signer, after: tuple[datetime, str] | None, count: int, done: bool
) -> list[OpenedTask]:
    """Return tasks that are open, or those that are done, the oldest first, those after a place in the list."""
    return [open_task(signer, row) for row in tasks.list_tasks(session, after, count, done)]


def get_task(session: Session, signer: Signer, identifier: str) -> OpenedTask:
    """Return a task. Raises ``UnknownId``."""
    return open_task(signer, tasks.get_task(session, identifier))


def open_task(signer: Signer, row: TaskRow) -> OpenedTask:
    """Return a task with its words to be read."""
    opened = None if row.words is None else signer.opened(row.words)
    return OpenedTask(row, None if opened is None else opened.decode())


def get_place_in_list(task: OpenedTask) -> str:
    """Return a task's place in the list."""
    return tasks.get_place(task.row)


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
