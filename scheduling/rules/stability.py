"""Rules of a plan that people already live by: the past, what is imminent, and the calls that may be made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from scheduling.plan import Booking, GroupBooking, Plan, Violation
from scheduling.requests import Current, CurrentGroup
from scheduling.scenario import Scenario


def is_unchanged(current: Current | CurrentGroup | None, booking: Booking | None) -> bool:
    """Return whether a booking has its current start, location and team; the room does not count."""
    return (
        current is not None
        and booking is not None
        and (current.start, current.location, current.team) == (booking.start, booking.location, booking.team)
    )


def is_attending_as_told(current: CurrentGroup, session: GroupBooking | None, patient: str) -> bool:
    """Return whether an attendee still attends at the start and location that they know of."""
    return (
        session is not None
        and (session.start, session.location) == (current.start, current.location)
        and patient in session.attendees
    )


def get_freeze_end(scenario: Scenario) -> datetime | None:
    """Return the moment before which nothing that stands may move."""
    return None if scenario.now is None else scenario.now + timedelta(minutes=scenario.freeze_minutes)


def not_past(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Nothing new or moved starts in the past."""
    if scenario.now is None:
        return
    for item in plan.items(scenario):
        current = None if item.kind == "hold" else _current(scenario, item.id, item.kind == "visit")
        if item.booking.start < scenario.now and not is_unchanged(current, item.booking):
            yield Violation("not-past", (item.id,), f"would start at {item.booking.start:%a %H:%M}, which is past")


def _current(scenario: Scenario, identifier: str, is_visit: bool) -> Current | CurrentGroup | None:
    return scenario.visits_by_id[identifier].current if is_visit else scenario.groups_by_id[identifier].current


def frozen(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """What has started, or is about to, keeps its start, location and team, or is left out."""
    until = get_freeze_end(scenario)
    if until is None:
        return
    for visit in scenario.visits:
        booking = plan.visits_by_id.get(visit.id)
        imminent = visit.current is not None and visit.current.start < until
        if imminent and booking is not None and not is_unchanged(visit.current, booking):
            yield Violation("frozen", (visit.id,), "is too near to be moved")
    for group in scenario.groups:
        session = plan.groups_by_id.get(group.id)
        imminent = group.current is not None and group.current.start < until
        if imminent and session is not None and not is_unchanged(group.current, session):
            yield Violation("frozen", (group.id,), "is too near to be moved")


def list_notified_moves(scenario: Scenario, plan: Plan) -> Iterator[str]:
    """Yield, for each notified patient who has to be called again, the visit, or the group and patient."""
    for visit in scenario.visits:
        told = visit.current is not None and visit.current.notified
        if told and not is_unchanged(visit.current, plan.visits_by_id.get(visit.id)):
            yield visit.id
    for group in scenario.groups:
        if group.current is not None and group.current.notified:
            for patient in group.current.attendees:
                if not is_attending_as_told(group.current, plan.groups_by_id.get(group.id), patient):
                    yield f"{group.id}/{patient}"


def notification_budget(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """No more notified patients have to be called again than the policy allows."""
    budget = scenario.policy.max_notified_moves
    if budget is None:
        return
    moved = tuple(list_notified_moves(scenario, plan))
    if len(moved) > budget:
        yield Violation("notification-budget", moved, f"{len(moved)} notified changes, {budget} allowed")
