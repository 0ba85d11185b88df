"""Patients sent to other departments: what became of it, and when they are seen there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.services.weeks.conflicts import find_conflicts, raise_tasks
from api.store.queries import periods, requests
from api.store.queries import referrals_out as store
from api.store.rows import expect_version
from api.store.tables import ReferralOutRow
from api.store.tables.care import ReferralState
from scheduling.fields import Interval
from scheduling.timegrid import TimeGrid

BECOMES: Mapping[ReferralState, tuple[ReferralState, ...]] = {
    "sent": ("accepted", "scheduled", "done", "declined"),
    "accepted": ("scheduled", "done", "declined"),
    "scheduled": ("accepted", "scheduled", "done", "declined"),
    "done": ("accepted", "scheduled"),
    "declined": ("accepted", "scheduled"),
}
"""What a referral may become, by what it is; an appointment may change, or be called off, and a slip be taken back."""


@dataclass(frozen=True, slots=True)
class OutboundReferral:
    """A referral to another department; ``appointment`` is the clinic's wall-clock time."""

    row: ReferralOutRow
    appointment: Interval | None


def list_referrals(session: Session, after: str, count: int, patient: str | None) -> list[OutboundReferral]:
    """Return referrals by id, those after an id; of one patient, or all."""
    zone = periods.get_zone(session)
    return [_with_appointment(row, zone) for row in store.list_referrals(session, after, count, patient)]


def get_referral(session: Session, identifier: str) -> OutboundReferral:
    """Return a referral. Raises ``UnknownId``."""
    return _with_appointment(store.get_referral(session, identifier), periods.get_zone(session))


def change_referral(
    session: Session,
    by: Actor,
    identifier: str,
    version: int,
    state: ReferralState,
    appointment: Interval | None,
    now: datetime,
) -> OutboundReferral:
    """Note what became of a referral; an appointment, wall-clock, keeps the patient's time free from then on.

    What stands and becomes impossible by it is a task each.

    Raises
    ------
    UnknownId, StaleVersion
        When there is none, or somebody else has changed it.
    Conflict
        When it cannot become that, or an appointment is missing or out of place.
    """
    row = store.get_referral(session, identifier)
    expect_version(row, "referral", identifier, version)
    if state not in BECOMES.get(row.state, ()):
        raise Conflict(f"what is {row.state} cannot become {state}")
    if (state == "scheduled") != (appointment is not None):
        raise Conflict("an appointment goes with the state scheduled, and with no other")
    if state == "done" and row.starts_at is not None and now < row.starts_at:
        raise Conflict("the appointment has not begun yet")
    zone = periods.get_zone(session)
    asking = requests.list_periods_of_patient(session, row.patient_id)
    before = find_conflicts(session, asking, now)
    if appointment is not None:
        if not appointment.start < appointment.end:
            raise Conflict("the appointment does not end after its start")
        row.starts_at, row.ends_at, row.scheduled_at = zone.utc(appointment.start), zone.utc(appointment.end), now
    elif state == "accepted":
        row.starts_at = row.ends_at = None
        row.accepted_at = now
    else:
        row.closed_at = now
    if state in ("accepted", "scheduled"):
        row.closed_at = None
    row.state = state
    row.version += 1
    session.flush()
    for period in asking:
        periods.touch(session, period)
    raise_tasks(session, before, asking, now)
    write_audit(session, by, f"referral-out.{state}", "referral", identifier, now, patient=row.patient_id)
    return _with_appointment(row, zone)


def _with_appointment(row: ReferralOutRow, zone: TimeGrid) -> OutboundReferral:
    if row.starts_at is None or row.ends_at is None:
        return OutboundReferral(row, None)
    return OutboundReferral(row, Interval(start=zone.wall(row.starts_at), end=zone.wall(row.ends_at)))
