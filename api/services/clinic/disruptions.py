"""Absences, closures and extra shifts, as calls of their own: kept beside the roster, and whom each concerns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.services.records import write_audit
from api.services.weeks.conflicts import AffectedBooking, describe_affected, find_conflicts, raise_tasks
from api.store.columns import new_id
from api.store.queries import bookings, outside, people, periods
from api.store.queries import disruptions as store
from api.store.queries.bookings import StandingBooking
from api.store.tables import DisruptionRow
from api.store.tables.disruptions import DisruptionKind
from scheduling.disruptions import Disruption, ExtraShift, PlaceClosure, ProviderAbsence
from scheduling.errors import Fault, InvalidFile
from scheduling.timegrid import TimeGrid


@dataclass(frozen=True, slots=True)
class DisruptionEffect:
    """An absence, closure or extra shift, at wall-clock times, and what stands in its way or within it.

    Attributes
    ----------
    concerns : tuple of AffectedBooking
        The visits and sessions to come that it meets; of an extra shift, those that the provider has within it.
    """

    row: DisruptionRow
    start: datetime
    end: datetime
    concerns: tuple[AffectedBooking, ...]


def list_disruptions(session: Session, kind: DisruptionKind, after: str, count: int, now: datetime) -> list[DisruptionEffect]:
    """Return the absences, closures or extra shifts by id, those after an id."""
    return [_describe(session, row, now) for row in store.list_disruptions(session, kind, after, count)]


def get_disruption(session: Session, kind: DisruptionKind, identifier: str, now: datetime) -> DisruptionEffect:
    """Return an absence, closure or extra shift. Raises ``UnknownId``."""
    return _describe(session, store.get_disruption(session, kind, identifier), now)


def add_disruption(session: Session, by: Actor, disruption: Disruption, reason: str, now: datetime) -> DisruptionEffect:
    """Let a provider be away, a place be closed, or a provider work more; what stands and becomes impossible is a task each.

    Raises
    ------
    InvalidFile
        When it names whom or what there is not, or is an extra shift that crosses midnight or overlaps another.
    """
    zone = periods.get_zone(session)
    row = DisruptionRow(
        id=new_id(),
        kind=get_kind(disruption),
        locations=[],
        starts_at=zone.utc(disruption.start),
        ends_at=zone.utc(disruption.end),
        reason=reason,
        created_by=by.id,
        created_at=now,
    )
    return _put(session, by, "add", row, disruption, reason, now)


def change_disruption(
    session: Session,
    by: Actor,
    kind: DisruptionKind,
    identifier: str,
    version: int,
    fields: Mapping[str, Any],
    now: datetime,
) -> DisruptionEffect:
    """Make an absence, closure or extra shift another one; else as :func:`add_disruption`.

    Parameters
    ----------
    fields
        What becomes another: fields of the disruption, or ``reason``. All else stays as it is.

    Raises
    ------
    UnknownId, StaleVersion
        When there is none, or somebody else has changed it.
    """
    row = store.get_disruption(session, kind, identifier, version)
    changed = {name: value for name, value in fields.items() if name != "reason"}
    disruption = _to_disruption(row, periods.get_zone(session)).changed(**changed)
    return _put(session, by, "change", row, disruption, fields.get("reason", row.reason), now)


def end_disruption(
    session: Session, by: Actor, kind: DisruptionKind, identifier: str, version: int | None, now: datetime
) -> DisruptionEffect:
    """Take an absence, closure or extra shift back.

    Raises
    ------
    UnknownId, StaleVersion
        When there is none, or somebody else has changed it.
    """
    row = store.get_disruption(session, kind, identifier, version)
    touched = _list_periods(session, row.starts_at, row.ends_at)
    before = find_conflicts(session, touched, now)
    standing = _list_met(session, row, now)
    kept = DisruptionRow.model_validate(row.model_dump())
    store.remove_disruption(session, row)
    _touch(session, touched)
    raise_tasks(session, before, touched, now)
    write_audit(session, by, f"{kind}.end", kind, identifier, now)
    zone = periods.get_zone(session)
    concerns = tuple(describe_affected(session, standing))
    return DisruptionEffect(kept, zone.wall(kept.starts_at), zone.wall(kept.ends_at), concerns)


def _put(
    session: Session, by: Actor, action: str, row: DisruptionRow, disruption: Disruption, reason: str, now: datetime
) -> DisruptionEffect:
    if faults := [Fault(f"body.{fault.path}", fault.message) for fault in find_faults(session, disruption, row.id)]:
        raise InvalidFile("body", faults)
    zone = periods.get_zone(session)
    times = zone.utc(disruption.start), zone.utc(disruption.end)
    touched = _list_periods(session, *times, row.starts_at, row.ends_at)
    before = find_conflicts(session, touched, now)
    (row.starts_at, row.ends_at), row.reason = times, reason
    match disruption:
        case ProviderAbsence():
            row.provider_id = disruption.provider
        case ExtraShift():
            row.provider_id, row.locations = disruption.provider, list(disruption.locations)
        case PlaceClosure():
            is_room = disruption.place in {room.id for room in periods.clinic_of(session).rooms}
            row.location, row.room = (None, disruption.place) if is_room else (disruption.place, None)
    row.version += action == "change"
    store.put_disruption(session, row)
    _touch(session, touched)
    raise_tasks(session, before, touched, now)
    named = {"provider": row.provider_id, "place": row.location or row.room}
    write_audit(session, by, f"{row.kind}.{action}", row.kind, row.id, now, **named)
    return _describe(session, row, now)


def find_faults(session: Session, disruption: Disruption, identifier: str = "") -> Iterator[Fault]:
    """Yield what is wrong with an absence, closure or extra shift; ``identifier`` is its own, if it is known already."""
    zone = periods.get_zone(session)
    if disruption.end <= disruption.start:
        yield Fault("to", "must end after its start")
        return
    if zone.utc(disruption.end) <= zone.utc(disruption.start):
        yield Fault("to", "nothing is left of this time: the clocks are put forward then")
        return
    clinic = periods.clinic_of(session)
    locations, rooms = {location.id for location in clinic.locations}, {room.id for room in clinic.rooms}
    if isinstance(disruption, PlaceClosure):
        if disruption.place not in locations | rooms:
            yield Fault("location", f'unknown location or room "{disruption.place}"')
        return
    if disruption.provider not in people.list_provider_ids(session):
        yield Fault("provider", f'unknown provider "{disruption.provider}"')
        return
    if isinstance(disruption, ExtraShift):
        yield from (
            Fault(f"locations[{index}]", f'unknown location "{location}"')
            for index, location in enumerate(disruption.locations)
            if location not in locations
        )
        if not disruption.locations or len(set(disruption.locations)) < len(disruption.locations):
            yield Fault("locations", "has none, or one twice")
        yield from _find_overlaps(session, disruption, identifier)


def _find_overlaps(session: Session, extra: ExtraShift, identifier: str) -> Iterator[Fault]:
    """Yield why an extra shift cannot be beside the provider's others."""
    if (extra.end - timedelta(minutes=1)).date() != extra.start.date():
        yield Fault("to", "an extra shift ends on the day on which it begins")
        return
    zone, clinic = periods.get_zone(session), periods.clinic_of(session)
    day = extra.start.date()
    grid = TimeGrid(clinic.timezone, clinic.start_grid_minutes, day, day + timedelta(days=1))
    own = session.get(DisruptionRow, identifier)
    own_start = None if own is None else zone.wall(own.starts_at)
    (provider,) = (provider for provider in people.load_providers(session, grid) if provider.id == extra.provider)
    for shift in provider.shifts:
        if shift.start != own_start and extra.start < shift.end and shift.start < extra.end:
            yield Fault("from", f"overlaps the shift of {shift.start:%Y-%m-%d %H:%M} to {shift.end:%H:%M}")


