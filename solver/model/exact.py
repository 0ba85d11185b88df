"""The exact model: every rule and every cost over some tasks, with start times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ortools.sat.python import cp_model

from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.model.capacity import REDUNDANT
from solver.model.constraints import CONSTRAINTS
from solver.model.objectives import OBJECTIVES
from solver.model.solutions import extract, fix
from solver.model.variables import Variables
from solver.state.domains import Domains, Option
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Key


def exact_model(
    domains: Domains,
    options: Mapping[Key, Sequence[Option]] | None = None,
    fixed: Mapping[Key, Placement] | None = None,
    notified_elsewhere: int = 0,
    named_rooms: Iterable[str] = (),
    worth: Mapping[Key, int] | None = None,
) -> tuple[cp_model.CpModel, Variables]:
    """Return the model of some tasks, and its variables; the parameters are those of :class:`Variables`."""
    model = cp_model.CpModel()
    x = Variables(model, domains, options, fixed, named_rooms, notified_elsewhere, worth)
    for constrain in (*CONSTRAINTS, *REDUNDANT):
        constrain(model, domains.scenario, x)
    model.minimize(sum(cost(model, domains.scenario, x) for cost in OBJECTIVES))
    return model, x


def solve_fixed(scenario: Scenario, plan: Plan) -> tuple[str, int | None]:
    """Solve the model with every choice fixed to a plan's: ``("OPTIMAL", cost)``, or ``("INFEASIBLE", None)``.

    The plan is held against the whole model, so this compares the encoders with the checkers. What no answer of the model
    can say (a start off the grid, somebody who attends twice, another location of a shift) is infeasible too.
    """
    domains = Domains(scenario)
    model, x = exact_model(domains, named_rooms=scenario.rooms)
    fix(x, get_placements(scenario, plan))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
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
