"""The queries about visits with their bookings, as hospital systems look for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, or_
from sqlmodel import Session, col, func, select

from api.store.tables import AuditRow, BookingRow, EpisodeVisitRow, OccupancyRow, OfferRow, VisitRow
from api.store.tables.plans import BookingState

_OF_VISIT = (col(BookingRow.kind) == "visit") & (col(BookingRow.subject_id) == col(VisitRow.id))
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
    """Which visits are looked for; None: any. All that is given has to hold.

    Attributes
    ----------
    starts, changed : tuple of Span
        When their bookings begin, and when they changed last: within each of the spans.
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


def list_visits(
    session: Session, wanted: AppointmentFilter, after: str, count: int
) -> list[tuple[VisitRow, BookingRow | None]]:
    """Return visits by id, those after an id, each with the booking that it has or had."""
    query: Any = (
        select(VisitRow, BookingRow).outerjoin(BookingRow, _OF_VISIT).where(*_conditions(wanted), col(VisitRow.id) > after)
    )
    return [(visit, booking) for visit, booking in session.exec(query.order_by(col(VisitRow.id)).limit(count))]


def count_visits(session: Session, wanted: AppointmentFilter) -> int:
    """Return how many visits there are of those that are looked for."""
    query: Any = select(func.count()).select_from(VisitRow).outerjoin(BookingRow, _OF_VISIT).where(*_conditions(wanted))
    return int(session.exec(query).one())


def list_expiries(session: Session, visits: Collection[str]) -> dict[str, datetime]:
    """Return until when places are kept for visits, by visit."""
    query = select(OfferRow.visit_id, OfferRow.expires_at).where(
        OfferRow.state == "open", col(OfferRow.visit_id).in_(list(visits))
    )
    return dict(session.exec(query).all())


def list_cancellers(session: Session, visits: Collection[str]) -> dict[str, str]:
    """Return in which role somebody cancelled visits last, by visit."""
    query = select(AuditRow.object_id, AuditRow.role).where(
        AuditRow.action == "booking.cancel", AuditRow.object_kind == "visit", col(AuditRow.object_id).in_(list(visits))
    )
    return dict(session.exec(query.order_by(col(AuditRow.sequence))).all())


def _conditions(wanted: AppointmentFilter) -> list[Any]:
    conditions: list[Any] = []
    for column, ids in (
        (col(VisitRow.id), wanted.ids),
        (col(VisitRow.patient_id), wanted.patients),
        (col(VisitRow.service), wanted.services),
    ):
        if ids is not None:
            conditions.append(column.in_(list(ids)))
    if wanted.providers is not None:
        conditions.append(col(BookingRow.id).in_(_taken("provider", wanted.providers)))
    if wanted.places is not None:
        in_room = col(BookingRow.id).in_(_taken("room", wanted.places))
        conditions.append(or_(col(BookingRow.location).in_(list(wanted.places)), in_room))
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
    """Return the ids of all visits."""
    return list(session.exec(select(VisitRow.id)))
