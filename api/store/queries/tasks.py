"""The queries about tasks: what a member of staff has to look at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.rows import expect_version, get_row
from api.store.tables import TaskRow

DELIVERED_AGAIN = timedelta(days=30)
"""How long after a letter the same one may come again: mail servers try for some five days (RFC 5321, section 4.5.4.1)."""


def get_task(session: Session, identifier: str) -> TaskRow:
    """Return a task. Raises ``UnknownId``."""
    return get_row(session, TaskRow, "task", identifier)


def add_task(session: Session, kind: str, subject: tuple[str, str], detail: dict[str, Any], now: datetime) -> TaskRow:
    """Ask staff to look at something; what they have been asked already, and not done, stays one task."""
    subject_kind, subject_id = subject
    query = select(TaskRow).where(TaskRow.kind == kind, TaskRow.subject_kind == subject_kind, TaskRow.subject_id == subject_id)
    for known in session.exec(query.where(col(TaskRow.done_at).is_(None))):
        if known.detail == detail:
            return known
    row = TaskRow(id=new_id(), kind=kind, subject_kind=subject_kind, subject_id=subject_id, detail=detail, created_at=now)
    session.add(row)
    session.flush()
    return row


def put_task(session: Session, kind: str, subject: tuple[str, str], detail: dict[str, Any], now: datetime) -> TaskRow:
    """Ask staff to look at something, or tell more in the open task of that kind about it: there is one at most."""
    known = find_open_tasks(session, kind, [subject[1]]).get(subject)
    if known is None:
        return add_task(session, kind, subject, detail, now)
    if known.detail != detail:
        known.detail = detail
        known.version += 1
        session.add(known)
        session.flush()
    return known


def find_open_tasks(session: Session, kind: str, ids: Collection[str]) -> dict[tuple[str, str], TaskRow]:
    """Return the open tasks of a kind about some subjects, by kind and id of the subject."""
    query = select(TaskRow).where(TaskRow.kind == kind, col(TaskRow.subject_id).in_(list(ids)), col(TaskRow.done_at).is_(None))
    return {(row.subject_kind, row.subject_id): row for row in session.exec(query)}


def list_open_of_kind(session: Session, kind: str) -> list[TaskRow]:
    """Return the open tasks of a kind, the oldest first."""
    query = select(TaskRow).where(TaskRow.kind == kind, col(TaskRow.done_at).is_(None))
    return list(session.exec(query.order_by(col(TaskRow.created_at), col(TaskRow.id))))


def end_tasks(session: Session, kind: str, subject: tuple[str, str], by: str, now: datetime) -> None:
    """Note that the open tasks of a kind about something are done."""
    row = find_open_tasks(session, kind, [subject[1]]).get(subject)
    if row is not None:
        end_task(session, row.id, by, now, row.version)


def add_letter(
    session: Session, kind: str, subject: tuple[str, str], detail: dict[str, Any], words: bytes | None, now: datetime
) -> None:
    """Ask staff to read what somebody has written; the same letter again, which its detail names, asks nothing more."""
    subject_kind, subject_id = subject
    query = select(TaskRow).where(TaskRow.kind == kind, TaskRow.subject_kind == subject_kind, TaskRow.subject_id == subject_id)
    recent = query.where(col(TaskRow.created_at) >= now - DELIVERED_AGAIN)
    if all(row.detail != detail for row in session.exec(recent)):
        row = add_task(session, kind, subject, detail, now)
        row.words = words
        session.add(row)


def delete_words(session: Session, before: datetime) -> int:
    """Forget what people wrote in tasks that were done before an instant; return how many."""
    query = select(TaskRow).where(col(TaskRow.words).is_not(None), col(TaskRow.done_at) <= before)
    rows = list(session.exec(query))
    for row in rows:
        row.words = None
        session.add(row)
    return len(rows)


def add_detail(session: Session, kind: str, subject: tuple[str, str], detail: dict[str, Any]) -> None:
    """Tell more in the open tasks of a kind about something."""
    subject_kind, subject_id = subject
    query = select(TaskRow).where(TaskRow.kind == kind, TaskRow.subject_kind == subject_kind, TaskRow.subject_id == subject_id)
    for row in session.exec(query.where(col(TaskRow.done_at).is_(None))):
        row.detail = {**row.detail, **detail}
        row.version += 1
        session.add(row)


def get_place(row: TaskRow) -> str:
    """Return a task's place in the list."""
    return f"{row.created_at.isoformat()} {row.id}"


def list_tasks(session: Session, after: tuple[datetime, str] | None, count: int, done: bool) -> list[TaskRow]:
    """Return tasks that are open, or those that are done, the oldest first, those after a moment and id."""
    query = select(TaskRow).where(col(TaskRow.done_at).is_not(None) if done else col(TaskRow.done_at).is_(None))
    if after is not None:
        at, identifier = after
        later = (col(TaskRow.created_at) > at) | ((col(TaskRow.created_at) == at) & (col(TaskRow.id) > identifier))
        query = query.where(later)
    return list(session.exec(query.order_by(col(TaskRow.created_at), col(TaskRow.id)).limit(count)))


def end_task(session: Session, identifier: str, by: str, now: datetime, expected: int) -> TaskRow:
    """Note that a task is done. Raises ``UnknownId`` and ``StaleVersion``."""
    row = get_task(session, identifier)
    expect_version(row, "task", identifier, expected)
    row.done_at, row.done_by = now, by
    row.version += 1
    session.add(row)
    session.flush()
    return row
