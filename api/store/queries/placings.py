"""Between the domain's plans and rows: what a planned item takes, when, as instants.

A length of time is counted from the start's instant, so that a visit keeps its length whatever the clocks do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from api.store.tables import OccupancyRow
from api.store.tables.plans import BookingKind, BookingState, OccupancyKind, Resource
from scheduling.clinic import Service
from scheduling.plan import Plan
from scheduling.requests import Current, CurrentGroup
from scheduling.scenario import Scenario
from scheduling.timegrid import TimeGrid

Subject = tuple[BookingKind, str, str]
"""What a booking is of: kind, id, and the month of a group's session (else empty)."""

RESOURCES: dict[OccupancyKind, Resource] = {
    "team": "provider",
    "supervisor": "provider",
    "room": "room",
    "patient": "patient",
}


@dataclass(frozen=True, slots=True)
class Taking:
    """One thing that a booking takes until an instant; ``position`` is the seat, or the place among attendees."""

    kind: OccupancyKind
    position: int
    resource_id: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Placing:
    """Where and when something takes place, and all that it takes. Equal placings are the same to everybody.

    ``notified`` says whether the patient is told, ``offered`` whether the place is only kept for them; neither is a part of
    where a booking stands.
    """

    subject: Subject
    service: str
    location: str
    starts_at: datetime
    ends_at: datetime
    takings: frozenset[Taking]
    notified: bool = field(default=True, compare=False)
    offered: bool = field(default=False, compare=False)

    def ids(self, kind: OccupancyKind) -> tuple[str, ...]:
        """Return the ids of what is taken of a kind, by position."""
        taken = [one for one in self.takings if one.kind == kind]
        if len(taken) > 1:
            taken.sort(key=lambda one: one.position)
        return tuple([one.resource_id for one in taken])

    def without_patient(self, patient: str) -> Placing:
        """Return the placing of a session in which a patient has no seat."""
        others = [one for one in self.ids("patient") if one != patient]
        until = max((one.ends_at for one in self.takings if one.kind == "patient"), default=self.ends_at)
        seats = {Taking("patient", position, one, until) for position, one in enumerate(others)}
        return replace(self, takings=frozenset({one for one in self.takings if one.kind != "patient"} | seats))

    @property
    def room(self) -> str | None:
        """The room, if there is one."""
        return next(iter(self.ids("room")), None)


def placings(scenario: Scenario, plan: Plan) -> Iterator[Placing]:
    """Yield the placing of every item of a plan."""
    for item in plan.items(scenario):
        month = scenario.groups_by_id[item.id].month if item.kind == "group" else ""
        b = item.booking
        subject = (item.kind, item.id, month)
        yield _placing(scenario.grid, subject, item.service, b, item.patients, b.supervisors)


def current_placings(scenario: Scenario) -> Iterator[Placing]:
    """Yield the placing of everything that stands somewhere in a scenario already."""
    for visit in scenario.visits:
        if (now := visit.current) is not None:
            subject: Subject = ("visit", visit.id, "")
            watching = now.supervisors or ()
            yield _placing(scenario.grid, subject, scenario.service_of(visit), now, (visit.patient,), watching, now.notified)
    for group in scenario.groups:
        if (meets := group.current) is not None:
            subject = ("group", group.id, group.month)
            service, watching = scenario.services[group.service], meets.supervisors or ()
            yield _placing(scenario.grid, subject, service, meets, meets.attendees, watching, meets.notified)


class _Place(Protocol):
    """What every planned or current place of the domain has."""

    @property
    def start(self) -> datetime: ...

    @property
    def location(self) -> str: ...

    @property
    def room(self) -> str | None: ...

    @property
    def team(self) -> tuple[str, ...]: ...


def _placing(
    grid: TimeGrid,
    subject: Subject,
    service: Service,
    place: _Place,
    patients: Sequence[str],
    supervisors: Sequence[str],
    notified: bool = True,
) -> Placing:
    begin = grid.utc(place.start)
    end = begin + timedelta(minutes=service.minutes)
    taken: tuple[tuple[OccupancyKind, Sequence[str], int], ...] = (
        ("team", place.team, 0),
        ("supervisor", supervisors, 0),
        ("room", () if place.room is None else (place.room,), service.turnover),
        ("patient", patients, service.recovery),
    )
    takings = frozenset(
        Taking(kind, position, identifier, end + timedelta(minutes=after))
        for kind, ids, after in taken
        for position, identifier in enumerate(ids)
    )
    return Placing(subject, service.id, place.location, begin, end, takings, notified)


class Booked(Protocol):
    """What a booking's row tells of its placing: the row itself, or these columns of it."""

    @property
    def kind(self) -> BookingKind: ...

    @property
    def subject_id(self) -> str: ...

    @property
    def month(self) -> str: ...

    @property
    def service(self) -> str: ...

    @property
    def location(self) -> str: ...

    @property
    def starts_at(self) -> datetime: ...

    @property
    def ends_at(self) -> datetime: ...

    @property
    def notified(self) -> bool: ...

    @property
    def state(self) -> BookingState: ...


def placing_of(row: Booked, takings: Iterable[Taking]) -> Placing:
    """Return the placing that a booking and what it takes tell of."""
    subject = (row.kind, row.subject_id, row.month)
    where = (row.service, row.location, row.starts_at, row.ends_at)
    return Placing(subject, *where, frozenset(takings), row.notified, row.state == "offered")


def occupancies_of(booking_id: str, placing: Placing) -> list[OccupancyRow]:
    """Return the rows of what a booking takes."""
    return [
        OccupancyRow(
            booking_id=booking_id,
            kind=one.kind,
            position=one.position,
            resource=RESOURCES[one.kind],
            resource_id=one.resource_id,
            starts_at=placing.starts_at,
            ends_at=one.ends_at,
        )
        for one in placing.takings
    ]


def booking_fields(placing: Placing, grid: TimeGrid) -> dict[str, Any]:
    """Return a booking's fields as a plan has them, but for its subject and attendees."""
    begin = grid.wall(placing.starts_at)
    return {
        "start": begin,
        "end": begin + (placing.ends_at - placing.starts_at),
        "location": placing.location,
        "room": placing.room,
        "team": placing.ids("team"),
        "supervisors": placing.ids("supervisor"),
    }


def current_visit(placing: Placing, grid: TimeGrid, trainees: Collection[str]) -> Current:
    """Return where a visit stands, as a scenario has it. Who supervises trainees may not have been said: then it is null."""
    return Current(**_current(placing, grid, trainees))


def current_group(placing: Placing, grid: TimeGrid, trainees: Collection[str]) -> CurrentGroup:
    """Return where a group stands, as a scenario has it."""
    return CurrentGroup(**_current(placing, grid, trainees), attendees=placing.ids("patient"))


def _current(placing: Placing, grid: TimeGrid, trainees: Collection[str]) -> dict[str, Any]:
    # A booking by hand that overrides rules may name somebody twice.
    team, supervisors = placing.ids("team"), tuple(dict.fromkeys(placing.ids("supervisor")))
    is_known = bool(supervisors) or not any(member in trainees for member in team)
    return {
        "start": grid.wall(placing.starts_at),
        "location": placing.location,
        "room": placing.room,
        "team": team,
        "supervisors": supervisors if is_known else None,
        "notified": placing.notified,
    }
