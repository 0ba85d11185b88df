"""Placements: where tasks stand in a plan or in an unfinished one, and the plan that placements make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scheduling.costs import calculate_costs
from scheduling.plan import (
    Booking,
    Costs,
    GroupBooking,
    HoldBooking,
    Plan,
    Reason,
    ShiftPlace,
    Status,
    Unscheduled,
    VisitBooking,
)
from scheduling.requests import Current, CurrentGroup
from scheduling.scenario import Scenario
from scheduling.timegrid import minute_of_day, stamp
from solver.state.domains import Domains, Option, ShiftId
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, start_mask


@dataclass(frozen=True, slots=True)
class Placement:
    """A task's day, slot of the day, location, people and room."""

    day: int
    slot: int
    location: str
    team: tuple[ShiftId, ...]
    supervisors: tuple[ShiftId, ...] = ()
    attendees: tuple[str, ...] = ()
    room: str | None = None

    def options(self, task: Task) -> tuple[Option, ...]:
        """Return the placement as one option for each seat, with its one start."""
        starts = 1 << self.slot
        if not task.service.team:
            return (Option(0, None, self.day, self.location, starts),)
        return tuple(Option(seat, shift, self.day, self.location, starts) for seat, shift in enumerate(self.team))

    def patients(self, task: Task) -> tuple[str, ...]:
        """Return whom the task keeps there: a visit's patient, or a session's attendees."""
        return self.attendees if task.patient is None else (task.patient,)

    def supervision(self) -> tuple[Option, ...]:
        """Return the supervisors as options."""
        return tuple(Option(0, shift, self.day, self.location, 1 << self.slot) for shift in self.supervisors)


def get_placements(scenario: Scenario, plan: Plan) -> dict[Key, Placement]:
    """Return the placements of a plan. Somebody who is on no shift that contains an item gets shift number -1."""
    return {key: get_placement(scenario, booking) for key, booking in get_bookings(plan).items()}


def get_bookings(plan: Plan) -> dict[Key, Booking]:
    """Return the bookings of a plan by task."""
    keys: list[tuple[Key, Booking]] = [(("visit", booking.visit), booking) for booking in plan.visits]
    keys += [(("group", booking.group), booking) for booking in plan.groups]
    keys += [(("hold", booking.reserve), booking) for booking in plan.holds]
    return dict(keys)


def get_current_placements(scenario: Scenario) -> dict[Key, Placement]:
    """Return where everything stands that people know of, with its supervisors where the file tells them."""
    placements: dict[Key, Placement] = {}
    for visit in scenario.visits:
        if visit.current is not None:
            end = visit.current.start + timedelta(minutes=scenario.service_of(visit).minutes)
            placements["visit", visit.id] = get_placement(
                scenario, VisitBooking(visit=visit.id, end=end, **_get_told(visit.current))
            )
    for group in scenario.groups:
        if group.current is not None:
            end = group.current.start + timedelta(minutes=scenario.services[group.service].minutes)
            placements["group", group.id] = get_placement(
                scenario, GroupBooking(group=group.id, end=end, **_get_told(group.current))
            )
    return placements


def _get_told(current: Current | CurrentGroup) -> dict[str, Any]:
    """Return what is known of where something stands, as its booking says it."""
    return current.model_dump(exclude={"notified"}) | {"supervisors": current.supervisors or ()}


def get_placement(scenario: Scenario, booking: Booking) -> Placement:
    """Return the placement of one booking."""

    def on_shift(provider: str) -> ShiftId:
        shifts = scenario.providers_by_id[provider].shifts
        numbers = (n for n, s in enumerate(shifts) if s.start <= booking.start and booking.end <= s.end)
        return ShiftId(provider, next(numbers, -1))

    return Placement(
        day=scenario.grid.day_index(booking.start.date()),
        slot=minute_of_day(booking.start) // scenario.grid.grid_minutes,
        location=booking.location,
        team=tuple(map(on_shift, booking.team)),
        supervisors=tuple(map(on_shift, booking.supervisors)),
        attendees=booking.attendees if isinstance(booking, GroupBooking) else (),
        room=booking.room,
    )


def make_plan(
    domains: Domains,
    placements: Mapping[Key, Placement],
    status: Status = "feasible",
    bound: int | None = None,
    reasons: Mapping[str, Sequence[Reason]] | None = None,
    known: Mapping[Key, Booking] | None = None,
) -> Plan:
    """Make a plan of placements, with its shifts' locations and its cost; ``known`` bookings are not made again."""
    scenario, reasons, known = domains.scenario, reasons or {}, known or {}
    bookings: list[Booking] = []
    shifts: dict[ShiftId, str] = {}
    for task in domains.tasks:
        if (placement := placements.get(task.key)) is not None:
            bookings.append(known.get(task.key) or _booking(scenario, task, placement))
            committed = (*placement.team, *placement.supervisors)
            shifts |= {shift: placement.location for shift in committed if domains.binds(shift, placement.location)}
    places = [
        ShiftPlace(provider=provider.id, start=shift.start, location=shifts[ShiftId(provider.id, number)])
        for provider in scenario.providers
        for number, shift in enumerate(provider.shifts)
        if ShiftId(provider.id, number) in shifts
    ]
    left = [
        Unscheduled(visit=visit.id, reasons=tuple(reasons.get(visit.id, ())))
        for visit in scenario.visits
        if ("visit", visit.id) not in placements
    ]
    plan = Plan.model_construct(
        format="clinicweave-plan/1",
        scenario=scenario.id,
        status=status,
        cost=0,
        bound=bound,
        costs=Costs.from_components({}),
        visits=tuple(booking for booking in bookings if isinstance(booking, VisitBooking)),
        groups=tuple(booking for booking in bookings if isinstance(booking, GroupBooking)),
        holds=tuple(booking for booking in bookings if isinstance(booking, HoldBooking)),
        shifts=tuple(places),
        unscheduled=tuple(left),
    )
    components = calculate_costs(scenario, plan)
    return plan.changed(cost=components.total, costs=components)


def _booking(scenario: Scenario, task: Task, placement: Placement) -> Booking:
    start = stamp(scenario.grid.date(placement.day), placement.slot * scenario.grid.grid_minutes)
    end = stamp(start.date(), minute_of_day(start) + task.service.minutes)
    shared: dict[str, Any] = {
        "start": start,
        "end": end,
        "location": placement.location,
        "room": placement.room,
        "team": tuple(shift.provider for shift in placement.team),
        "supervisors": tuple(shift.provider for shift in placement.supervisors),
    }
    if task.kind == "visit":
        return VisitBooking(visit=task.id, **shared)
    if task.kind == "group":
        return GroupBooking(group=task.id, attendees=placement.attendees, **shared)
    return HoldBooking(reserve=task.id, **shared)


def count_notified_changes(domains: Domains, task: Task, placement: Placement | None) -> int:
    """Return how many notified patients have to be called again because of where a task is, or that it is left out."""
    current, grid = get_current(task), domains.scenario.grid
    if current is None or not current.notified:
        return 0
    same = (
        placement is not None
        and (placement.day, placement.location) == (grid.day_index(current.start.date()), current.location)
        and start_mask(domains.scenario, current.start) == 1 << placement.slot
    )
    if isinstance(current, CurrentGroup):
        told = set(current.attendees)
        return len(told - set(placement.attendees)) if same and placement is not None else len(told)
    return int(not same or placement is None or tuple(shift.provider for shift in placement.team) != current.team)
