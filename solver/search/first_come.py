"""Baseline: first come, first served, as a week is planned by hand.

What is pinned or frozen stands first and what has a current place keeps it if it can. The groups' dates come next, then the
visits in the order of the file, and reserves get what is left. Each takes the earliest date and time at which a place, a
team and a room are free, whatever it costs, and nothing is moved afterwards. There is no bound.
"""

from __future__ import annotations

from collections.abc import Sequence

from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.search.construct import drop_broken_links, retain_feasible, seat_attendees_at
from solver.state.domains import Domains
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import Task
from solver.state.unary import get_current, is_frozen

TRIES = 12
"""Dates that are tried for a visit before those that must come with it are given up."""


def plan_first_come(scenario: Scenario, standing: Plan | None = None) -> Plan:
    """Return the plan of first come, first served; it breaks no rule.

    Parameters
    ----------
    standing
        What stands, with its rooms and supervisors: it stays, as far as it breaks no rule.
    """
    domains = Domains(scenario)
    occupancy = Occupancy(domains)
    stands = {} if standing is None else get_placements(scenario, standing)
    for key, placement in retain_feasible(domains, stands, {}).items():
        occupancy.put(key, placement)
    for task in sorted(domains.tasks, key=lambda task: _rank(scenario, task)):
        if task.key not in occupancy.placements:
            _insert(occupancy, occupancy.chain(task))
    drop_broken_links(occupancy)
    return make_plan(domains, occupancy.placements)


def _rank(scenario: Scenario, task: Task) -> int:
    """Order tasks by what they are; the sort is stable, so the order of the file stays within a rank."""
    if is_frozen(scenario, task) or (task.visit is not None and task.visit.pinned is not None):
        return 0
    if get_current(task) is not None:
        return 1
    return {"group": 2, "visit": 3, "hold": 4}[task.kind]


def _insert(occupancy: Occupancy, chain: Sequence[Task]) -> bool:
    """Place a visit and those that must come with it, in order; all or none."""
    if not chain:
        return True
    task, rest = chain[0], chain[1:]
    for place in _earliest_by_date(occupancy, task)[: TRIES if rest else 1]:
        if not seat_attendees_at(occupancy, task, place):
            continue
        if _insert(occupancy, rest):
            return True
        occupancy.remove(task.key)
    return False


def _earliest_by_date(occupancy: Occupancy, task: Task) -> list[Placement]:
    """Return the earliest free place of each date, the current one before all."""
    earliest: dict[int, tuple[bool, int, Placement]] = {}
    for costed in occupancy.places(task):
        place = costed.placement
        moved = not occupancy.is_current(task, place.day, place.location, place.slot, place.team)
        if place.day not in earliest or (moved, place.slot) < earliest[place.day][:2]:
            earliest[place.day] = (moved, place.slot, place)
    return [place for moved, _, place in sorted(earliest.values(), key=lambda choice: (choice[0], choice[2].day))]
