"""Why a group session does not meet, or a hold is not kept: obstacles first, then the rules in the way, each verified."""

from __future__ import annotations

from scheduling.errors import UnknownId
from scheduling.obstacles import find_obstacles
from scheduling.plan import Plan, Reason
from scheduling.rules import get_rule_name
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver.search.explain import SHARED, UNARY
from solver.state.domains import Domains
from solver.state.occupancy import CostedPlacement, Occupancy
from solver.state.placements import get_placements
from solver.state.tasks import Task


def explain_session(scenario: Scenario, plan: Plan, identifier: str) -> tuple[Reason, ...]:
    """Return why a group session or a hold is not in a plan, everything else staying as it is; none when it is.

    Each rule is named without which alone there would be a place, and that place.

    Raises
    ------
    UnknownId
        The scenario has no such group or reserve.
    """
    domains = Domains(scenario)
    task = domains.by_key.get(("group", identifier)) or domains.by_key.get(("hold", identifier))
    if task is None:
        raise UnknownId("group or reserve", identifier)
    placements = get_placements(scenario, plan)
    if task.key in placements:
        return ()
    obstacles = tuple(find_obstacles(scenario, task.service))
    if obstacles:
        return obstacles
    if task.group is not None and len(task.group.candidates) < task.group.min_attendees:
        few = f"{len(task.group.candidates)} candidates, and at least {task.group.min_attendees} are needed"
        return (Reason(rule="group-size", detail=few),)
    return _find_rules(domains, Occupancy(domains, placements), task)


def _find_rules(domains: Domains, around: Occupancy, task: Task) -> tuple[Reason, ...]:
    here = around.best(task)
    if here is not None:
        return (Reason(rule="cost", detail=f"it would fit {_describe(domains, here)}, but leaving it out costs no more"),)
    reasons = []
    for rule in (*SHARED, *UNARY):
        shared = [rule] if rule in SHARED else []
        seen = domains if shared else Domains(domains.scenario, ignoring=[rule])
        place = around.viewed_with(seen, shared).best(task)
        if place is not None:
            detail = f"without this rule it would fit {_describe(domains, place)}"
            reasons.append(Reason(rule=get_rule_name(rule), detail=detail))
    return tuple(reasons) or (Reason(rule="several", detail="no place was found by leaving any single rule aside"),)


def _describe(domains: Domains, place: CostedPlacement) -> str:
    placement, grid = place.placement, domains.scenario.grid
    start = stamp(grid.date(placement.day), placement.slot * grid.grid_minutes)
    team = ", ".join(shift.provider for shift in placement.team)
    return f"on {start:%a %d %b %H:%M} at {placement.location}" + (f" with {team}" if team else "")
