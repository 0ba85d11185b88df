"""What use cases write down of themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.store import audit


def write_down(session: Session, by: Actor, action: str, kind: str, identifier: str, now: datetime, **detail: Any) -> None:
    """Write down who has done what to what, in the transaction that does it; ids and figures only."""
    audit.append(session, audit.Entry(by.id, by.role.value, action, kind, identifier, "allowed", detail), now)
