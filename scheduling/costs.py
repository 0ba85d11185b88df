"""The soft goals as integer costs, one pure function each, apart from any solver.

``COSTS`` names them all; their order never matters. A component's name in files is its function's, with hyphens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise

from scheduling.fields import Half
from scheduling.plan import Costs, Item, Plan
from scheduling.requests import Current, Visit
from scheduling.rules import get_rule_name
from scheduling.rules.patients import list_attendances, list_planned_visits
from scheduling.rules.providers import list_commitments
from scheduling.rules.stability import is_attending_as_told, is_unchanged
from scheduling.scenario import Scenario
from scheduling.timegrid import NOON_MINUTE, minute_of_day

Cost = Callable[[Scenario, Plan], int]


def get_omission_cost(scenario: Scenario, visit: Visit) -> int:
    """Return what it costs to leave a visit out, its ``moved`` cost apart."""
    due = visit.deadline is not None and scenario.horizon.start <= visit.deadline < scenario.horizon.end
    points = scenario.policy.unscheduled.of(visit.priority) if visit.unscheduled is None else visit.unscheduled
    return points * (scenario.policy.deadline_factor if due else 1)


def unscheduled(scenario: Scenario, plan: Plan) -> int:
    """Visits left out, dearer when their deadline lies within the horizon."""
    planned = plan.visits_by_id
    return sum(get_omission_cost(scenario, visit) for visit in scenario.visits if visit.id not in planned)


def late(scenario: Scenario, plan: Plan) -> int:
    """Days after the target date."""
    return sum(
        scenario.policy.late_per_day.of(visit.priority) * max(0, (item.date - visit.target).days)
        for visit, item in list_planned_visits(scenario, plan)
        if visit.target is not None
    )


def delay(scenario: Scenario, plan: Plan) -> int:
    """Days of waiting since the visit could first take place."""
    return sum(
        scenario.policy.delay_per_day.of(visit.priority)
        * max(0, (item.date - max(visit.earliest, scenario.horizon.start)).days)
        for visit, item in list_planned_visits(scenario, plan)
    )


def continuity(scenario: Scenario, plan: Plan) -> int:
    """Visits without any of the providers that their patient prefers."""
    return scenario.policy.not_preferred_provider * sum(
        bool(visit.preferred_providers) and set(visit.preferred_providers).isdisjoint(item.booking.team)
        for visit, item in list_planned_visits(scenario, plan)
    )


def site(scenario: Scenario, plan: Plan) -> int:
    """Visits at a site other than the one that their patient prefers."""
    return scenario.policy.not_preferred_site * sum(
        scenario.patients_by_id[visit.patient].preferred_site not in (None, scenario.site(item.booking.location))
        for visit, item in list_planned_visits(scenario, plan)
    )


def get_half(minute: int) -> Half:
    """Return the half of the day that a start lies in."""
    return "morning" if minute < NOON_MINUTE else "afternoon"


def half(scenario: Scenario, plan: Plan) -> int:
    """Visits in the half of the day that their patient does not prefer."""
    return scenario.policy.not_preferred_half * sum(
        scenario.patients_by_id[visit.patient].prefers not in (None, get_half(item.start_minute))
        for visit, item in list_planned_visits(scenario, plan)
    )


def trips(scenario: Scenario, plan: Plan) -> int:
    """Dates beyond a patient's first on which they have to come."""
    dates = list_attendances(scenario, plan)
    return scenario.policy.extra_trip * (len(dates) - len({patient for patient, _ in dates}))


def get_move_cost(scenario: Scenario, current: Current, start: datetime | None) -> int:
    """Return what it costs that a visit does not stand any more, but starts at ``start``; None: it is left out."""
    policy = scenario.policy
    if not current.notified:
        return policy.moved
    if start is None:
        return policy.moved_notified
    days = abs((start.date() - current.start.date()).days)
    hours = 0 if days else abs(minute_of_day(start) - minute_of_day(current.start)) // 60
    return policy.moved_notified + policy.moved_notified_per_day * days + policy.moved_notified_per_hour * hours


def moved(scenario: Scenario, plan: Plan) -> int:
    """Patients whose visit or group session is not where they have it in their calendar."""
    policy, cost = scenario.policy, 0
    for visit in scenario.visits:
        booking = plan.visits_by_id.get(visit.id)
        if visit.current is not None and not is_unchanged(visit.current, booking):
            cost += get_move_cost(scenario, visit.current, None if booking is None else booking.start)
    for group in scenario.groups:
        session = plan.groups_by_id.get(group.id)
        for patient in () if group.current is None else group.current.attendees:
            assert group.current is not None
            if not is_attending_as_told(group.current, session, patient):
                attends = session is not None and patient in session.attendees
                days = abs((session.start.date() - group.current.start.date()).days) if session and attends else 0
                told = group.current.notified
                cost += policy.moved_notified + policy.moved_notified_per_day * days if told else policy.moved
    return cost


def group(scenario: Scenario, plan: Plan) -> int:
    """Candidates without a seat, and required groups that do not meet."""
    cost = 0
    for wanted in scenario.groups:
        session = plan.groups_by_id.get(wanted.id)
        attendees = () if session is None else session.attendees
        cost += sum(scenario.policy.group_seat.of(c.priority) for c in wanted.candidates if c.patient not in attendees)
        if session is None and wanted.required:
            cost += scenario.policy.group_not_run
    return cost


def reserve(scenario: Scenario, plan: Plan) -> int:
    """Reserves for which no capacity is held."""
    return scenario.policy.reserve_missing * (len(scenario.reserves) - len(plan.holds))


QUARTER_MINUTES = 15
"""Waiting is counted in full quarters of an hour."""


def waiting(scenario: Scenario, plan: Plan) -> int:
    """Full quarters of an hour for which a patient waits between items of one day, recovery apart, travel included."""
    quarters = 0
    for items in list_attendances(scenario, plan).values():
        ordered = sorted(items, key=lambda item: (item.start_minute, item.end_minute))
        gaps = (max(0, following.start_minute - item.recovery_end_minute) for item, following in pairwise(ordered))
        quarters += sum(gaps) // QUARTER_MINUTES
    return scenario.policy.waiting * quarters


def journeys(scenario: Scenario, plan: Plan) -> int:
    """Times that a patient's consecutive items of one day lie at different sites."""
    return scenario.policy.patient_site_change * _count_site_changes(scenario, list_attendances(scenario, plan).values())


def site_change(scenario: Scenario, plan: Plan) -> int:
    """Times that a provider's consecutive commitments of one day lie at different sites."""
    return scenario.policy.site_change * _count_site_changes(scenario, list_commitments(scenario, plan).values())


def _count_site_changes(scenario: Scenario, days: Iterable[Iterable[Item]]) -> int:
    """Return how often consecutive items of somebody's day lie at different sites."""
    changes = 0
    for items in days:
        ordered = sorted(items, key=lambda item: (item.start_minute, item.end_minute))
        sites = [scenario.site(item.booking.location) for item in ordered]
        changes += sum(before != after for before, after in pairwise(sites))
    return changes


COSTS: tuple[Cost, ...] = (
    unscheduled,
    late,
    delay,
    continuity,
    site,
    half,
    trips,
    moved,
    group,
    reserve,
    waiting,
    journeys,
    site_change,
)


def calculate_costs(scenario: Scenario, plan: Plan) -> Costs:
    """Return a plan's cost by component."""
    return Costs.from_components({get_rule_name(cost): cost(scenario, plan) for cost in COSTS})
