"""The queries about absences, closures and extra shifts: what of the world the roster does not know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from api.store.rows import expect_version
from api.store.tables import DisruptionRow
from api.store.tables.disruptions import DisruptionKind
from scheduling.clinic import Clinic, Closure
from scheduling.errors import UnknownId
from scheduling.fields import Interval
from scheduling.people import Shift
from scheduling.timegrid import TimeGrid


def get_disruption(session: Session, kind: DisruptionKind, identifier: str, expected: int | None = None) -> DisruptionRow:
    """Return an absence, a closure or an extra shift. Raises ``UnknownId`` and ``StaleVersion``."""
    row = session.get(DisruptionRow, identifier)
    if row is None or row.kind != kind:
        raise UnknownId(kind, identifier)
    expect_version(row, kind, identifier, expected)
    return row


def list_disruptions(session: Session, kind: DisruptionKind, after: str, count: int) -> list[DisruptionRow]:
    """Return the absences, closures or extra shifts by id, those after an id."""
    query = select(DisruptionRow).where(DisruptionRow.kind == kind, col(DisruptionRow.id) > after)
    return list(session.exec(query.order_by(col(DisruptionRow.id)).limit(count)))


def put_disruption(session: Session, row: DisruptionRow) -> None:
    """Add an absence, closure or extra shift, or keep it as it is now."""
    session.add(row)
    session.flush()


def remove_disruption(session: Session, row: DisruptionRow) -> None:
    """Remove an absence, closure or extra shift."""
    session.delete(row)
    session.flush()


def list_meeting(session: Session, kind: DisruptionKind, starts_at: datetime, ends_at: datetime) -> list[DisruptionRow]:
    """Return the absences, closures or extra shifts that meet ``[starts_at, ends_at)``, by start."""
    query = select(DisruptionRow).where(
        DisruptionRow.kind == kind, col(DisruptionRow.starts_at) < ends_at, col(DisruptionRow.ends_at) > starts_at
    )
    return list(session.exec(query.order_by(col(DisruptionRow.starts_at), col(DisruptionRow.id))))


def add_closures(session: Session, clinic: Clinic, zone: TimeGrid) -> Clinic:
    """Return a clinic with its closures beside those of the roster, of the places that it has."""
    locations, rooms = {location.id for location in clinic.locations}, {room.id for room in clinic.rooms}
    query = select(DisruptionRow).where(DisruptionRow.kind == "closure")
    closures = tuple(
        Closure(
            start=zone.wall(row.starts_at), end=zone.wall(row.ends_at), location=row.location, room=row.room, reason=row.reason
        )
        for row in session.exec(query.order_by(col(DisruptionRow.starts_at), col(DisruptionRow.id)))
        if row.location in locations or row.room in rooms
    )
    return clinic.changed(closures=(*clinic.closures, *closures)) if closures else clinic


def load_absences(session: Session, starts_at: datetime, ends_at: datetime, grid: TimeGrid) -> Mapping[str, list[Interval]]:
    """Return when providers are away within ``[starts_at, ends_at)``, wall-clock time, by provider."""
    away: dict[str, list[Interval]] = defaultdict(list)
    for row in list_meeting(session, "absence", starts_at, ends_at):
        if row.provider_id is not None:
            away[row.provider_id].append(Interval(start=grid.wall(row.starts_at), end=grid.wall(row.ends_at)))
    return away


def load_extra_shifts(session: Session, starts_at: datetime, ends_at: datetime, grid: TimeGrid) -> Mapping[str, list[Shift]]:
    """Return the extra shifts that meet ``[starts_at, ends_at)``, wall-clock time, by provider."""
    extra: dict[str, list[Shift]] = defaultdict(list)
    for row in list_meeting(session, "extra-shift", starts_at, ends_at):
        if row.provider_id is not None:
            shift = Shift(start=grid.wall(row.starts_at), end=grid.wall(row.ends_at), locations=tuple(row.locations))
            extra[row.provider_id].append(shift)
    return extra


def merge_shifts(shifts: Iterable[Shift], extra: Iterable[Shift]) -> tuple[Shift, ...]:
    """Return shifts of a roster with the parts of extra shifts that it does not have, by start."""
    merged = list(shifts)
    for added in extra:
        start = added.start
        for shift in sorted(merged, key=lambda shift: shift.start):
            if shift.end <= start or shift.start >= added.end:
                continue
            if start < shift.start:
                merged.append(added.changed(start=start, end=shift.start))
            start = max(start, shift.end)
        if start < added.end:
            merged.append(added.changed(start=start))
    return tuple(sorted(merged, key=lambda shift: shift.start))