def get_kind(disruption: Disruption) -> DisruptionKind:
    """Return what a change of the world is called."""
    match disruption:
        case ProviderAbsence():
            return "absence"
        case PlaceClosure():
            return "closure"
        case ExtraShift():
            return "extra-shift"


def _to_disruption(row: DisruptionRow, zone: TimeGrid) -> Disruption:
    times = {"start": zone.wall(row.starts_at), "end": zone.wall(row.ends_at)}
    match row.kind:
        case "absence":
            return ProviderAbsence(provider=row.provider_id or "", **times)
        case "closure":
            return PlaceClosure(place=row.location or row.room or "", **times)
        case "extra-shift":
            return ExtraShift(provider=row.provider_id or "", locations=tuple(row.locations), **times)


def _list_periods(session: Session, *moments: datetime) -> list[str]:
    """Return the periods that have any of the dates from the first of some moments to the last."""
    return outside.periods_meeting(session, min(moments).date(), max(moments).date())


def _touch(session: Session, period_ids: list[str]) -> None:
    for identifier in period_ids:
        periods.touch(session, identifier)


def _list_met(session: Session, row: DisruptionRow, now: datetime) -> list[StandingBooking]:
    """Return what stands at a place, in a room or with a provider at the time, and is not over."""
    if row.provider_id is not None:
        met = bookings.list_of_resource(session, "provider", row.provider_id, row.starts_at, row.ends_at)
    elif row.room is not None:
        met = bookings.list_of_resource(session, "room", row.room, row.starts_at, row.ends_at)
    else:
        met = [
            booking
            for booking in bookings.list_between(session, row.starts_at, row.ends_at)
            if booking.row.location == row.location
        ]
    return [booking for booking in met if booking.row.ends_at > now]


def _describe(session: Session, row: DisruptionRow, now: datetime) -> DisruptionEffect:
    zone = periods.get_zone(session)
    concerns = tuple(describe_affected(session, _list_met(session, row, now)))
    return DisruptionEffect(row, zone.wall(row.starts_at), zone.wall(row.ends_at), concerns)
