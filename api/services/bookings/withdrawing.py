"""A patient who has died, or may not be called any more: all that is to come is given up, and nobody writes to them.

What has been stays as it is. Seats and places that come free go to those who wait, as when the desk cancels.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from api.access.actor import Actor
from api.services.bookings.groups import leave_programme, leave_session
from api.services.care.episodes import ReportedEvent, record_event
from api.services.care.requests import withdraw_visit
from api.services.patients.finding import get_unmerged
from api.services.records import write_audit
from api.store.queries import bookings, episodes, people, periods, programmes, requests
from api.store.queries.patient_data import list_records
from api.store.queries.silencing import silence_patient
from api.store.tables import VisitRow

MANY = 10_000
"""More episodes than any patient has open."""


class WithdrawalReason(StrEnum):
    """Why nobody calls a patient any more."""

    DIED = "died"
    NO_CONTACT = "no-contact"


@dataclass(frozen=True, slots=True)
class WithdrawnPatient:
    """What was given up: episodes that were stopped, visits that are asked for no more, groups and sessions that were left."""

    patient: str
    episodes: tuple[str, ...]
    visits: tuple[str, ...]
    programmes: tuple[str, ...]
    groups: tuple[str, ...]


def withdraw_patient(session: Session, by: Actor, patient: str, reason: WithdrawalReason, now: datetime) -> WithdrawnPatient:
    """Give up all that is to come of a patient, and write to them no more; they have no address then.

    Raises
    ------
    UnknownId
        When there is no such patient.
    Conflict
        When the record was merged into another.
    """
    get_unmerged(session, patient)
    for record in list_records(session, patient):
        _silence(session, record, now)
    asked = [visit.id for visit in requests.list_visits_of_patient(session, patient) if _is_to_come(session, visit, now)]
    stopped = tuple(episode.id for episode in episodes.list_episodes(session, "", MANY, patient, is_open=True))
    for episode in stopped:
        record_event(session, by, episode, None, ReportedEvent(kind="stopped"), now)
    for visit in (requests.get_visit(session, identifier) for identifier in asked):
        if visit.state == "asked" and not episodes.get_subjects(session, [visit.id]):
            withdraw_visit(session, by, visit.id, visit.version, now)
    left = _leave_programmes(session, by, patient, now)
    given_back = _leave_sessions(session, by, patient, now)
    counted = {"episodes": len(stopped), "visits": len(asked), "groups": len(given_back)}
    write_audit(session, by, "patient.withdraw", "patient", patient, now, reason=reason.value, **counted)
    return WithdrawnPatient(patient, stopped, tuple(asked), left, given_back)


def _silence(session: Session, patient: str, now: datetime) -> None:
    """Let nobody write to a patient, nor to the address of a record that was merged into theirs."""
    silence_patient(session, patient, now)
    row = people.get_patient(session, patient)
    row.email = None
    row.version += 1
    session.add(row)
    session.flush()


def _is_to_come(session: Session, visit: VisitRow, now: datetime) -> bool:
    """Return whether a visit waits, was missed, or stands at a time to come."""
    if visit.state != "asked":
        return False
    booking = bookings.find_booking(session, ("visit", visit.id, ""))
    return (
        booking is None
        or booking.state in bookings.WAITING_AGAIN
        or (booking.state in bookings.OPEN and booking.starts_at > now)
    )


def _leave_programmes(session: Session, by: Actor, patient: str, now: datetime) -> tuple[str, ...]:
    """Leave every programme in which a patient has a seat, or waits for one."""
    today = periods.get_zone(session).wall(now).date()
    of = tuple(
        programme.id
        for programme in programmes.load(session)
        if any(waiting.patient == patient for waiting in programme.waiting)
        or any(seat.patient == patient and (seat.until is None or seat.until > today) for seat in programme.members)
    )
    for programme in of:
        leave_programme(session, by, programme, patient, now)
    return of


def _leave_sessions(session: Session, by: Actor, patient: str, now: datetime) -> tuple[str, ...]:
    """Leave the sessions to come of groups that no programme asks for."""
    left = []
    for row in requests.sessions_open_to(session, patient):
        booking = bookings.find_booking(session, ("group", row.id, row.month))
        if booking is None or booking.state == "cancelled" or booking.starts_at > now:
            leave_session(session, by, row.id, patient, now)
            left.append(row.id)
    return tuple(left)
