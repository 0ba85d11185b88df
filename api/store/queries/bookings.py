"""The queries about what is published: where everything stands, and every change of it.

Rows that do not change are not touched. What has begun (arrived, done, no-show) stays as it is, whatever is planned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.driver_errors import to_domain_error
from api.store.errors import DoubleBooked
from api.store.guards import LONGEST_DAYS
from api.store.queries.placings import Placing, Subject, Taking, occupancies_of, placing_of
from api.store.rows import expect_version, get_row
from api.store.tables import BookingRow, OccupancyRow
from api.store.tables.plans import BookingState, Resource
from api.store.versioned_cache import get_cached, get_each_cached

OPEN: tuple[BookingState, ...] = ("offered", "booked")
"""The states of bookings that may still be changed."""

WAITING_AGAIN: tuple[BookingState, ...] = ("cancelled", "no-show")
"""The states of bookings whose visits wait for another one."""


_TOLD = ("kind", "subject_id", "month", "service", "location", "starts_at", "ends_at", "notified", "state")
_TAKEN = tuple(col(getattr(OccupancyRow, name)) for name in ("booking_id", "kind", "position", "resource_id", "ends_at"))


@dataclass(frozen=True)
class StandingBooking:
    """A booking that is not cancelled, and its placing."""

    row: BookingRow
    placing: Placing


@dataclass(frozen=True, slots=True)
class VisitStatus:
    """How a visit stands that has a place: the version of its booking, what became of it, and whether it overrides a rule."""

    version: int
    state: BookingState
    is_override: bool = False


@dataclass(frozen=True)
class BookingChange:
    """A booking that was made (nothing before), changed, or cancelled (nothing after); ``row`` is as it is now."""

    row: BookingRow
    before: Placing | None
    after: Placing | None


def get_booking(session: Session, identifier: str) -> BookingRow:
    """Return a booking. Raises ``UnknownId``."""
    return get_row(session, BookingRow, "booking", identifier)


def find_booking(session: Session, subject: Subject) -> BookingRow | None:
    """Return the booking of a visit, group or hold, the cancelled too."""
    return _rows_of(session, [subject]).get(subject)


def get_standing(session: Session, row: BookingRow) -> StandingBooking:
    """Return a booking with its placing."""
    (booking,) = _with_placings(session, [row])
    return booking


def list_standing(session: Session, period_id: str) -> dict[Subject, StandingBooking]:
    """Return what stands in a period."""
    query = select(BookingRow).where(BookingRow.period_id == period_id, BookingRow.state != "cancelled")
    return {booking.placing.subject: booking for booking in _with_placings(session, list(session.exec(query)))}


def placed(session: Session, period_id: str, version: int) -> Mapping[Subject, Placing]:
    """Return where everything stands in a version of a period, which is the present one."""
    return get_cached(session, ("placed", period_id), version, lambda: _placed(session, period_id))


def list_rows(session: Session, period_id: str) -> list[BookingRow]:
    """Return every booking of a period, the cancelled too, without what it takes."""
    return list(session.exec(select(BookingRow).where(BookingRow.period_id == period_id)))


def list_standing_ids(session: Session, period_id: str) -> set[str]:
    """Return the ids of what stands in a period: visits, groups and holds."""
    query = select(BookingRow.subject_id).where(BookingRow.period_id == period_id, BookingRow.state != "cancelled")
    return set(session.exec(query))


def get_periods_of_placed(session: Session, visits: Iterable[str]) -> dict[str, str]:
    """Return the periods in which visits have a place, by visit; who was missed has none."""
    query = select(BookingRow.subject_id, BookingRow.period_id).where(
        BookingRow.kind == "visit", col(BookingRow.state).not_in(WAITING_AGAIN)
    )
    wanted = set(visits)
    return {visit: period for visit, period in session.exec(query) if visit in wanted}


def get_visit_statuses(session: Session, period_id: str) -> dict[str, VisitStatus]:
    """Return how the visits of a period stand that have a place, by visit."""
    columns = (getattr(BookingRow, name) for name in ("subject_id", "version", "state", "override_reason"))
    stands = (BookingRow.period_id == period_id, BookingRow.kind == "visit", BookingRow.state != "cancelled")
    rows = session.exec(select(*columns).where(*stands))
    return {visit: VisitStatus(version, state, reason is not None) for visit, version, state, reason in rows}


def list_standing_now(session: Session, identifiers: Iterable[str]) -> list[StandingBooking]:
    """Return some bookings, of which none is cancelled, with their placings."""
    return _with_placings(session, list(session.exec(select(BookingRow).where(col(BookingRow.id).in_(list(identifiers))))))


def list_between(session: Session, starts_at: datetime, ends_at: datetime) -> list[StandingBooking]:
    """Return what stands and meets ``[starts_at, ends_at)``, by start."""
    query = select(BookingRow).where(
        col(BookingRow.starts_at) > starts_at - timedelta(days=LONGEST_DAYS),
        col(BookingRow.starts_at) < ends_at,
        col(BookingRow.ends_at) > starts_at,
        BookingRow.state != "cancelled",
    )
    return _with_placings(session, list(session.exec(query.order_by(col(BookingRow.starts_at), col(BookingRow.id)))))


def list_of_resource(
    session: Session, resource: Resource, resource_id: str, starts_at: datetime, ends_at: datetime
) -> list[StandingBooking]:
    """Return what takes a provider (supervision included), room or patient within ``[starts_at, ends_at)``, by start."""
    taken = (
        select(OccupancyRow.booking_id)
        .where(OccupancyRow.resource == resource, OccupancyRow.resource_id == resource_id)
        .where(col(OccupancyRow.starts_at) > starts_at - timedelta(days=LONGEST_DAYS))
        .where(col(OccupancyRow.starts_at) < ends_at, col(OccupancyRow.ends_at) > starts_at)
    )
    query = select(BookingRow).where(col(BookingRow.id).in_(taken))
    return _with_placings(session, list(session.exec(query.order_by(col(BookingRow.starts_at), col(BookingRow.id)))))


def list_of_patient(session: Session, patient_id: str) -> list[StandingBooking]:
    """Return every booking of a patient that is not cancelled, past and to come, by start."""
    taken = select(OccupancyRow.booking_id).where(OccupancyRow.resource == "patient", OccupancyRow.resource_id == patient_id)
    query = select(BookingRow).where(col(BookingRow.id).in_(taken), BookingRow.state != "cancelled")
    return _with_placings(session, list(session.exec(query.order_by(col(BookingRow.starts_at), col(BookingRow.id)))))


def list_subjects(session: Session, identifiers: Iterable[str]) -> set[str]:
    """Return those of some ids that are of a visit, group or hold which is, or was, booked."""
    query = select(BookingRow.subject_id).where(col(BookingRow.subject_id).in_(list(identifiers)))
    return set(session.exec(query))


def get_bookings(session: Session, identifiers: Iterable[str]) -> dict[str, BookingRow]:
    """Return bookings by id."""
    rows = session.exec(select(BookingRow).where(col(BookingRow.id).in_(list(identifiers))))
    return {row.id: row for row in rows}


@dataclass(frozen=True, slots=True)
class PatientTime:
    """A patient's time with a booking that stands, ``[starts_at, rested_at)``, and where."""

    patient: str
    booking: str
    location: str
    starts_at: datetime
    rested_at: datetime


