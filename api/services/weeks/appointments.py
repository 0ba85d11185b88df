"""Appointments: a visit and its booking as one life, as hospital systems look for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from api.store.queries import appointments, bookings, episodes, messages, requests
from api.store.queries.appointments import AppointmentFilter, Span
from api.store.queries.placings import Placing
from api.store.tables import BookingRow, VisitRow
from api.store.tables.mail import Participation
from scheduling.errors import UnknownId
from scheduling.fields import Priority
from scheduling.requests import Visit

__all__ = ["AppointmentFilter", "Span", "VisitAppointment", "count_appointments", "get_appointment", "list_appointments"]

WAITING, CANCELLED = "waiting", "cancelled"
"""The states of an appointment that are not those of a booking that stands: without a place, and no more."""


@dataclass(frozen=True, slots=True)
class VisitAppointment:
    """One visit's life: what is asked for, and where it stands or stood last.

    Attributes
    ----------
    state : str
        That of the booking; ``waiting`` without a place that anybody was told of.
    versions : tuple of (int, int)
        The visit's and its booking's, 0 before there was one.
    starts_at, ends_at : datetime or None
        The team's time, instants.
    patient_until : datetime or None
        When the patient has recovered.
    expires_at : datetime or None
        Until when a place that is only offered is kept.
    participation : str or None
        What the patient has answered by mail.
    cancelled_by : str or None
        The role of who cancelled it; ``withdrawn`` when it is asked for no more.
    """

    id: str
    patient: str
    service: str
    priority: Priority
    earliest: date
    deadline: date | None
    created_at: datetime
    changed_at: datetime
    versions: tuple[int, int]
    state: str
    episode: str | None = None
    booking: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    patient_until: datetime | None = None
    location: str | None = None
    room: str | None = None
    team: tuple[str, ...] = ()
    supervisors: tuple[str, ...] = ()
    expires_at: datetime | None = None
    participation: Participation | None = None
    cancelled_by: str | None = None


def list_appointments(session: Session, wanted: AppointmentFilter, after: str, count: int) -> list[VisitAppointment]:
    """Return appointments by the ids of their visits, those after an id."""
    return _describe_all(session, appointments.list_visits(session, wanted, after, count))


def count_appointments(session: Session, wanted: AppointmentFilter) -> int:
    """Return how many appointments there are of those that are looked for."""
    return appointments.count_visits(session, wanted)


def get_appointment(session: Session, visit: str) -> VisitAppointment:
    """Return a visit's appointment. Raises ``UnknownId``."""
    shown = list_appointments(session, AppointmentFilter(ids=[visit]), "", 1)
    if not shown:
        raise UnknownId("visit", visit)
    return shown[0]


def _describe_all(session: Session, rows: Sequence[tuple[VisitRow, BookingRow | None]]) -> list[VisitAppointment]:
    ids = [visit.id for visit, _ in rows]
    booked = [booking for _, booking in rows if booking is not None]
    placings = {
        standing.row.id: standing.placing for standing in bookings.list_standing_now(session, [row.id for row in booked])
    }
    answered = messages.list_participations(session, [row.id for row in booked])
    subjects, expiries = episodes.get_subjects(session, ids), appointments.list_expiries(session, ids)
    gone = [visit.id for visit, booking in rows if booking is not None and booking.state == CANCELLED]
    cancellers = appointments.list_cancellers(session, gone) if gone else {}
    asked = requests.load_needs(session, ids)
    shown = []
    for visit, booking in rows:
        subject = subjects.get(visit.id)
        appointment = _describe(
            visit,
            asked[visit.id],
            booking,
            None if booking is None else placings.get(booking.id),
            episode=None if subject is None else subject.episode,
            expires_at=expiries.get(visit.id),
            participation=None if booking is None else answered.get(booking.id),
            cancelled_by="withdrawn" if visit.state == "withdrawn" else cancellers.get(visit.id),
        )
        shown.append(appointment)
    return shown


def _describe(
    row: VisitRow,
    visit: Visit,
    booking: BookingRow | None,
    placing: Placing | None,
    *,
    episode: str | None,
    expires_at: datetime | None,
    participation: Participation | None,
    cancelled_by: str | None,
) -> VisitAppointment:
    state = _get_state(row, booking)
    shows_place = booking is not None and state != WAITING
    has_ended = state == CANCELLED
    until = [taking.ends_at for taking in placing.takings if taking.kind == "patient"] if placing is not None else []
    return VisitAppointment(
        id=row.id,
        patient=row.patient_id,
        service=row.service,
        priority=visit.priority,
        earliest=visit.earliest,
        deadline=visit.deadline,
        created_at=row.created_at,
        changed_at=row.created_at if booking is None else max(row.created_at, booking.updated_at),
        versions=(row.version, 0 if booking is None else booking.version),
        state=state,
        episode=episode,
        booking=None if booking is None else booking.id,
        starts_at=booking.starts_at if booking is not None and shows_place else None,
        ends_at=booking.ends_at if booking is not None and shows_place else None,
        patient_until=max(until, default=None) if shows_place else None,
        location=booking.location if booking is not None and shows_place else None,
        room=placing.room if placing is not None and shows_place else None,
        team=placing.ids("team") if placing is not None and shows_place else (),
        supervisors=placing.ids("supervisor") if placing is not None and shows_place else (),
        expires_at=expires_at if state == "offered" else None,
        participation=participation,
        cancelled_by=cancelled_by if has_ended else None,
    )


def _get_state(row: VisitRow, booking: BookingRow | None) -> str:
    """Return the state of an appointment; a place that was only offered, and is no more, leaves it waiting."""
    if booking is not None and booking.state != CANCELLED:
        return booking.state
    if row.state == "withdrawn" or (booking is not None and booking.notified):
        return CANCELLED
    return WAITING


def iterate_ids(session: Session) -> Iterator[str]:
    """Yield the ids of all visits."""
    yield from appointments.list_ids(session)
