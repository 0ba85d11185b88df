"""Break-glass: a clinician opens a patient who is none of theirs, for an hour, and says why; everybody can see that."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import Actor
from api.services.records import write_audit
from api.store.columns import new_id
from api.store.queries import emergencies
from api.store.queries.tasks import add_task
from api.store.rows import get_row
from api.store.tables import EmergencyAccessRow, PatientRow

OPEN_FOR = timedelta(hours=1)

log = logging.getLogger(__name__)


def open_patient(session: Session, by: Actor, patient: str, reason: str, now: datetime) -> EmergencyAccessRow:
    """Let somebody read a patient for an hour; it is in the audit, the log, and a task for the desk. Raises ``UnknownId``."""
    get_row(session, PatientRow, "patient", patient)
    row = EmergencyAccessRow(
        id=new_id(), account_id=by.id, patient_id=patient, reason=reason, begun_at=now, ends_at=now + OPEN_FOR
    )
    session.add(row)
    session.flush()
    write_audit(session, by, "patient.open-in-need", "patient", patient, now, access=row.id)
    add_task(session, "opened-in-need", ("patient", patient), {"account": by.id, "access": row.id}, now)
    log.warning("a patient was opened in need", extra={"fields": {"account": by.id, "access": row.id}})
    return row


def list_accesses(session: Session, before: tuple[datetime, str] | None, count: int) -> list[EmergencyAccessRow]:
    """Return what was opened in need, the newest first."""
    return emergencies.list_accesses(session, before, count)