def list_patient_times(session: Session, patients: Iterable[str], since: datetime) -> list[PatientTime]:
    """Return what stands of patients from an instant on, by start; a place only offered does not stand."""
    columns: Any = (OccupancyRow.resource_id, BookingRow.id, BookingRow.location, BookingRow.starts_at, OccupancyRow.ends_at)
    query = (
        select(*columns)
        .join(BookingRow, col(BookingRow.id) == col(OccupancyRow.booking_id))
        .where(OccupancyRow.resource == "patient", col(OccupancyRow.resource_id).in_(list(patients)))
        .where(col(OccupancyRow.starts_at) >= since, col(BookingRow.state).not_in(("cancelled", "offered")))
    )
    return [PatientTime(*row) for row in session.exec(query.order_by(col(BookingRow.starts_at), col(BookingRow.id)))]


def replace(
    session: Session, period_id: str, wanted: Iterable[Placing], now: datetime, publication_id: int | None = None
) -> list[BookingChange]:
    """Make a period's bookings those wanted, and return what changed; all others stay untouched.

    A visit or session that has begun stays, whatever is wanted: what has taken place is not undone by a plan.

    Raises
    ------
    DoubleBooked
        When two of them, or one and a booking of another period, take one thing at once.
    """
    stands = list_standing(session, period_id)
    targets = {placing.subject: placing for placing in wanted}
    moving = [
        placing
        for subject, placing in targets.items()
        if subject not in stands or (stands[subject].row.state in OPEN and stands[subject].placing != placing)
    ]
    leaving = [
        booking
        for subject, booking in stands.items()
        if subject not in targets and booking.row.state in OPEN and (booking.row.kind == "hold" or booking.row.starts_at >= now)
    ]
    return _apply(session, period_id, moving, leaving, now, publication_id)


