"""What each aspect of a visit's place costs by itself: the one way to price what is not yet a plan.

The checkers of :mod:`scheduling.costs` judge plans; these prices are for single tasks, before there is a plan. Trips and
site changes depend on what else is planned, and are left to whoever knows it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from scheduling.costs import half_of, leaving_out
from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.scenario import Scenario


def on_date(scenario: Scenario, visit: Visit, on: date) -> int:
    """Return what a date costs a visit: delay and lateness."""
    policy = scenario.policy
    cost = policy.delay_per_day.of(visit.priority) * max(0, (on - max(visit.earliest, scenario.horizon.start)).days)
    if visit.target is not None:
        cost += policy.late_per_day.of(visit.priority) * max(0, (on - visit.target).days)
    return cost


def at_location(scenario: Scenario, visit: Visit, location: str) -> int:
    """Return what a location costs a visit: a site that the patient does not prefer."""
    preferred = scenario.patients_by_id[visit.patient].preferred_site
    return 0 if preferred in (None, scenario.site(location)) else scenario.policy.not_preferred_site


def with_team(scenario: Scenario, visit: Visit, providers: Collection[str]) -> int:
    """Return what a team costs a visit: nobody who knows the patient in it."""
    wanted = visit.preferred_providers
    return scenario.policy.not_preferred_provider if wanted and not any(one in wanted for one in providers) else 0


def in_half(scenario: Scenario, visit: Visit, minute: int) -> int:
    """Return what a start, in minutes of the day, costs a visit: the half of the day that the patient does not prefer."""
    prefers = scenario.patients_by_id[visit.patient].prefers
    return 0 if prefers in (None, half_of(minute)) else scenario.policy.not_preferred_half


def moving(scenario: Scenario, current: Current | CurrentGroup | None, on: date | None) -> int:
    """Return what it costs each patient to be moved from where they stand to another place on a date; None: to be left out."""
    if current is None:
        return 0
    policy = scenario.policy
    if not current.notified:
        return policy.moved
    days = 0 if on is None else abs((on - current.start.date()).days)
    return policy.moved_notified + policy.moved_notified_per_day * days


def left_out(scenario: Scenario, visit: Visit) -> int:
    """Return what it costs to leave a visit out, wherever it stands."""
    return leaving_out(scenario, visit) + moving(scenario, visit.current, None)
