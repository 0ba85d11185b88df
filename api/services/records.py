"""What use cases write down of themselves, and what was written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.store import audit
from api.store.audit import AuditEntry as AuditEntry
from api.store.audit import AuditFilter as AuditFilter
from api.store.tables import AuditRow as AuditRow

AuditedAction = tuple[str, str, str, Mapping[str, Any]]
"""Something that was done: the action, the kind and id of its object, and what else tells of it; ids and figures only."""


def list_audit(session: Session, asked: AuditFilter, after: int, count: int) -> list[AuditRow]:
    """Return what was done and refused, in its order, those after a number."""
    return audit.find_entries(session, asked, after, count)


def write_refusal(
    session: Session, actor: str, role: str, action: str, kind: str, identifier: str, now: datetime, **detail: Any
) -> None:
    """Write down who was not let to do what; ids and figures only."""
    audit.append(session, audit.AuditEntry(actor, role, action, kind, identifier, "denied", detail), now)


def make_entry(by: Actor, action: str, kind: str, identifier: str, /, **detail: Any) -> AuditEntry:
    """Return what is to be written down of something that somebody has done; ids and figures only."""
    return AuditEntry(by.id, by.role.value, action, kind, identifier, "allowed", detail)


def write_audit(session: Session, by: Actor, action: str, kind: str, identifier: str, now: datetime, **detail: Any) -> None:
    """Write down who has done what to what, in the transaction that does it; ids and figures only."""
    write_audit_entries(session, by, [(action, kind, identifier, detail)], now)


def has_entry_between(
    session: Session, actor: str, action: str, subject: tuple[str, str], since: datetime, until: datetime
) -> bool:
    """Return whether somebody has done something to an object, of a kind and id, after an instant and until another."""
    return audit.has_entry_between(session, actor, action, subject, since, until)


def write_audit_entries(session: Session, by: Actor, done: Iterable[AuditedAction], now: datetime) -> None:
    """Write down several things that somebody has done."""
    entries = (make_entry(by, action, kind, identifier, **detail) for action, kind, identifier, detail in done)
    audit.append_all(session, entries, now)