def place_all(session: Session, period_id: str, wanted: Iterable[Placing], now: datetime) -> list[BookingChange]:
    """Make or change some bookings, whatever else stands in the period. Raises ``DoubleBooked``."""
    return _apply(session, period_id, list(wanted), [], now, None)


def place(
    session: Session, period_id: str, placing: Placing, now: datetime, state: BookingState = "booked", reason: str | None = None
) -> BookingChange:
    """Make or change one booking; ``reason`` is that of an override of a rule. Raises ``DoubleBooked``."""
    (change,) = place_all(session, period_id, [placing], now)
    change.row.state, change.row.override_reason = state, reason
    session.flush()
    return change


def bring_into(session: Session, period_id: str, visits: Iterable[str]) -> None:
    """Count the bookings of visits, which another period has asked for until now, to this one."""
    query = update(BookingRow).where(col(BookingRow.kind) == "visit", col(BookingRow.subject_id).in_(list(visits)))
    session.exec(query.values(period_id=period_id))


def cancel(session: Session, identifier: str, now: datetime, expected: int | None = None) -> BookingChange:
    """Cancel a booking: it takes nothing any more. Raises ``UnknownId`` and ``StaleVersion``."""
    row = get_booking(session, identifier)
    expect_version(row, "booking", identifier, expected)
    (change,) = _apply(session, row.period_id, [], [get_standing(session, row)], now, None)
    return change


def mark(session: Session, identifier: str, state: BookingState, now: datetime, expected: int | None = None) -> BookingRow:
    """Note what became of a booking. Raises ``UnknownId`` and ``StaleVersion``."""
    row = get_booking(session, identifier)
    expect_version(row, "booking", identifier, expected)
    row.state, row.updated_at = state, now
    row.version += 1
    session.flush()
    return row


def _apply(
    session: Session,
    period_id: str,
    moving: Sequence[Placing],
    leaving: Sequence[StandingBooking],
    now: datetime,
    publication_id: int | None,
) -> list[BookingChange]:
    """Free first what is given up, then take: so bookings may change places with each other."""
    rows = _rows_of(session, [placing.subject for placing in moving])
    stood = [row for row in rows.values() if row.state != "cancelled"]
    before = {booking.placing.subject: booking.placing for booking in _with_placings(session, stood)}
    freed = [row.id for row in stood] + [booking.row.id for booking in leaving]
    session.exec(delete(OccupancyRow).where(col(OccupancyRow.booking_id).in_(freed)))
    changes = []
    for booking in leaving:
        booking.row.state, booking.row.updated_at, booking.row.publication_id = "cancelled", now, publication_id
        booking.row.version += 1
        changes.append(BookingChange(booking.row, booking.placing, None))
    for placing in moving:
        earlier = before.get(placing.subject)
        row = rows.get(placing.subject) or _new_row(session, period_id, placing, now)
        _move(row, period_id, placing, _told(earlier, placing), now, publication_id)
        changes.append(BookingChange(row, earlier, placing))
    session.flush()
    _take(session, [(change.row.id, change.after) for change in changes if change.after is not None])
    return changes


def _rows_of(session: Session, subjects: Sequence[Subject]) -> dict[Subject, BookingRow]:
    query = select(BookingRow).where(col(BookingRow.subject_id).in_({identifier for _, identifier, _ in subjects}))
    rows: dict[Subject, BookingRow] = {(row.kind, row.subject_id, row.month): row for row in session.exec(query)}
    return {subject: rows[subject] for subject in subjects if subject in rows}


