"""Rules of the people who receive care: one thing at a time, where, when and from whom they can."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations

from scheduling.plan import Item, Plan, Violation
from scheduling.requests import Visit
from scheduling.rules.sweep import find_overlaps
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on


def list_attendances(scenario: Scenario, plan: Plan) -> Mapping[tuple[str, date], Sequence[Item]]:
    """Return each patient's items by patient and date: visits, and group sessions that they attend."""
    return plan.derive(scenario, _group_attendances)


def _group_attendances(scenario: Scenario, plan: Plan) -> Mapping[tuple[str, date], Sequence[Item]]:
    items: dict[tuple[str, date], list[Item]] = defaultdict(list)
    for item in plan.items(scenario):
        for patient in dict.fromkeys(item.patients):
            items[patient, item.date].append(item)
    return items


def list_planned_visits(scenario: Scenario, plan: Plan) -> Iterator[tuple[Visit, Item]]:
    """Yield the planned visits beside what was asked."""
    return ((scenario.visits_by_id[item.id], item) for item in plan.items(scenario) if item.kind == "visit")


def patient_overlap(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A patient is in one place at a time, recovery included."""
    for (patient, _), items in list_attendances(scenario, plan).items():
        for first, second in find_overlaps(items, lambda item: item.recovery_end_minute):
            yield Violation("patient-overlap", (first.id, second.id, patient), f"both at {second.booking.start:%a %H:%M}")


def patient_travel(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Between a patient's items at different locations there is time to travel."""
    for (patient, _), items in list_attendances(scenario, plan).items():
        for pair in combinations(items, 2):
            first, second = sorted(pair, key=lambda item: item.start_minute)
            needed = scenario.travel_minutes(first.booking.location, second.booking.location)
            apart = second.start_minute - first.recovery_end_minute
            if 0 <= apart < needed:
                yield Violation("patient-travel", (first.id, second.id, patient), f"{apart} of {needed} minutes to travel")


def patient_available(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """No item, recovery included, meets a time at which its patient is unavailable."""
    for item in plan.items(scenario):
        for patient in dict.fromkeys(item.patients):
            for time in scenario.patients_by_id[patient].unavailable:
                starts, ends = minutes_on(time.start, item.date), minutes_on(time.end, item.date)
                if item.start_minute < ends and starts < item.recovery_end_minute:
                    yield Violation("patient-available", (item.id, patient), f"is unavailable from {time.start:%a %H:%M}")


def patient_site(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A patient is seen only at a site that they can reach."""
    for item in plan.items(scenario):
        site = scenario.site(item.booking.location)
        for patient in dict.fromkeys(item.patients):
            if site not in scenario.patients_by_id[patient].allowed_sites:
                yield Violation("patient-site", (item.id, patient), f"cannot come to {site}")


def earliest(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A visit is not before its earliest date."""
    for visit, item in list_planned_visits(scenario, plan):
        if item.date < visit.earliest:
            yield Violation("earliest", (visit.id,), f"is on {item.date}, before {visit.earliest}")


def deadline(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A visit is not after its deadline."""
    for visit, item in list_planned_visits(scenario, plan):
        if visit.deadline is not None and item.date > visit.deadline:
            yield Violation("deadline", (visit.id,), f"is on {item.date}, after {visit.deadline}")


def same_day(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A same-day visit is on the day of its referral."""
    for visit, item in list_planned_visits(scenario, plan):
        if visit.same_day and item.date != visit.earliest:
            yield Violation("same-day", (visit.id,), f"is on {item.date}, not on {visit.earliest}")


def required_provider(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A visit that asks for one provider has that provider in its team."""
    for visit, item in list_planned_visits(scenario, plan):
        if visit.required_provider is not None and visit.required_provider not in item.booking.team:
            yield Violation("required-provider", (visit.id, visit.required_provider), "is not in the team")
