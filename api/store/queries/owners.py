"""The queries about whose something is: what the access table calls *own*.

A visit is a provider's when the provider is in its team, supervises it, or is asked for by it. A patient is a provider's when
one of the patient's visits is, or when the provider holds a group session that the patient attends. An episode is a provider's
when its patient is, or when it asks for the provider.
"""

from __future__ import annotations

import json

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from api.store.tables import BookingRow, EpisodeRow, OccupancyRow, VisitRow


def has_visit(session: Session, provider: str, visit: str) -> bool:
    """Say whether a visit is a provider's."""
    return _takes_part(session, provider, visit) or _is_asked_for(session.get(VisitRow, visit), provider)


def has_patient(session: Session, provider: str, patient: str) -> bool:
    """Say whether a patient is a provider's."""
    if _meet(session, provider, patient):
        return True
    visits = session.exec(select(VisitRow).where(VisitRow.patient_id == patient, VisitRow.state == "asked"))
    return any(_is_asked_for(visit, provider) for visit in visits)


def has_episode(session: Session, provider: str, episode: str) -> bool:
    """Say whether an episode is a provider's: it prefers the provider, or its patient is the provider's."""
    row = session.get(EpisodeRow, episode)
    return row is not None and (provider in row.preferred_providers or has_patient(session, provider, row.patient_id))


def _takes_part(session: Session, provider: str, visit: str) -> bool:
    query = select(BookingRow.id).join(OccupancyRow, col(OccupancyRow.booking_id) == col(BookingRow.id))
    query = query.where(BookingRow.kind == "visit", BookingRow.subject_id == visit)
    query = query.where(OccupancyRow.resource == "provider", OccupancyRow.resource_id == provider)
    return session.exec(query.limit(1)).first() is not None


def _meet(session: Session, provider: str, patient: str) -> bool:
    theirs, his = aliased(OccupancyRow), aliased(OccupancyRow)
    query = select(theirs.booking_id).join(his, col(his.booking_id) == col(theirs.booking_id))
    query = query.where(theirs.resource == "patient", theirs.resource_id == patient)
    query = query.where(his.resource == "provider", his.resource_id == provider)
    return session.exec(query.limit(1)).first() is not None


def _is_asked_for(row: VisitRow | None, provider: str) -> bool:
    if row is None or row.state != "asked":
        return False
    visit = json.loads(row.document)
    return provider == visit["required_provider"] or provider in visit["preferred_providers"]
