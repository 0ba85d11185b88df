"""What use cases write down of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.store import audit

AuditedAction = tuple[str, str, str, Mapping[str, Any]]
"""Something that was done: the action, the kind and id of its object, and what else tells of it; ids and figures only."""


def write_audit(session: Session, by: Actor, action: str, kind: str, identifier: str, now: datetime, **detail: Any) -> None:
    """Write down who has done what to what, in the transaction that does it; ids and figures only."""
    write_audit_entries(session, by, [(action, kind, identifier, detail)], now)


def has_entry_since(session: Session, actor: str, action: str, subject: tuple[str, str], since: datetime) -> bool:
    """Return whether somebody has done something to an object, of a kind and id, since an instant."""
    return audit.has_entry_since(session, actor, action, subject, since)


def write_audit_entries(session: Session, by: Actor, done: Iterable[AuditedAction], now: datetime) -> None:
    """Write down several things that somebody has done."""
    entries = (
        audit.AuditEntry(by.id, by.role.value, action, kind, identifier, "allowed", detail)
        for action, kind, identifier, detail in done
    )
    audit.append_all(session, entries, now)
