"""The queries about visits with their bookings, and about groups' sessions with their seats, as hospital systems look for them.

A seat is an appointment of its own: of whoever has one, and of whoever was told of one and has it no more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, case, exists, literal, or_, union, union_all
from sqlmodel import Session, col, func, select

from api.store.tables import (
    AttendanceRow,
    AuditRow,
    BookingRow,
    EpisodeVisitRow,
    InvitationRow,
    MembershipRow,
    OccupancyRow,
    OfferRow,
    VisitRow,
)
from api.store.tables.plans import BookingState
from scheduling.fields import Priority

_OF_VISIT = (col(BookingRow.kind) == "visit") & (col(BookingRow.subject_id) == col(VisitRow.id))
_OF_GROUP = col(BookingRow.kind) == "group"
_SESSION = case(
    (col(BookingRow.subject_id).endswith(col(BookingRow.month)), col(BookingRow.subject_id)),
    else_=col(BookingRow.subject_id) + "." + col(BookingRow.month),
)
"""The id of a group's session, as ``name_session`` makes it."""
_CHANGED_AT = case(
    (col(BookingRow.updated_at) > col(VisitRow.created_at), col(BookingRow.updated_at)), else_=col(VisitRow.created_at)
)


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from one to before another; None: from the beginning, or without end."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AppointmentFilter:
    """Which appointments are looked for; None: any. All that is given has to hold.

    Attributes
    ----------
    starts, changed : tuple of Span
        When they begin, and when they changed last: within each of the spans.
    states : collection of str or None
        Those of bookings; ``waiting``: without a place that anybody was told of; ``withdrawn``: asked for no more.
    places : collection of str or None
        Rooms and buildings.
    """

    ids: Collection[str] | None = None
    patients: Collection[str] | None = None
    providers: Collection[str] | None = None
    places: Collection[str] | None = None
    services: Collection[str] | None = None
    episodes: Collection[str] | None = None
    states: Collection[str] | None = None
    starts: tuple[Span, ...] = ()
    changed: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class AppointmentKey:
    """What an appointment is of: a visit; a group's session, by its booking; or the seat of a patient in it."""

    id: str
    booking: str = ""
    patient: str = ""


@dataclass(frozen=True, slots=True)
class SessionSeat:
    """A patient's seat in a session, held or given up; ``came`` says whether they came, None: nobody noted it yet."""

    is_held: bool
    came: bool | None
    priority: Priority | None


def name_session(group: str, month: str) -> str:
    """Return the id of a group's session of a month."""
    return group if group.endswith(month) else f"{group}.{month}"


def name_seat(session: str, patient: str) -> str:
    """Return the id of a patient's seat in a session."""
    return f"{session}.{patient}"


def list_keys(session: Session, wanted: AppointmentFilter, after: str, count: int) -> list[AppointmentKey]:
    """Return what appointments are of, by id, those after an id. Of several that share an id, it is always the same one."""
    every = _list_all(wanted)
    query = select(every.c.id, func.min(every.c.source)).where(every.c.id > after).group_by(every.c.id)
    shown = session.exec(query.order_by(every.c.id).limit(count)).all()
    return [AppointmentKey(identifier, *source.split("/", 1)) for identifier, source in shown]


def count_appointments(session: Session, wanted: AppointmentFilter) -> int:
    """Return how many appointments there are of those that are looked for."""
    return int(session.exec(select(func.count(_list_all(wanted).c.id.distinct()))).one())


def list_visits(session: Session, visits: Collection[str]) -> list[tuple[VisitRow, BookingRow | None]]:
    """Return visits, each with the booking that it has or had."""
    query: Any = select(VisitRow, BookingRow).outerjoin(BookingRow, _OF_VISIT).where(col(VisitRow.id).in_(list(visits)))
    return [(visit, booking) for visit, booking in session.exec(query)]


def list_attended(session: Session, sessions: Collection[str]) -> set[str]:
    """Return the sessions of which somebody has noted who came, by booking."""
    return set(session.exec(select(AttendanceRow.booking_id).where(col(AttendanceRow.booking_id).in_(list(sessions)))))


