"""What each aspect of a visit's place costs by itself: the one place where what is not yet a plan is costed.

The checkers of :mod:`scheduling.costs` judge plans; these costs are for single tasks, before there is a plan. Trips and
site changes depend on what else is planned, and are left to whoever knows it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from itertools import pairwise

from scheduling.costs import QUARTER_MINUTES, get_half, get_move_cost, get_omission_cost
from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.scenario import Scenario
from solver.state.tasks import Task

Stay = tuple[int, int, str]
"""When a patient's item begins and, recovery included, ends, in minutes of the day, and its location."""


def cost_at(scenario: Scenario, task: Task, day: int, location: str) -> int:
    """Return what a date and location cost a task, whoever sees it and at whatever time."""
    visit = task.visit
    if visit is None:
        return 0
    return cost_of_date(scenario, visit, scenario.grid.date(day)) + cost_of_location(scenario, visit, location)


def cost_of_date(scenario: Scenario, visit: Visit, on: date) -> int:
    """Return what a date costs a visit: delay and lateness."""
    policy = scenario.policy
    cost = policy.delay_per_day.of(visit.priority) * max(0, (on - max(visit.earliest, scenario.horizon.start)).days)
    if visit.target is not None:
        cost += policy.late_per_day.of(visit.priority) * max(0, (on - visit.target).days)
    return cost


def cost_of_location(scenario: Scenario, visit: Visit, location: str) -> int:
    """Return what a location costs a visit: a site that the patient does not prefer."""
    preferred = scenario.patients_by_id[visit.patient].preferred_site
    return 0 if preferred in (None, scenario.site(location)) else scenario.policy.not_preferred_site


def cost_of_team(scenario: Scenario, visit: Visit, providers: Collection[str]) -> int:
    """Return what a team costs a visit: nobody who knows the patient in it."""
    wanted = visit.preferred_providers
    return scenario.policy.not_preferred_provider if wanted and not any(provider in wanted for provider in providers) else 0


def cost_of_half(scenario: Scenario, visit: Visit, minute: int) -> int:
    """Return what a start, in minutes of the day, costs a visit: the half of the day that the patient does not prefer."""
    prefers = scenario.patients_by_id[visit.patient].prefers
    return 0 if prefers in (None, get_half(minute)) else scenario.policy.not_preferred_half


def cost_of_moving(scenario: Scenario, current: Current | CurrentGroup | None, on: date | None) -> int:
    """Return what it costs each patient to be moved from where they stand to another place on a date; None: to be left out.

    For a visit that is the least that any start of the date costs: :func:`cost_of_moving_to` knows the start.
    """
    if current is None:
        return 0
    policy = scenario.policy
    if not current.notified:
        return policy.moved
    days = 0 if on is None else abs((on - current.start.date()).days)
    return policy.moved_notified + policy.moved_notified_per_day * days


def cost_of_moving_to(scenario: Scenario, visit: Visit, start: datetime) -> int:
    """Return what it costs that a visit does not stand any more, but begins at a start."""
    return 0 if visit.current is None else get_move_cost(scenario, visit.current, start)


def cost_of_stays(scenario: Scenario, stays: Collection[Stay]) -> int:
    """Return what a patient's items of one day, none of which overlap, cost by their order: waiting and journeys."""
    if len(stays) < 2:
        return 0
    ordered, policy = sorted(stays), scenario.policy
    idle = sum(max(0, begin - end) for (_, end, _), (begin, _, _) in pairwise(ordered))
    sites = [scenario.site(location) for _, _, location in ordered]
    changes = sum(site != next_site for site, next_site in pairwise(sites))
    return policy.waiting * (idle // QUARTER_MINUTES) + policy.patient_site_change * changes


def get_worth(scenario: Scenario, task: Task) -> int:
    """Return what it is worth that a task is planned: the cost of leaving out a visit, else of a missing reserve."""
    return scenario.policy.reserve_missing if task.visit is None else get_omission_cost(scenario, task.visit)


def cost_of_leaving_out(scenario: Scenario, visit: Visit) -> int:
    """Return what it costs to leave a visit out, wherever it stands."""
    return get_omission_cost(scenario, visit) + cost_of_moving(scenario, visit.current, None)
