"""A period as people live by it at a moment: what is decided on, without the store."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

from sqlmodel import Session

from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.refusals import list_broken_rules
from api.services.weeks.conflicts import end_tasks_of_moved
from api.services.weeks.setting_aside import (
    EXCUSED,
    find_shift_locations,
    hold,
    list_broken_alone,
    list_held,
    set_aside,
)
from api.store.epoch import Version
from api.store.queries import bookings, offers, periods, plans, requests
from api.store.queries.bookings import VisitStatus
from api.store.queries.placings import booking_fields
from api.store.tables import BookingRow, OfferRow
from api.store.versioned_cache import carry, get_cached
from scheduling.costs import calculate_costs
from scheduling.plan import Booking, Costs, HoldBooking, Plan, Violation, VisitBooking
from scheduling.publishing import rebase, upcoming
from scheduling.requests import Visit
from scheduling.rules import find_violations
from scheduling.rules.stability import is_begun
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import FreePlaceFinder

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
    plan : Plan
        What stands, offered places included.
    statuses : mapping of str to VisitStatus
        How the visits stand that have a place.
    resized : mapping of str to Visit
        The visits to come that stand with another length than they ask for, as they ask for it; :attr:`scenario` has them as
        they stand.
    """

    version: Version | None
    scenario: Scenario
    plan: Plan
    statuses: Mapping[str, VisitStatus]
    resized: Mapping[str, Visit] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        version: Version | None,
        scenario: Scenario,
        plan: Plan,
        statuses: Mapping[str, VisitStatus],
        resized: Mapping[str, Visit] | None = None,
    ) -> Self:
        """Return a week in which whatever is not merely booked is pinned where it stands."""
        fixed = {visit for visit, status in statuses.items() if status.state != "booked"}
        visits = tuple(
            hold(visit, plan.visits_by_id.get(visit.id)) if visit.id in fixed else visit for visit in scenario.visits
        )
        return cls(version, scenario.changed(visits=visits), plan, statuses, resized or {})

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
        """Return the week as it is when some visits may have any place: those that were missed, or ask for another length."""
        missed = visits & self.missed
        again = missed | (visits & self.resized.keys())
        if not again:
            return self
        anew = {**{name: self.scenario.visit(name).changed(current=None, pinned=None) for name in missed}, **self.resized}
        asked = tuple(anew[visit.id] if visit.id in again else visit for visit in self.scenario.visits)
        scenario = self.scenario.changed(visits=asked)
        kept = tuple(booking for booking in self.plan.visits if booking.visit not in again)
        shifts = find_shift_locations(scenario, (*self.plan.groups, *self.plan.holds, *kept))
        statuses = {visit: status for visit, status in self.statuses.items() if visit not in missed}
        resized = {name: visit for name, visit in self.resized.items() if name not in again}
        plan = rebase(self.plan.changed(visits=kept, shifts=shifts), scenario)
        return type(self)(self.version, scenario, plan, statuses, resized)

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
        if self.resized:
            return self.reopen(self.resized.keys()).to_plan()
        plan, placed = self.upcoming, self.upcoming.visits_by_id
        fixed = {visit for visit, status in self.statuses.items() if status.state != "booked"} | self.begun
        pinned = tuple(hold(visit, placed.get(visit.id)) if visit.id in fixed else visit for visit in self.scenario.visits)
        held = self.scenario.changed(visits=pinned)
        fixed |= list_held(held, plan)
        aside = set(self.overridden & placed.keys())
        loose = {name for _, ids in self.broken for name in ids} - fixed
        waiting = held.visits_by_id.keys() - placed.keys() | loose
        while True:
            left, rest = set_aside(held, plan, aside, loose)
            more = list_broken_alone(left, rest, fixed - aside, waiting)
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
            left, settled = set_aside(self.scenario, plan, aside)
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
        statuses = bookings.get_visit_statuses(session, period_id)
        odd = statuses.keys() & (scenario.visits_by_id.keys() - plan.visits_by_id.keys())
        fitted, whole = _fit_lengths(session, scenario, plan, odd, version.number)
        resized = {
            visit: scenario.visits_by_id[visit]
            for visit in odd & whole.visits_by_id.keys()
            if statuses[visit].state in bookings.OPEN and not is_begun(scenario, scenario.visits_by_id[visit].current)
        }
        return WeekSnapshot.of(version, fitted, whole, statuses, resized)

    return get_cached(session, ("week", period_id), (version.number, minute), load)


def _fit_lengths(
    session: Session, scenario: Scenario, plan: Plan, odd: AbstractSet[str], version: int
) -> tuple[Scenario, Plan]:
    """Return a week in which visits that stand with another length than they ask for have that in which they stand."""
    if not odd:
        return scenario, plan
    placed = bookings.placed(session, scenario.id, version)
    stands = {
        visit: VisitBooking(visit=visit, **booking_fields(placed["visit", visit, ""], scenario.grid)) for visit in sorted(odd)
    }
    fitted = scenario.changed(
        visits=tuple(
            visit.changed(minutes=int((booking.end - booking.start).total_seconds()) // 60)
            if (booking := stands.get(visit.id)) is not None
            else visit
            for visit in scenario.visits
        )
    )
    waiting = tuple(left for left in plan.unscheduled if left.visit not in odd)
    return fitted, rebase(plan.changed(visits=(*plan.visits, *stands.values()), unscheduled=waiting), fitted)


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
        end_tasks_of_moved(session, [bookings.cancel(session, booking.id, now) for booking in freed], now)
        for booking in freed:
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