def list_seats(session: Session, sessions: Collection[str]) -> dict[tuple[str, str], SessionSeat]:
    """Return the seats in sessions, by booking and patient."""
    seats = _list_seats().subquery()
    columns: Any = (seats.c.booking, seats.c.patient, seats.c.is_held, AttendanceRow.came, MembershipRow.priority)
    query: Any = (
        select(*columns)
        .join(BookingRow, col(BookingRow.id) == seats.c.booking)
        .outerjoin(AttendanceRow, _came(seats))
        .outerjoin(
            MembershipRow,
            (col(MembershipRow.group_id) == col(BookingRow.subject_id))
            & (col(MembershipRow.month) == col(BookingRow.month))
            & (col(MembershipRow.patient_id) == seats.c.patient),
        )
        .where(_OF_GROUP, seats.c.booking.in_(list(sessions)))
    )
    return {
        (booking, patient): SessionSeat(bool(is_held), came, priority)
        for booking, patient, is_held, came, priority in session.exec(query)
    }


def list_expiries(session: Session, visits: Collection[str]) -> dict[str, datetime]:
    """Return until when places are kept for visits, by visit."""
    query = select(OfferRow.visit_id, OfferRow.expires_at).where(
        OfferRow.state == "open", col(OfferRow.visit_id).in_(list(visits))
    )
    return dict(session.exec(query).all())


def list_cancellers(session: Session, kind: Literal["visit", "group"], ids: Collection[str]) -> dict[str, str]:
    """Return in which role somebody cancelled visits, or called groups' sessions off, last, by visit or group."""
    action = "booking.cancel" if kind == "visit" else "group.cancel"
    query = select(AuditRow.object_id, AuditRow.role).where(
        AuditRow.action == action, AuditRow.object_kind == kind, col(AuditRow.object_id).in_(list(ids))
    )
    return dict(session.exec(query.order_by(col(AuditRow.sequence))).all())


def _list_all(wanted: AppointmentFilter) -> Any:
    """Return the query of the ids that are looked for, each with its ``source``: empty, a booking, or one and a patient."""
    visits: Any = select(col(VisitRow.id).label("id"), literal("/").label("source")).outerjoin(BookingRow, _OF_VISIT)
    parts = [visits.where(*_conditions(wanted))]
    if wanted.episodes is None and wanted.patients is None:
        parts.append(_sessions(wanted))
    if wanted.episodes is None and wanted.providers is None and wanted.places is None:
        parts.append(_seats(wanted))
    return union_all(*parts).subquery()


def _sessions(wanted: AppointmentFilter) -> Any:
    attended = exists().where(col(AttendanceRow.booking_id) == col(BookingRow.id))
    booked = col(BookingRow.state)
    state = case((booked == "cancelled", "cancelled"), (attended, "done"), else_=booked)
    query: Any = select(_SESSION.label("id"), (col(BookingRow.id) + "/").label("source"))
    query = query.where(*_booked_conditions(wanted), *_chosen((_SESSION, wanted.ids), (state, wanted.states)))
    return query.where(*_held_conditions(wanted))


def _seats(wanted: AppointmentFilter) -> Any:
    """Return the query of the seats that are looked for: their patients alone take part in them."""
    seats = _list_seats().subquery()
    name = _SESSION + "." + seats.c.patient
    booked, came = col(BookingRow.state), col(AttendanceRow.came)
    state = case((seats.c.is_held == 0, "cancelled"), (came.is_(True), "done"), (came.is_(False), "no-show"), else_=booked)
    query: Any = select(name.label("id"), (col(BookingRow.id) + "/" + seats.c.patient).label("source"))
    query = query.join(seats, seats.c.booking == col(BookingRow.id)).outerjoin(AttendanceRow, _came(seats))
    chosen = _chosen((name, wanted.ids), (state, wanted.states), (seats.c.patient, wanted.patients))
    return query.where(*_booked_conditions(wanted), *chosen)


