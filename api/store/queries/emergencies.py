"""The queries about patients whom clinicians have opened in need."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from api.store.tables import EmergencyAccessRow, EpisodeRow, VisitRow


def is_opened(session: Session, account_id: str, kind: str, identifier: str, now: datetime) -> bool:
    """Return whether an account has opened the patient whose thing it is: the patient, a visit or an episode."""
    patient: str | None = identifier if kind == "patient" else None
    if kind == "visit" and (visit := session.get(VisitRow, identifier)) is not None:
        patient = visit.patient_id
    if kind == "episode" and (episode := session.get(EpisodeRow, identifier)) is not None:
        patient = episode.patient_id
    query = select(EmergencyAccessRow.id).where(
        EmergencyAccessRow.account_id == account_id,
        EmergencyAccessRow.patient_id == patient,
        EmergencyAccessRow.ends_at > now,
    )
    return patient is not None and session.exec(query.limit(1)).first() is not None


def list_accesses(session: Session, before: tuple[datetime, str] | None, count: int) -> list[EmergencyAccessRow]:
    """Return what was opened in need, the newest first: what was opened before that of a moment and id."""
    moment, identifier = col(EmergencyAccessRow.begun_at), col(EmergencyAccessRow.id)
    query = select(EmergencyAccessRow).order_by(moment.desc(), identifier.desc()).limit(count)
    if before is not None:
        query = query.where((moment < before[0]) | ((moment == before[0]) & (identifier < before[1])))
    return list(session.exec(query))
