"""The queries about changes that were applied together, so that they can be taken back together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.store.columns import new_id
from api.store.rows import get_row
from api.store.tables import ChangeSetRow


def add_change_set(
    session: Session, period_id: str, document: Mapping[str, Any], reverses: str | None, by: str, now: datetime
) -> ChangeSetRow:
    """Keep what was changed in a period, and how it was before."""
    row = ChangeSetRow(
        id=new_id(), period_id=period_id, document=dict(document), reverses=reverses, created_by=by, created_at=now
    )
    session.add(row)
    session.flush()
    return row


def get_change_set(session: Session, identifier: str) -> ChangeSetRow:
    """Return changes that were applied. Raises ``UnknownId``."""
    return get_row(session, ChangeSetRow, "change", identifier)
