"""The queries that let nobody write to a patient any more."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from api.store.queries.messages import drop_message, list_invitations_to
from api.store.tables import MessageRow


def silence_patient(session: Session, patient_id: str, now: datetime) -> None:
    """Take what waits for a patient out of the outbox, reminders too; what they were told is not to be called off by mail."""
    invitations = list_invitations_to(session, patient_id).values()
    waiting = select(MessageRow).where(
        MessageRow.state == "waiting", col(MessageRow.invitation_id).in_([row.id for row in invitations])
    )
    for message in session.exec(waiting).all():
        drop_message(session, message, "nobody may write to the patient any more", now)
    for row in invitations:
        row.told = None
        session.add(row)
    session.flush()