def _placed(session: Session, period_id: str) -> dict[Subject, Placing]:
    """Return where everything stands in a period; each version of a booking is read once."""
    stands = (BookingRow.period_id == period_id, BookingRow.state != "cancelled")
    present = session.exec(select(BookingRow.id, BookingRow.version).where(*stands))

    def read(wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Placing]:
        ids = [identifier for identifier, _ in wanted]
        # Columns, not objects: a week has thousands of these rows, and most of the time would go into making objects.
        columns = (getattr(BookingRow, name) for name in ("id", "version", *_TOLD))
        rows = session.exec(select(*columns).where(col(BookingRow.id).in_(ids))).all()
        taken = _takings(session, select(*_TAKEN).where(col(OccupancyRow.booking_id).in_(ids)))
        return {(row.id, row.version): placing_of(row, taken[row.id]) for row in rows}

    return {
        placing.subject: placing
        for placing in get_each_cached(session, [(identifier, version) for identifier, version in present], read)
    }


def _with_placings(session: Session, rows: Sequence[BookingRow]) -> list[StandingBooking]:
    taken = _takings(session, select(*_TAKEN).where(col(OccupancyRow.booking_id).in_([row.id for row in rows])))
    return [StandingBooking(row, placing_of(row, taken[row.id])) for row in rows]


def _takings(session: Session, query: Any) -> dict[str, list[Taking]]:
    """Return what bookings take, by their ids; the query is of the columns ``_TAKEN``."""
    taken: dict[str, list[Taking]] = defaultdict(list)
    for identifier, *taking in session.exec(query):
        taken[identifier].append(Taking(*taking))
    return taken


def _new_row(session: Session, period_id: str, placing: Placing, now: datetime) -> BookingRow:
    kind, subject_id, month = placing.subject
    row = BookingRow(
        id=new_id(),
        period_id=period_id,
        kind=kind,
        subject_id=subject_id,
        month=month,
        service=placing.service,
        location=placing.location,
        starts_at=placing.starts_at,
        ends_at=placing.ends_at,
        updated_at=now,
        version=0,
    )
    session.add(row)
    return row


def _told(before: Placing | None, after: Placing) -> bool:
    """Say whether the patient knows: who stays where they are, with the same people, is as told as before."""
    stays = before is not None and (before.starts_at, before.location) == (after.starts_at, after.location)
    return before.notified if before and stays and before.ids("team") == after.ids("team") else after.notified


def _move(row: BookingRow, period_id: str, placing: Placing, told: bool, now: datetime, publication_id: int | None) -> None:
    row.period_id, row.state, row.notified, row.publication_id = period_id, "booked", told, publication_id
    row.service, row.location, row.override_reason = placing.service, placing.location, None
    row.starts_at, row.ends_at, row.updated_at = placing.starts_at, placing.ends_at, now
    row.version += 1


def _take(session: Session, taking: Sequence[tuple[str, Placing]]) -> None:
    """Put the rows of what is taken. Raises ``DoubleBooked``, with what is taken already."""
    rows = [row for identifier, placing in taking for row in occupancies_of(identifier, placing)]
    refused = [(row.resource, row.resource_id, row.starts_at, row.ends_at) for row in rows if row.kind != "supervisor"]
    try:
        with session.begin_nested():
            session.add_all(rows)
            session.flush()
    except IntegrityError as error:
        if not isinstance(to_domain_error(error), DoubleBooked):
            raise
        raise _clash(session, refused) from None


def _clash(session: Session, refused: Sequence[tuple[Resource, str, datetime, datetime]]) -> DoubleBooked:
    """Return the first of the refused that overlaps one of them, or one that stands."""
    first, last = min(start for _, _, start, _ in refused), max(end for _, _, _, end in refused)
    query = select(OccupancyRow.resource, OccupancyRow.resource_id, OccupancyRow.starts_at, OccupancyRow.ends_at).where(
        OccupancyRow.kind != "supervisor",
        col(OccupancyRow.starts_at) > first - timedelta(days=LONGEST_DAYS),
        col(OccupancyRow.starts_at) < last,
    )
    free_from: dict[tuple[str, str], datetime] = {}
    for resource, identifier, start, end in sorted([*refused, *session.exec(query)], key=lambda holding: holding[2]):
        if start < free_from.get((resource, identifier), start):
            return DoubleBooked(resource, identifier, start)
        free_from[resource, identifier] = end
    return DoubleBooked()
