"""Rules of a plan that people already live by: the past, what is imminent, and the calls that may be made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from scheduling.plan import Booking, GroupBooking, Plan, Violation
from scheduling.requests import Current, CurrentGroup, Group, Visit
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


def get_notice_end(scenario: Scenario) -> datetime | None:
    """Return the first moment of which patients hear early enough; None where no notice is asked for."""
    if scenario.now is None or not scenario.policy.notice_minutes:
        return None
    return scenario.now + timedelta(minutes=scenario.policy.notice_minutes)


def get_least_start(scenario: Scenario, request: Visit | Group) -> datetime | None:
    """Return the first moment at which a visit or group may start where it does not stand; None: notice asks for nothing.

    A pinned or same-day visit is free, and one whose deadline lies on or before the date of that moment.
    """
    least = get_notice_end(scenario)
    if least is None or isinstance(request, Group):
        return least
    due = request.deadline is not None and request.deadline <= least.date()
    return None if request.same_day or request.pinned is not None or due else least


def is_short_notice(scenario: Scenario, request: Visit | Group, start: datetime, location: str) -> bool:
    """Return whether a visit or group would start where its patients have not heard of early enough (rule ``notice``).

    What stands there is free, whether anybody has been told of it or not; team and room do not matter.
    """
    least = get_least_start(scenario, request)
    current = request.current
    stands = current is not None and (current.start, current.location) == (start, location)
    return least is not None and start < least and not stands


def list_standing_attendees(scenario: Scenario, group: Group, start: datetime) -> frozenset[str] | None:
    """Return the only patients who may attend a session that starts at ``start``; None: any candidate may.

    Nobody joins a session that starts before the least notice.
    """
    least = get_notice_end(scenario)
    if least is None or start >= least:
        return None
    return frozenset(group.current.attendees if group.current is not None else ())


def is_begun(scenario: Scenario, current: Current | CurrentGroup | None) -> bool:
    """Return whether what stands has begun, and is known with its supervisors: it stays exactly so, or is left out."""
    return scenario.now is not None and current is not None and current.start < scenario.now and current.supervisors is not None


def is_as_begun(current: Current | CurrentGroup, booking: Booking) -> bool:
    """Return whether a booking is exactly as it stands; the order of supervisors and attendees does not matter."""
    places = ((stand.start, stand.location, stand.room, stand.team) for stand in (current, booking))
    attendees = (frozenset(getattr(stand, "attendees", ())) for stand in (current, booking))
    return (
        len(set(places)) == 1 and sorted(current.supervisors or ()) == sorted(booking.supervisors) and len(set(attendees)) == 1
    )


def list_eligible_attendees(scenario: Scenario, group: Group) -> frozenset[str]:
    """Return the patients who count as a group's candidates: those of a session that has begun are among them."""
    candidates = {candidate.patient for candidate in group.candidates}
    if group.current is not None and is_begun(scenario, group.current):
        candidates.update(group.current.attendees)
    return frozenset(candidates)


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


def _list_planned(scenario: Scenario, plan: Plan) -> Iterator[tuple[Visit | Group, Booking]]:
    """Yield the planned visits and groups, what was asked beside where it takes place."""
    yield from ((scenario.visits_by_id[booking.visit], booking) for booking in plan.visits)
    yield from ((scenario.groups_by_id[session.group], session) for session in plan.groups)


def begun(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """What has begun stays exactly as it stands, with room, supervisors and attendees, or is left out."""
    for request, booking in _list_planned(scenario, plan):
        current = request.current
        if current is not None and is_begun(scenario, current) and not is_as_begun(current, booking):
            yield Violation("begun", (request.id,), f"has begun at {current.start:%a %H:%M}, and is not as it stands")


def notice(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Patients hear early enough of a start that is new to them."""
    if get_notice_end(scenario) is None:
        return
    for request, booking in _list_planned(scenario, plan):
        if is_short_notice(scenario, request, booking.start, booking.location):
            yield Violation("notice", (request.id,), f"would start at {booking.start:%a %H:%M}, too soon to be told of it")
    for session in plan.groups:
        standing = list_standing_attendees(scenario, scenario.groups_by_id[session.group], session.start)
        if standing is not None and (joining := sorted(set(session.attendees) - standing)):
            yield Violation("notice", (session.group, *joining), "would join too soon to be told of it")


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
