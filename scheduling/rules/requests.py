"""Rules of what was asked: pins, links between visits, groups, reserves."""

from __future__ import annotations

from collections.abc import Iterator

from scheduling.plan import Item, Plan, Violation, VisitBooking
from scheduling.requests import Link
from scheduling.rules.stability import list_eligible_attendees
from scheduling.scenario import Scenario


def pinned(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A pinned visit takes place exactly as pinned."""
    for visit in scenario.visits:
        if (pin := visit.pinned) is None:
            continue
        booking = plan.visits_by_id.get(visit.id)
        if booking is None:
            yield Violation("pinned", (visit.id,), "is left out")
        elif (booking.start, booking.location, booking.room, booking.team) != (pin.start, pin.location, pin.room, pin.team):
            yield Violation("pinned", (visit.id,), "is not where, when and with whom it is pinned")


def link(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A visit that follows another is planned only with it, at the asked distance, place and team."""
    for wanted in scenario.links:
        ids = (wanted.before, wanted.after)
        before, after = (plan.visits_by_id.get(visit) for visit in ids)
        if before is None:
            if after is not None:
                yield Violation("link", ids, f"{wanted.after} is planned without {wanted.before}")
        elif after is None:
            if wanted.together:
                yield Violation("link", ids, f"{wanted.before} is planned without {wanted.after}")
        else:
            for detail in _find_distance_faults(wanted, before, after):
                yield Violation("link", ids, detail)


def _find_distance_faults(link: Link, before: VisitBooking, after: VisitBooking) -> Iterator[str]:
    if link.any_order and after.start < before.start:
        before, after = after, before
    days = (after.start.date() - before.start.date()).days
    if days < link.min_days or (link.max_days is not None and days > link.max_days):
        upper = "any" if link.max_days is None else link.max_days
        yield f"{days} days apart, not {link.min_days} to {upper}"
    if days == 0:
        gap = int((after.start - before.end).total_seconds()) // 60
        if gap < link.min_gap_minutes or (link.max_gap_minutes is not None and gap > link.max_gap_minutes):
            upper = "any" if link.max_gap_minutes is None else link.max_gap_minutes
            yield f"{gap} minutes apart, not {link.min_gap_minutes} to {upper}"
    if link.same_location and before.location != after.location:
        yield "at different locations"
    if link.same_provider and before.team != after.team:
        yield "with different teams"


def group_size(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A group's attendees are candidates, at least its minimum, and no more than its capacity and its room's seats."""
    for booking in plan.groups:
        group = scenario.groups_by_id[booking.group]
        attendees = booking.attendees
        if len(set(attendees)) < len(attendees):
            yield Violation("group-size", (group.id,), "names an attendee twice")
        strangers = set(attendees) - list_eligible_attendees(scenario, group)
        if strangers:
            yield Violation("group-size", (group.id, *sorted(strangers)), "attend without being candidates")
        if len(attendees) < group.min_attendees:
            yield Violation("group-size", (group.id,), f"{len(attendees)} attend, {group.min_attendees} are needed")
        seats = group.capacity
        if booking.room is not None:
            seats = min(seats, scenario.rooms[booking.room].seats)
        if len(attendees) > seats:
            yield Violation("group-size", (group.id,), f"{len(attendees)} attend, {seats} have a place")


def group_month(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A group's session is in its month."""
    for item in _list_sessions(scenario, plan):
        if f"{item.date:%Y-%m}" != scenario.groups_by_id[item.id].month:
            yield Violation("group-month", (item.id,), f"is on {item.date}")


def group_cadence(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """A group's session follows its last one at the group's rhythm."""
    for item in _list_sessions(scenario, plan):
        group = scenario.groups_by_id[item.id]
        if group.last_session is not None and not group.is_in_rhythm(item.date):
            days = (item.date - group.last_session).days
            upper = "any" if group.max_days_between is None else group.max_days_between
            allowed = f"{group.min_days_between} to {upper}"
            yield Violation("group-cadence", (group.id,), f"{days} days after the last session, not {allowed}")


def _list_sessions(scenario: Scenario, plan: Plan) -> Iterator[Item]:
    return (item for item in plan.items(scenario) if item.kind == "group")


def reserve_window(scenario: Scenario, plan: Plan) -> Iterator[Violation]:
    """Held capacity is on its date, within its hours, at its site."""
    for booking in plan.holds:
        reserve = scenario.reserves_by_id[booking.reserve]
        if not booking.start.date() == booking.end.date() == reserve.date:
            yield Violation("reserve-window", (reserve.id,), f"is on {booking.start.date()}")
        elif booking.start.time() < reserve.from_ or booking.end.time() > reserve.to:
            yield Violation("reserve-window", (reserve.id,), f"is outside {reserve.from_:%H:%M} to {reserve.to:%H:%M}")
        if reserve.site is not None and scenario.site(booking.location) != reserve.site:
            yield Violation("reserve-window", (reserve.id,), f"is not in {reserve.site}")
