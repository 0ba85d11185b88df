"""Appointments as hospital systems look for them: a visit and its booking as one life, a group's session, each seat in it."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session

from api.store.queries import appointments, bookings, episodes, messages, requests
from api.store.queries.appointments import AppointmentFilter, AppointmentKey, SessionSeat, Span, name_session
from api.store.queries.placings import Placing
from api.store.tables import BookingRow, VisitRow
from api.store.tables.mail import Participation
from scheduling.errors import UnknownId
from scheduling.fields import Priority
from scheduling.requests import Visit

__all__ = [
    "AppointmentFilter",
    "ClinicAppointment",
    "Span",
    "count_appointments",
    "get_appointment",
    "is_of_group",
    "list_appointments",
]

WAITING, CANCELLED = "waiting", "cancelled"
"""The states of an appointment that are not those of a booking that stands: without a place, and no more."""


@dataclass(frozen=True, slots=True)
class ClinicAppointment:
    """One visit's life: what is asked for, and where it stands or stood last. Or that of a group's session, or of a seat in it.

    Attributes
    ----------
    patient : str or None
        Whose it is; a session is nobody's.
    session : str or None
        The session in which a seat is.
    priority : str or None
        How pressing it is; that of a seat is of whoever has it.
    state : str
        That of the booking; ``waiting`` without a place that anybody was told of.
    versions : tuple of int
        The visit's and its booking's, 0 before there was one; of a session and its seats the booking's alone.
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
    patient: str | None
    service: str
    priority: Priority | None
    earliest: date
    deadline: date | None
    created_at: datetime | None
    changed_at: datetime
    versions: tuple[int, ...]
    state: str
    session: str | None = None
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


def list_appointments(session: Session, wanted: AppointmentFilter, after: str, count: int) -> list[ClinicAppointment]:
    """Return appointments by id, those after an id."""
    keys = appointments.list_keys(session, wanted, after, count)
    visits = appointments.list_visits(session, [key.id for key in keys if not key.booking])
    shown = {appointment.id: appointment for appointment in _describe_all(session, visits)}
    shown |= _describe_sessions(session, [key for key in keys if key.booking])
    return [shown[key.id] for key in keys]


def count_appointments(session: Session, wanted: AppointmentFilter) -> int:
    """Return how many appointments there are of those that are looked for."""
    return appointments.count_appointments(session, wanted)


def is_of_group(session: Session, identifier: str) -> bool:
    """Return whether an appointment is a group's session, or a seat in one."""
    keys = appointments.list_keys(session, AppointmentFilter(ids=[identifier]), "", 1)
    return any(key.booking for key in keys)


def get_appointment(session: Session, identifier: str) -> ClinicAppointment:
    """Return an appointment. Raises ``UnknownId``."""
    shown = list_appointments(session, AppointmentFilter(ids=[identifier]), "", 1)
    if not shown:
        raise UnknownId("appointment", identifier)
    return shown[0]


def _describe_all(session: Session, rows: Sequence[tuple[VisitRow, BookingRow | None]]) -> list[ClinicAppointment]:
    ids = [visit.id for visit, _ in rows]
    booked = [booking for _, booking in rows if booking is not None]
    placings = {
        standing.row.id: standing.placing for standing in bookings.list_standing_now(session, [row.id for row in booked])
    }
    answered = messages.list_participations(session, [row.id for row in booked])
    subjects, expiries = episodes.get_subjects(session, ids), appointments.list_expiries(session, ids)
    gone = [visit.id for visit, booking in rows if booking is not None and booking.state == CANCELLED]
    cancellers = appointments.list_cancellers(session, "visit", gone) if gone else {}
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
) -> ClinicAppointment:
    state = _get_state(row, booking)
    shows_place = booking is not None and state != WAITING
    has_ended = state == CANCELLED
    until = [taking.ends_at for taking in placing.takings if taking.kind == "patient"] if placing is not None else []
    return ClinicAppointment(
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


def _describe_sessions(session: Session, keys: Sequence[AppointmentKey]) -> dict[str, ClinicAppointment]:
    """Return groups' sessions, and seats in them, by id."""
    ids = {key.booking for key in keys}
    rows = bookings.get_bookings(session, ids)
    placings = {standing.row.id: standing.placing for standing in bookings.list_standing_now(session, ids)}
    attended, seats = appointments.list_attended(session, ids), appointments.list_seats(session, ids)
    answers = messages.list_seat_participations(session, ids)
    gone = [row.subject_id for row in rows.values() if row.state == CANCELLED]
    cancellers = appointments.list_cancellers(session, "group", gone) if gone else {}
    shown = {}
    for key in keys:
        row = rows[key.booking]
        meets = _describe_session(row, placings[row.id], row.id in attended, cancellers.get(row.subject_id))
        seat = seats.get((row.id, key.patient))
        answer = answers.get((row.id, key.patient))
        shown[key.id] = meets if seat is None else _describe_seat(meets, key, seat, answer)
    return shown


def _describe_session(row: BookingRow, placing: Placing, was_attended: bool, cancelled_by: str | None) -> ClinicAppointment:
    first = date.fromisoformat(f"{row.month}-01")
    return ClinicAppointment(
        id=name_session(row.subject_id, row.month),
        patient=None,
        service=row.service,
        priority=None,
        earliest=first,
        deadline=first.replace(day=monthrange(first.year, first.month)[1]),
        created_at=None,
        changed_at=row.updated_at,
        versions=(row.version,),
        state="done" if was_attended and row.state != CANCELLED else row.state,
        booking=row.id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        location=row.location,
        room=placing.room,
        team=placing.ids("team"),
        supervisors=placing.ids("supervisor"),
        cancelled_by=cancelled_by,
    )


def _describe_seat(
    meets: ClinicAppointment, key: AppointmentKey, seat: SessionSeat, answer: Participation | None
) -> ClinicAppointment:
    """Return a seat in a session: its patient alone takes part in it, all else is the session's to say."""
    outcome = {None: "booked" if meets.state == "done" else meets.state, True: "done", False: "no-show"}[seat.came]
    return replace(
        meets,
        id=key.id,
        patient=key.patient,
        session=meets.id,
        priority=seat.priority,
        state=outcome if seat.is_held else CANCELLED,
        location=None,
        room=None,
        team=(),
        supervisors=(),
        participation=answer,
        cancelled_by=meets.cancelled_by if meets.state == CANCELLED else "withdrawn",
    )


def iterate_ids(session: Session) -> Iterator[str]:
    """Yield the ids of all appointments."""
    yield from appointments.list_ids(session)
