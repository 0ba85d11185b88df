"""The queries about changes of the world that are only tried."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from api.store.tables import PlanJobRow, WhatIfRow
from scheduling.errors import UnknownId


def add_what_if(session: Session, job: PlanJobRow, disruptions: Sequence[dict[str, Any]]) -> WhatIfRow:
    """Keep what a job tries."""
    row = WhatIfRow(id=job.id, disruptions=list(disruptions))
    session.add(row)
    session.flush()
    return row


def get_what_if(session: Session, identifier: str) -> WhatIfRow:
    """Return what is tried. Raises ``UnknownId``, also for what was thrown away."""
    row = session.get(WhatIfRow, identifier)
    if row is None or row.discarded_at is not None:
        raise UnknownId("what-if", identifier)
    return row


def note_realised(row: WhatIfRow, publication: int, now: datetime) -> None:
    """Note that something tried was made real by a publication."""
    row.publication_id, row.realised_at = publication, now