def _list_seats() -> Any:
    """Return the query of all seats: those that patients have, and those that they were told of and have no more."""
    takes = (col(OccupancyRow.kind) == "patient") & (col(OccupancyRow.booking_id) == col(InvitationRow.booking_id))
    takes &= col(OccupancyRow.resource_id) == col(InvitationRow.patient_id)
    occupied: Any = (
        col(OccupancyRow.booking_id).label("booking"),
        col(OccupancyRow.resource_id).label("patient"),
        literal(1).label("is_held"),
    )
    invited: Any = (InvitationRow.booking_id, InvitationRow.patient_id, literal(0))
    sessions = select(BookingRow.id).where(_OF_GROUP)
    held = select(*occupied).where(col(OccupancyRow.kind) == "patient", col(OccupancyRow.booking_id).in_(sessions))
    given_up = select(*invited).where(col(InvitationRow.booking_id).in_(sessions), ~exists().where(takes))
    return union(held, given_up)


def _came(seats: Any) -> Any:
    return (col(AttendanceRow.booking_id) == seats.c.booking) & (col(AttendanceRow.patient_id) == seats.c.patient)


def _booked_conditions(wanted: AppointmentFilter) -> list[Any]:
    """Return what has to hold of the booking of a group's session, with any of its seats."""
    conditions = [_OF_GROUP, *_chosen((col(BookingRow.service), wanted.services))]
    conditions += [bound for span in wanted.starts for bound in _within(col(BookingRow.starts_at), span)]
    return conditions + [bound for span in wanted.changed for bound in _within(col(BookingRow.updated_at), span)]


def _chosen(*columns: tuple[Any, Collection[str] | None]) -> list[Any]:
    return [column.in_(list(values)) for column, values in columns if values is not None]


def _held_conditions(wanted: AppointmentFilter) -> list[Any]:
    """Return what has to hold of who and what a booking takes."""
    conditions: list[Any] = []
    if wanted.providers is not None:
        conditions.append(col(BookingRow.id).in_(_taken("provider", wanted.providers)))
    if wanted.places is not None:
        in_room = col(BookingRow.id).in_(_taken("room", wanted.places))
        conditions.append(or_(col(BookingRow.location).in_(list(wanted.places)), in_room))
    return conditions


def _conditions(wanted: AppointmentFilter) -> list[Any]:
    conditions = _chosen(
        (col(VisitRow.id), wanted.ids), (col(VisitRow.patient_id), wanted.patients), (col(VisitRow.service), wanted.services)
    )
    conditions += _held_conditions(wanted)
    if wanted.episodes is not None:
        of_episode = select(EpisodeVisitRow.visit_id).where(col(EpisodeVisitRow.episode_id).in_(list(wanted.episodes)))
        conditions.append(col(VisitRow.id).in_(of_episode))
    if wanted.states is not None:
        conditions.append(_has_state(wanted.states))
    conditions += [bound for span in wanted.starts for bound in _within(col(BookingRow.starts_at), span)]
    conditions += [bound for span in wanted.changed for bound in _within(_CHANGED_AT, span)]
    return conditions


def _has_state(states: Collection[str]) -> Any:
    state, is_asked = col(BookingRow.state), col(VisitRow.state) == "asked"
    was_told = and_(state == "cancelled", col(BookingRow.notified).is_(True))
    waits = and_(is_asked, or_(col(BookingRow.id).is_(None), and_(state == "cancelled", col(BookingRow.notified).is_(False))))
    standing: list[BookingState] = ["offered", "booked", "arrived", "done", "no-show"]
    choices: list[Any] = [state.in_([name for name in standing if name in states])]
    if "cancelled" in states:
        choices += [was_told, and_(col(VisitRow.state) == "withdrawn", or_(col(BookingRow.id).is_(None), state == "cancelled"))]
    if "waiting" in states:
        choices.append(waits)
    return or_(*choices)


def _taken(resource: str, ids: Collection[str]) -> Any:
    return select(OccupancyRow.booking_id).where(
        OccupancyRow.resource == resource, col(OccupancyRow.resource_id).in_(list(ids))
    )


def _within(column: Any, span: Span) -> list[Any]:
    bounds = [] if span.start is None else [column >= span.start]
    return bounds if span.end is None else [*bounds, column < span.end]


def list_ids(session: Session) -> list[str]:
    """Return the ids of all appointments."""
    return list(session.exec(select(_list_all(AppointmentFilter()).c.id)))
