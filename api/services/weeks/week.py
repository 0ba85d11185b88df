"""A period as people live by it at a moment: what is decided on, without the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self

from sqlmodel import Session

from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.refusals import list_broken_rules
from api.store.epoch import Version
from api.store.queries import bookings, offers, periods, plans, requests
from api.store.queries.bookings import VisitStatus
from api.store.queries.placings import booking_fields
from api.store.tables import BookingRow, OfferRow
from api.store.versioned_cache import carry, get_cached
from scheduling.costs import calculate_costs
from scheduling.disruptions import Disruption, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.fields import ONE_DAY, Interval
from scheduling.plan import Booking, Costs, HoldBooking, Plan, ShiftPlace, Violation, VisitBooking
from scheduling.publishing import rebase, upcoming
from scheduling.requests import Link, Pin, Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import FreePlaceFinder

EXCUSED = "pinned"
"""The rule that what stands may break: a visit that was moved by hand away from its pin."""

ANYWHERE = {"group-size"}
"""The rules that a place has no part in: another one breaks them as the one before did."""


@dataclass(frozen=True)
class WeekSnapshot:
    """A period at a moment.

    Attributes
    ----------
    version : Version or None
        The period's, to which whatever is decided belongs; None: the week is as decisions leave it that are not applied yet.
    scenario : Scenario
        What is asked for, with ``now``. What nobody may move is pinned where it stands: offered places, and what has begun.
    get_plan : Plan
        What stands, offered places included.
    statuses : mapping of str to VisitStatus
        How the visits stand that have a place.
    """

    version: Version | None
    scenario: Scenario
    plan: Plan
    statuses: Mapping[str, VisitStatus]

    @classmethod
    def of(cls, version: Version | None, scenario: Scenario, plan: Plan, statuses: Mapping[str, VisitStatus]) -> Self:
        """Return a week in which whatever is not merely booked is pinned where it stands."""
        fixed = {visit for visit, status in statuses.items() if status.state != "booked"}
        visits = tuple(
            _pinned(visit, plan.visits_by_id.get(visit.id)) if visit.id in fixed else visit for visit in scenario.visits
        )
        return cls(version, scenario.changed(visits=visits), plan, statuses)

    @cached_property
    def overridden(self) -> frozenset[str]:
        """The visits that stand where a rule was overridden."""
        return frozenset(visit for visit, status in self.statuses.items() if status.is_override)

    @cached_property
    def upcoming(self) -> Plan:
        """What stands, without the holds that have begun: what they held is past, and in nobody's way."""
        return upcoming(self.scenario, self.plan)

    @property
    def upcoming_holds(self) -> tuple[HoldBooking, ...]:
        """The holds that have not begun."""
        now = self.scenario.now
        return tuple(hold for hold in self.plan.holds if now is None or hold.start >= now)

    @cached_property
    def costs(self) -> Costs:
        """What :attr:`upcoming` costs."""
        return calculate_costs(self.scenario, self.upcoming)

    @property
    def missed(self) -> frozenset[str]:
        """The visits to which nobody came."""
        return frozenset(visit for visit, status in self.statuses.items() if status.state == "no-show")

    def reopen(self, visits: AbstractSet[str]) -> Self:
        """Return the week as it is when some visits that were missed wait again: they may have any place."""
        again = visits & self.missed
        if not again:
            return self
        asked = tuple(
            visit.changed(current=None, pinned=None) if visit.id in again else visit for visit in self.scenario.visits
        )
        scenario = self.scenario.changed(visits=asked)
        kept = tuple(booking for booking in self.plan.visits if booking.visit not in again)
        shifts = find_shift_locations(scenario, (*self.plan.groups, *self.plan.holds, *kept))
        statuses = {visit: status for visit, status in self.statuses.items() if visit not in again}
        return type(self)(self.version, scenario, rebase(self.plan.changed(visits=kept, shifts=shifts), scenario), statuses)

    @cached_property
    def broken(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """The rules that what stands breaks, with what breaks them."""
        return frozenset((violation.rule, violation.ids) for violation in find_violations(self.scenario, self.upcoming))

    def find_newly_broken(self, asked: Scenario, after: Plan, placed: AbstractSet[str]) -> tuple[Violation, ...]:
        """Return what a plan breaks that what stands does not; of what gets a place by it, all that it breaks there."""
        return tuple(
            violation
            for violation in find_violations(asked, after)
            if (violation.rule, violation.ids) not in self.broken
            or (violation.rule not in ANYWHERE and not placed.isdisjoint(violation.ids))
        )

    @cached_property
    def place_finder(self) -> FreePlaceFinder:
        """Finds all places of a visit beside what stands. Raises ``Conflict`` as :attr:`settled` does."""
        from solver import FreePlaceFinder

        return FreePlaceFinder(*self.settled)

    @cached_property
    def begun(self) -> frozenset[str]:
        """The visits and sessions that have begun, or are over."""
        now = self.scenario.now
        if now is None:
            return frozenset()
        visits = (booking.visit for booking in self.plan.visits if booking.start < now)
        sessions = (session.group for session in self.plan.groups if session.start < now)
        return frozenset((*visits, *sessions))

    def to_plan(self) -> tuple[Scenario, Plan]:
        """Return the week as it is planned again: what has begun, is held or was overridden stays, whatever else moves.

        A visit that has begun is pinned where it stands. What was overridden, and what has begun or is held and breaks a rule
        by what became known later, is set aside, its people, room and patients taken. So is what goes with a visit that waits
        or has to move, which may find no place.
        """
        plan, placed = self.upcoming, self.upcoming.visits_by_id
        fixed = {visit for visit, status in self.statuses.items() if status.state != "booked"} | self.begun
        pinned = tuple(_pinned(visit, placed.get(visit.id)) if visit.id in fixed else visit for visit in self.scenario.visits)
        held = self.scenario.changed(visits=pinned)
        fixed |= list_held(held, plan)
        aside = set(self.overridden & placed.keys())
        loose = {name for _, ids in self.broken for name in ids} - fixed
        waiting = held.visits_by_id.keys() - placed.keys() | loose
        while True:
            left, rest = _without(held, plan, aside, loose)
            more = _list_broken_alone(left, rest, fixed - aside, waiting)
            if not more:
                return left, rest
            aside |= more

    @cached_property
    def settled(self) -> tuple[Scenario, Plan]:
        """The week as the solver goes on from it: what stands against a rule is set aside, its people, room and patients taken.

        Raises
        ------
        Conflict
            When what is left breaks rules still, with each.
        """
        plan = self.upcoming
        items = {*plan.visits_by_id, *plan.groups_by_id, *(hold.reserve for hold in plan.holds)}
        aside = {visit for visit in self.overridden if visit in plan.visits_by_id}
        while True:
            left, settled = _without(self.scenario, plan, aside)
            broken = [violation for violation in find_violations(left, settled) if violation.rule != EXCUSED]
            more = {name for violation in broken for name in violation.ids if name in items} - aside
            if not more:
                break
            aside |= more
        if broken:
            rules = sorted({violation.rule for violation in broken})
            details = list_broken_rules(left, settled, broken)
            raise Conflict(f"what stands breaks {', '.join(rules)}: plan again first", details)
        return left, settled

    @property
    def is_settled(self) -> bool:
        """Whether nothing that stands had to be set aside. Raises ``Conflict`` as :attr:`settled` does."""
        return self.settled[0] is self.scenario

    @cached_property
    def standing_violations(self) -> tuple[Violation, ...]:
        """What stands against a rule without anybody having wanted it so: the desk has to look at it."""
        broken = find_violations(self.scenario, self.upcoming)
        return tuple(
            violation for violation in broken if violation.rule != EXCUSED and self.overridden.isdisjoint(violation.ids)
        )


def load_week(session: Session, period_id: str, now: datetime) -> WeekSnapshot:
    """Return a period as people live by it at an instant; what has run out is to be released before.

    All that is derived of it is kept as long as its version and the minute are the same.
    """
    version, minute = periods.get_version(session, period_id), now.replace(second=0, microsecond=0)

    def load() -> WeekSnapshot:
        scenario = periods.load_scenario(session, period_id, now)
        plan = plans.load_standing_plan(session, scenario)
        return WeekSnapshot.of(version, scenario, plan, bookings.get_visit_statuses(session, period_id))

    return get_cached(session, ("week", period_id), (version.number, minute), load)


def carry_week(session: Session, week: WeekSnapshot, now: datetime) -> None:
    """Have a change keep the week as it leaves it, for whoever decides next: who has changed it knows it already."""
    assert week.version is not None
    carry(session, ("week", week.scenario.id), (week.version.number, now.replace(second=0, microsecond=0)), week)


def get_current_week(context: AppContext, period_id: str, now: datetime) -> WeekSnapshot:
    """Return a period as people live by it at an instant."""
    release_expired(context, now)
    with context.database.reading() as session:
        return load_week(session, period_id, now)


def release_expired(context: AppContext, now: datetime) -> None:
    """Free the places whose offers have run out, and what is held for referrals of the day that nobody expects any more."""
    with context.database.reading() as session:
        if not offers.list_due(session, now) and not requests.list_due_reserves(session, now):
            return
    with context.database.writing() as session:
        freed = [booking for offer in offers.list_due(session, now) if (booking := _end_offer(session, offer)) is not None]
        for reserve in requests.list_due_reserves(session, now):
            hold = bookings.find_booking(session, ("hold", reserve.id, ""))
            freed += [] if hold is None or hold.state == "cancelled" else [hold]
            requests.remove_reserve(session, reserve)
            periods.touch(session, reserve.period_id)
        for booking in freed:
            bookings.cancel(session, booking.id, now)
            periods.touch(session, booking.period_id)
        for period in sorted({booking.period_id for booking in freed}):
            refresh_shift_locations(session, periods.load_scenario(session, period, now))


def _end_offer(session: Session, offer: OfferRow) -> BookingRow | None:
    """Let an offer run out; return the booking that it kept."""
    offers.end_offer(session, offer, "expired")
    withdraw_if_asked_by(session, offer)
    row = bookings.find_booking(session, ("visit", offer.visit_id, ""))
    return row if row is not None and row.state == "offered" else None


def withdraw_if_asked_by(session: Session, offer: OfferRow) -> None:
    """Ask for a visit no more that only an offer has asked for, which has ended without being accepted."""
    if offer.asks:
        requests.withdraw_visit(session, offer.visit_id)


def refresh_shift_locations(session: Session, scenario: Scenario) -> None:
    """Keep the locations of a period's shifts as what stands has them."""
    grid = scenario.grid
    stands = [booking.placing for booking in bookings.list_standing(session, scenario.id).values()]
    booked = (Booking(**booking_fields(placing, grid)) for placing in stands)
    plans.choose_places(session, scenario, find_shift_locations(scenario, booked))


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


def with_booking(scenario: Scenario, plan: Plan, visit: str, booking: VisitBooking | None) -> Plan:
    """Return a plan with a visit at another place, or at none; of two that want one shift elsewhere, the others keep it."""
    others = tuple(booking for booking in plan.visits if booking.visit != visit)
    visits = others if booking is None else (*others, booking)
    changed = plan.changed(
        visits=visits,
        shifts=find_shift_locations(scenario, (*plan.groups, *plan.holds, *visits)),
        unscheduled=tuple(left for left in plan.unscheduled if left.visit != visit),
    )
    return rebase(changed, scenario)


def list_held(scenario: Scenario, plan: Plan) -> set[str]:
    """Return the visits that stand where they are pinned."""
    return {booking.visit for booking in plan.visits if scenario.visits_by_id[booking.visit].pinned == pin_of(booking)}


def pin_of(booking: VisitBooking) -> Pin:
    """Return the pin that holds a visit where it stands."""
    return Pin(start=booking.start, location=booking.location, room=booking.room, team=booking.team)


def _pinned(visit: Visit, booking: VisitBooking | None) -> Visit:
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


def _list_broken_alone(scenario: Scenario, plan: Plan, fixed: AbstractSet[str], waiting: AbstractSet[str]) -> set[str]:
    """Return the fixed visits and sessions that break a rule whatever becomes of others, or if what waits finds no place."""
    visits = tuple(booking for booking in plan.visits if booking.visit in fixed)
    groups = tuple(session for session in plan.groups if session.group in fixed)
    alone = plan.changed(visits=visits, groups=groups, holds=(), shifts=find_shift_locations(scenario, (*visits, *groups)))
    broken = find_violations(scenario, rebase(alone, scenario))
    items = scenario.visits_by_id.keys() | scenario.groups_by_id.keys()
    named = [items & set(violation.ids) - waiting for violation in broken if violation.rule != EXCUSED]
    return {item for together in named if together <= fixed for item in together}


def _without(
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
