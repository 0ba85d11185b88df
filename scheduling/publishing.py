"""From one plan to the next: what a published plan tells people, and what of a plan a changed scenario still asks for."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from scheduling.additions import Addition
from scheduling.costs import calculate_costs
from scheduling.errors import InvalidFile
from scheduling.files import read_json, wrong_kind
from scheduling.plan import GroupBooking, Plan, Unscheduled, VisitBooking, find_plan_faults
from scheduling.references import validate_text
from scheduling.requests import Current, CurrentGroup, Group, Visit
from scheduling.rules.providers import is_within_shift
from scheduling.rules.stability import is_unchanged
from scheduling.scenario import Scenario

T = TypeVar("T")

_NUMBERED = re.compile(r"(\w+)\[(\d+)\]")


def publish(scenario: Scenario, plan: Plan, now: datetime | None = None) -> Scenario:
    """Return the scenario once a plan is published: everything stands where the plan has it, and everybody has been told.

    Who stands there already is as told, or not told, as before.

    Parameters
    ----------
    now
        The moment of planning again, wall-clock; None keeps the scenario's own.
    """
    visits, groups = plan.visits_by_id, plan.groups_by_id
    return scenario.changed(
        now=scenario.now if now is None else now,
        visits=tuple(visit.changed(current=_current(visit, visits.get(visit.id))) for visit in scenario.visits),
        groups=tuple(group.changed(current=_current_group(group, groups.get(group.id))) for group in scenario.groups),
    )


def _current(visit: Visit, b: VisitBooking | None) -> Current | None:
    if b is None:
        return None
    told = visit.current.notified if visit.current is not None and is_unchanged(visit.current, b) else True
    return Current(
        start=b.start,
        location=b.location,
        room=b.room,
        team=b.team,
        supervisors=tuple(dict.fromkeys(b.supervisors)),
        notified=told,
    )


def _current_group(group: Group, b: GroupBooking | None) -> CurrentGroup | None:
    if b is None:
        return None
    known = group.current
    stands = known is not None and is_unchanged(known, b) and set(b.attendees) <= set(known.attendees)
    told = known.notified if known is not None and stands else True
    return CurrentGroup(
        start=b.start,
        location=b.location,
        room=b.room,
        team=b.team,
        supervisors=tuple(dict.fromkeys(b.supervisors)),
        attendees=b.attendees,
        notified=told,
    )


def is_published(scenario: Scenario) -> bool:
    """Return whether anything of a scenario stands in a plan that people live by."""
    return any(visit.current for visit in scenario.visits) or any(group.current for group in scenario.groups)


def upcoming(scenario: Scenario, plan: Plan) -> Plan:
    """Return a plan without the holds that began before ``now``, at its cost then: what they held is past, and no choice."""
    if scenario.now is None:
        return plan
    now = scenario.now
    kept = plan.changed(holds=tuple(hold for hold in plan.holds if hold.start >= now))
    used = {
        (member, shift.start)
        for item in kept.items(scenario)
        for member in item.commitments
        for shift in scenario.providers_by_id[member].shifts
        if is_within_shift(shift, item)
    }
    kept = kept.changed(shifts=tuple(place for place in plan.shifts if (place.provider, place.start) in used))
    priced = calculate_costs(scenario, kept)
    return kept.priced(priced)


def rebase(plan: Plan, scenario: Scenario) -> Plan:
    """Return what a changed scenario still asks for of a plan, as an answer to it, at its cost there.

    What the scenario does not know any more, or knows with another duration, is left out of it; nothing is judged by rules.
    """
    gone: dict[str, set[int]] = defaultdict(set)
    for fault in find_plan_faults(scenario, plan):
        if numbered := _NUMBERED.match(fault.path):
            gone[numbered[1]].add(int(numbered[2]))

    def kept(section: str, entries: tuple[T, ...]) -> tuple[T, ...]:
        return tuple(entry for index, entry in enumerate(entries) if index not in gone[section])

    visits, left_out = kept("visits", plan.visits), kept("unscheduled", plan.unscheduled)
    accounted = {booking.visit for booking in visits} | {left.visit for left in left_out}
    missing = (Unscheduled(visit=visit.id, reasons=()) for visit in scenario.visits if visit.id not in accounted)
    answer = plan.changed(
        scenario=scenario.id,
        status="feasible",
        bound=None,
        visits=visits,
        groups=kept("groups", plan.groups),
        holds=kept("holds", plan.holds),
        shifts=kept("shifts", plan.shifts),
        unscheduled=(*left_out, *missing),
    )
    priced = calculate_costs(scenario, answer)
    return answer.priced(priced)


def leave_out(plan: Plan, scenario: Scenario, visits: Collection[str]) -> Plan:
    """Return a plan that answers a scenario, without the places of some visits, at its cost there."""
    reasons = {left.visit: left for left in plan.unscheduled} | {
        visit: Unscheduled(visit=visit, reasons=()) for visit in visits
    }
    answer = plan.changed(
        status="feasible",
        bound=None,
        visits=tuple(booking for booking in plan.visits if booking.visit not in visits),
        unscheduled=tuple(reasons[visit.id] for visit in scenario.visits if visit.id in reasons),
    )
    priced = calculate_costs(scenario, answer)
    return answer.changed(cost=priced.total, costs=priced)


def read_earlier(path: Path | str, scenario: Scenario) -> Plan:
    """Read the plan of an earlier form of a scenario, as far as it is still asked for. Raises ``InvalidFile``."""
    plan, misshapen = validate_text(Plan, read_json(Path(path)))
    if plan is None:
        raise InvalidFile(str(path), [fault for _, fault in misshapen])
    return rebase(plan, scenario)


def read_before(path: Path | str, scenario: Scenario, addition: Addition) -> Plan:
    """Read the plan of a scenario before an addition; it may leave out what is added. Raises ``InvalidFile``."""
    text = read_json(Path(path))
    plan, misshapen = validate_text(Plan, text)
    if plan is None:
        raise InvalidFile(str(path), wrong_kind(text, "plan") or [fault for _, fault in misshapen])
    added = {visit.id for visit in addition.visits}
    excused = {f"unscheduled[{index}].visit" for index, left in enumerate(plan.unscheduled) if left.visit in added}
    if faults := [fault for fault in find_plan_faults(scenario, plan) if fault.path not in excused]:
        raise InvalidFile(str(path), faults)
    return rebase(plan, scenario) if excused else plan
