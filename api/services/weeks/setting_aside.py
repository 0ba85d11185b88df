"""Taking out of a week what stands against a rule: nothing else gets its people, room and patients."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from scheduling.disruptions import Disruption, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.fields import ONE_DAY, Interval
from scheduling.plan import Booking, Plan, ShiftPlace, VisitBooking
from scheduling.publishing import rebase
from scheduling.requests import Link, Pin, Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario

EXCUSED = "pinned"
"""The rule that what stands may break: a visit that was moved by hand away from its pin."""


def find_shift_locations(scenario: Scenario, booked: Iterable[Booking]) -> tuple[ShiftPlace, ...]:
    """Return the location of each shift that bookings use: that of the first at no place beside it."""
    chosen: dict[tuple[str, datetime], str] = {}
    for booking in booked:
        for member in (*booking.team, *booking.supervisors):
            for shift in scenario.providers_by_id[member].shifts:
                is_beside = booking.location in shift.also
                if shift.start <= booking.start and booking.end <= shift.end and not is_beside:
                    chosen.setdefault((member, shift.start), booking.location)
    return tuple(ShiftPlace(provider=who, start=start, location=where) for (who, start), where in sorted(chosen.items()))


def list_held(scenario: Scenario, plan: Plan) -> set[str]:
    """Return the visits that stand where they are pinned."""
    return {booking.visit for booking in plan.visits if scenario.visits_by_id[booking.visit].pinned == pin_of(booking)}


def pin_of(booking: VisitBooking) -> Pin:
    """Return the pin that holds a visit where it stands."""
    return Pin(start=booking.start, location=booking.location, room=booking.room, team=booking.team)


def hold(visit: Visit, booking: VisitBooking | None) -> Visit:
    return visit if booking is None else visit.changed(pinned=pin_of(booking))


def _tie(visit: Visit, cut: Iterable[Link], plan: Plan, loose: AbstractSet[str]) -> Visit:
    """Pin a visit where it stands; one that waits or is loose has the days that its links to what stands leave it."""
    booking = plan.visits_by_id.get(visit.id)
    if booking is not None and visit.id not in loose:
        return visit.changed(pinned=pin_of(booking))
    firsts, lasts = [visit.earliest], [] if visit.deadline is None else [visit.deadline]
    for link in cut:
        leads = link.before == visit.id
        other = plan.visits_by_id.get(link.after if leads else link.before)
        if other is None or visit.id not in (link.before, link.after):
            continue
        day, least = other.start.date(), max(link.min_days, int(link.max_days != 0)) * ONE_DAY
        most = None if link.max_days is None else link.max_days * ONE_DAY
        if not leads or link.any_order:
            firsts += [day + least] if not link.any_order else []
            lasts += [] if most is None else [day + most]
        if leads or link.any_order:
            lasts += [day - least] if not link.any_order else []
            firsts += [] if most is None else [day - most]
    return visit.changed(earliest=max(firsts), deadline=min(lasts, default=None))


def _keep_shift_locations(scenario: Scenario, plan: Plan, aside: AbstractSet[str]) -> Scenario:
    """Return a scenario in which the shifts of those who are taken by what was set aside stay at its locations."""
    taken = [booking for booking in plan.visits if booking.visit in aside]
    sessions = [session for session in plan.groups if session.group in aside]
    chosen = {(place.provider, place.start): place.location for place in find_shift_locations(scenario, (*taken, *sessions))}
    people = tuple(
        provider.changed(
            shifts=tuple(
                shift.changed(locations=(chosen[provider.id, shift.start],))
                if chosen.get((provider.id, shift.start)) in shift.locations
                else shift
                for shift in provider.shifts
            )
        )
        if any(who == provider.id for who, _ in chosen)
        else provider
        for provider in scenario.providers
    )
    return scenario.changed(providers=people)


def list_broken_alone(scenario: Scenario, plan: Plan, fixed: AbstractSet[str], waiting: AbstractSet[str]) -> set[str]:
    """Return the fixed visits and sessions that break a rule whatever becomes of others, or if what waits finds no place."""
    visits = tuple(booking for booking in plan.visits if booking.visit in fixed)
    groups = tuple(session for session in plan.groups if session.group in fixed)
    alone = plan.changed(visits=visits, groups=groups, holds=(), shifts=find_shift_locations(scenario, (*visits, *groups)))
    broken = find_violations(scenario, rebase(alone, scenario))
    items = scenario.visits_by_id.keys() | scenario.groups_by_id.keys()
    named = [items & set(violation.ids) - waiting for violation in broken if violation.rule != EXCUSED]
    return {item for together in named if together <= fixed for item in together}


def set_aside(
    scenario: Scenario, plan: Plan, aside: AbstractSet[str], loose: AbstractSet[str] = frozenset()
) -> tuple[Scenario, Plan]:
    """Take visits, sessions and holds out of a week: nothing else gets the people, rooms and patients of those with patients.

    What is linked with them stays where it is, since the links go with them; what waits or is loose, as it has to move, has the
    days that the links leave it.
    """
    if not aside:
        return scenario, plan
    cut = [link for link in scenario.links if not aside.isdisjoint((link.before, link.after))]
    linked = {end for link in cut for end in (link.before, link.after)}
    rest = scenario.restrict_to(scenario.visits_by_id.keys() - aside)
    taken: dict[str, list[Interval]] = {}
    disruptions: list[Disruption] = []
    for item in plan.items(scenario):
        if item.id not in aside or item.kind == "hold":
            continue
        booking, service = item.booking, item.service
        recovered = booking.end + timedelta(minutes=service.recovery)
        for patient in item.patients:
            taken.setdefault(patient, []).append(Interval(start=booking.start, end=recovered))
        disruptions += [ProviderAbsence(provider=who, start=booking.start, end=booking.end) for who in item.commitments]
        if booking.room is not None:
            disruptions.append(
                PlaceClosure(place=booking.room, start=booking.start, end=booking.end + timedelta(minutes=service.turnover))
            )
    base = rest.changed(
        groups=tuple(group for group in rest.groups if group.id not in aside),
        reserves=tuple(reserve for reserve in rest.reserves if reserve.id not in aside),
        visits=tuple(_tie(visit, cut, plan, loose) if visit.id in linked else visit for visit in rest.visits),
        patients=tuple(
            patient.changed(unavailable=(*patient.unavailable, *taken.get(patient.id, ()))) if patient.id in taken else patient
            for patient in scenario.patients
        ),
    )
    upset = _keep_shift_locations(apply_disruptions(base, disruptions), plan, aside)
    visits = tuple(booking for booking in plan.visits if booking.visit not in aside)
    groups = tuple(session for session in plan.groups if session.group not in aside)
    holds = tuple(hold for hold in plan.holds if hold.reserve not in aside)
    shifts = find_shift_locations(upset, (*visits, *groups, *holds))
    return upset, rebase(plan.changed(visits=visits, groups=groups, holds=holds, shifts=shifts), upset)
