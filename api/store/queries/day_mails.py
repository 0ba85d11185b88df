"""The queries about clinicians who are mailed of changes of their day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from api.store.tables import DayMailRow


def find_day_mail(session: Session, provider: str) -> DayMailRow | None:
    """Return where a clinician is mailed; None when they have not asked for it."""
    return session.get(DayMailRow, provider)


def put_day_mail(session: Session, provider: str, email: str, now: datetime) -> DayMailRow:
    """Note where a clinician is mailed from now on; they know nothing yet."""
    row = session.get(DayMailRow, provider) or DayMailRow(provider_id=provider, email=email, version=0, created_at=now)
    row.email, row.told, row.claimed_until = email, None, None
    row.version += 1
    session.add(row)
    session.flush()
    return row


def list_free(session: Session, now: datetime) -> list[DayMailRow]:
    """Return the clinicians who are mailed, but for those whom another sender has taken."""
    free = or_(col(DayMailRow.claimed_until).is_(None), col(DayMailRow.claimed_until) <= now)
    return list(session.exec(select(DayMailRow).where(free).order_by(col(DayMailRow.provider_id))))


def set_told(session: Session, provider: str, told: dict[str, Any], version: int) -> None:
    """Note what a clinician knows, unless another address was set meanwhile."""
    row = session.get(DayMailRow, provider)
    if row is not None and row.version == version:
        row.told, row.claimed_until = told, None
        session.add(row)
