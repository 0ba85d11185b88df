"""The exact model with every choice fixed to a plan's, which compares the encoders with the checkers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from ortools.sat.python import cp_model

from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.model.exact import add_rules_and_costs
from solver.model.room_kinds import RoomKind
from solver.model.solutions import extract, has_people, has_room, list_values
from solver.model.variables import Variables
from solver.state.domains import Domains
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Key


class NamedRoomVariables(Variables):
    """Variables that tell every room apart, as a plan does."""

    @cached_property
    def room_kinds(self) -> tuple[RoomKind, ...]:
        """Each room as a kind of its own."""
        return tuple(RoomKind(room.location, (room.id,), room.seats) for room in self.scenario.clinic.rooms)


def make_model_of_named_rooms(domains: Domains) -> Variables:
    """Return the variables of the exact model of a scenario, in which every room is told apart."""
    x = NamedRoomVariables(cp_model.CpModel(), domains)
    add_rules_and_costs(x)
    return x


def fix(x: Variables, placements: Mapping[Key, Placement]) -> None:
    """Let the model have no other answer than these placements; tasks without one are left out.

    A placement without a room is one that the variables can say: the rule ``room`` alone refuses it.
    """
    for key, placement in placements.items():
        if not x.has(key):
            continue
        if not has_people(x, key, placement) or not (placement.room is None or has_room(x, key, placement)):
            x.model.add_bool_or([])
    for variable, value in list_values(x, placements):
        x.model.add(variable == value)


def solve_fixed(scenario: Scenario, plan: Plan) -> tuple[str, int | None]:
    """Solve the model with every choice fixed to a plan's: ``("OPTIMAL", cost)``, or ``("INFEASIBLE", None)``.

    The plan is held against the whole model, so this compares the encoders with the checkers. What no answer of the model
    can say (a start off the grid, somebody who attends twice, another location of a shift) is infeasible too.
    """
    domains = Domains(scenario)
    x = make_model_of_named_rooms(domains)
    fix(x, get_placements(scenario, plan))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(x.model)
    if status != cp_model.OPTIMAL:
        return solver.status_name(status), None
    if _content(make_plan(domains, extract(x, solver))) != _content(_without_idle_places(domains, plan)):
        return "INFEASIBLE", None
    return "OPTIMAL", round(solver.objective_value)


def _without_idle_places(domains: Domains, plan: Plan) -> Plan:
    """Return a plan without the locations of shifts whose items all lie beside them, which a plan need not tell."""
    committed = {
        shift: domains.binding_locations(shift)
        for placement in get_placements(domains.scenario, plan).values()
        for shift in (*placement.team, *placement.supervisors)
        if shift.number >= 0
    }
    asked = {
        (shift.provider, domains.shift(shift).start)
        for placement in get_placements(domains.scenario, plan).values()
        for shift in (*placement.team, *placement.supervisors)
        if domains.binds(shift, placement.location) and shift.number >= 0
    }
    idle = {
        (shift.provider, domains.shift(shift).start): locations
        for shift, locations in committed.items()
        if (shift.provider, domains.shift(shift).start) not in asked
    }
    places = (place for place in plan.shifts if place.location not in idle.get((place.provider, place.start), ()))
    return plan.changed(shifts=tuple(places))


def _content(plan: Plan) -> Counter[tuple[object, ...]]:
    """Return all that a plan decides, whatever the order in which it is told."""
    told: Counter[tuple[object, ...]] = Counter((place.provider, place.start, place.location) for place in plan.shifts)
    for kind, bookings in (("visit", plan.visits), ("group", plan.groups), ("hold", plan.holds)):
        for booking in bookings:
            fields = booking.model_dump()
            listed = {name: tuple(sorted(fields[name])) for name in ("supervisors", "attendees") if name in fields}
            told[kind, *sorted((fields | listed).items())] += 1
    return told
