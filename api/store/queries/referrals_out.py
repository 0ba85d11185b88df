"""The queries about referrals to other departments, and the time that their appointments take of patients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.queries.people import get_bounds, load_patients
from api.store.rows import get_row
from api.store.tables import ReferralOutRow
from scheduling.fields import Interval
from scheduling.people import Patient
from scheduling.timegrid import TimeGrid

CLOSED = ("done", "declined")


def get_referral(session: Session, identifier: str) -> ReferralOutRow:
    """Return a referral. Raises ``UnknownId``."""
    return get_row(session, ReferralOutRow, "referral", identifier)


def send(session: Session, patient: str, department: str, now: datetime) -> ReferralOutRow:
    """Send a patient to a department."""
    row = ReferralOutRow(id=new_id(), patient_id=patient, department=department, sent_at=now)
    session.add(row)
    return row


def open_of(session: Session, patients: Collection[str]) -> dict[tuple[str, str], str]:
    """Return the referrals of patients that are not over, by patient and department."""
    query = select(ReferralOutRow).where(col(ReferralOutRow.patient_id).in_(list(patients)))
    rows = session.exec(query.where(col(ReferralOutRow.state).not_in(CLOSED)))
    return {(row.patient_id, row.department): row.id for row in rows}


def list_referrals(session: Session, after: str, count: int, patient: str | None = None) -> list[ReferralOutRow]:
    """Return referrals by id, those after an id; of one patient, or all."""
    query = select(ReferralOutRow).where(col(ReferralOutRow.id) > after)
    if patient is not None:
        query = query.where(ReferralOutRow.patient_id == patient)
    return list(session.exec(query.order_by(col(ReferralOutRow.id)).limit(count)))


def patients_with_appointments(session: Session, ids: Collection[str], grid: TimeGrid) -> tuple[Patient, ...]:
    """Return patients by id, unavailable also while another department sees them."""
    starts_at, ends_at = get_bounds(grid)
    query = select(ReferralOutRow).where(
        col(ReferralOutRow.starts_at) < ends_at,
        col(ReferralOutRow.ends_at) > starts_at,
        ReferralOutRow.state == "scheduled",
    )
    away: dict[str, list[Interval]] = defaultdict(list)
    for row in session.exec(query.order_by(col(ReferralOutRow.starts_at), col(ReferralOutRow.id))):
        assert row.starts_at is not None and row.ends_at is not None
        away[row.patient_id].append(Interval(start=grid.wall(row.starts_at), end=grid.wall(row.ends_at)))
    return tuple(
        one.changed(unavailable=(*one.unavailable, *away[one.id])) if one.id in away else one
        for one in load_patients(session, ids)
    )
