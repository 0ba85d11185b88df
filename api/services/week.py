"""A period as people live by it, and how a change of it is decided without holding up the store.

Deciding takes a fraction of a second, and nobody may write meanwhile if it were done in a transaction. So the week is read, the
change is decided, and it is done only if nothing of the week has changed since; else all of it once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session

from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.store import bookings, offers, periods, plans
from api.store.bookings import BookingChange
from api.store.errors import DoubleBooked, StaleVersion
from api.store.placings import Placing, Subject, booking_fields, placings
from scheduling.disruptions import Disruption, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.errors import ClinicweaveError
from scheduling.fields import Interval
from scheduling.plan import Booking, Plan, ShiftPlace, VisitBooking
from scheduling.publishing import rebase, upcoming
from scheduling.requests import Pin, Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario

T = TypeVar("T")
R = TypeVar("R")

TRIES = 6
"""How often a change is decided anew before its caller is told to come back."""

EXCUSED = "pinned"
"""The rule that what stands may break: a visit that was moved by hand away from its pin."""

_DECIDING = Lock()
"""Deciding is work of this process: two at once would take as long, and the second would have to be done again."""


@dataclass(frozen=True)
class WeekSnapshot:
    """A period at a moment.

    Attributes
    ----------
    version : int
        The period's, to which whatever is decided belongs.
    scenario : Scenario
        What is asked for, with ``now``. What nobody may move is pinned where it stands: offered places, and what has begun.
    plan : Plan
        What stands, offered places included.
    overridden : frozenset of str
        Visits that stand where a rule was overridden.
    """

    version: int
    scenario: Scenario
    plan: Plan
    overridden: frozenset[str]

    def to_plan(self) -> tuple[Scenario, Plan]:
        """Return the week as it is planned again: where a rule was overridden it stays so, whatever else moves."""
        return _without(self.scenario, upcoming(self.scenario, self.plan), self.overridden & self.plan.visits_by_id.keys())

    @cached_property
    def settled(self) -> tuple[Scenario, Plan]:
        """The week as the solver goes on from it: what stands against a rule is set aside, its people, room and patient taken.

        Raises
        ------
        Conflict
            When what is left breaks rules still.
        """
        plan = upcoming(self.scenario, self.plan)
        aside = {visit for visit in self.overridden if visit in plan.visits_by_id}
        while True:
            left, settled = _without(self.scenario, plan, aside)
            broken = [one for one in find_violations(left, settled) if one.rule != EXCUSED]
            found = {name for one in broken for name in one.ids if name in plan.visits_by_id} - aside
            if not found:
                break
            aside |= found
        if broken:
            raise Conflict(f"what stands breaks {', '.join(sorted({one.rule for one in broken}))}: plan again first")
        return left, settled


def load_week(session: Session, period_id: str, now: datetime) -> WeekSnapshot:
    """Return a period as people live by it at an instant; offers that have run out are to be released before."""
    version = periods.period(session, period_id).version
    scenario = periods.scenario_of(session, period_id, now)
    plan = plans.standing_plan(session, scenario)
    held = bookings.held_visits(session, period_id)
    fixed = {row.subject_id for row in held if row.state != "booked"}
    pinned = tuple(_pinned(one, plan.visits_by_id.get(one.id)) if one.id in fixed else one for one in scenario.visits)
    overridden = frozenset(row.subject_id for row in held if row.override_reason is not None)
    return WeekSnapshot(version, scenario.changed(visits=pinned), plan, overridden)


def get_current_week(context: AppContext, period_id: str, now: datetime) -> WeekSnapshot:
    """Return a period as people live by it at an instant."""
    release_expired_offers(context, now)
    with context.database.reading() as session:
        return load_week(session, period_id, now)


def decided(
    context: AppContext,
    period_id: str,
    decide: Callable[[WeekSnapshot], Callable[[Session], T]],
    run: Callable[[Callable[[Session], T]], R],
) -> R:
    """Decide on the week as it stands, and do it if the week is still so.

    Parameters
    ----------
    decide
        Returns what does it, in a transaction that touches the period. An error of it is raised inside the transaction, where
        a request that was answered before is known.
    run
        Runs a transaction.

    Raises
    ------
    Conflict
        When others were faster every time.
    """
    for _ in range(TRIES):
        with _DECIDING:
            week = get_current_week(context, period_id, context.clock())
            try:
                act = decide(week)
            except ClinicweaveError as error:
                act = _raising(error)
            try:
                return run(act)
            except (StaleVersion, DoubleBooked) as lost:
                if isinstance(lost, StaleVersion) and lost.kind != "period":
                    raise
                failure = lost
    if isinstance(failure, DoubleBooked):
        raise failure
    raise Conflict("the week keeps changing; try again")


def release_expired_offers(context: AppContext, now: datetime) -> None:
    """Free the places whose offers have run out."""
    with context.database.reading() as session:
        if not offers.due(session, now):
            return
    with context.database.writing() as session:
        for offer in offers.due(session, now):
            offers.end_offer(session, offer, "expired")
            row = bookings.booking_of(session, ("visit", offer.visit_id, ""))
            if row is not None and row.state == "offered":
                bookings.cancel(session, row.id, now)
                refresh_shift_locations(session, periods.scenario_of(session, row.period_id, now))
                periods.touch(session, row.period_id)


def apply_plan_diff(
    session: Session, week: WeekSnapshot, scenario: Scenario, before: Plan, after: Plan, now: datetime
) -> list[BookingChange]:
    """Make what stands differ as two plans do, if the week is as it was; nothing else is touched.

    Parameters
    ----------
    scenario
        What both plans answer, perhaps with more visits than the week has; these are in the store already.
    """
    periods.touch(session, week.scenario.id, week.version)
    stood, stands = _by_subject(scenario, before), _by_subject(scenario, after)
    changes = _begun_holds_released(session, week, before, now)
    for subject in sorted(stood.keys() - stands.keys()):
        row = bookings.booking_of(session, subject)
        if row is not None:
            changes.append(bookings.cancel(session, row.id, now))
    moving = [placing for subject, placing in stands.items() if stood.get(subject) != placing]
    changes += bookings.place_all(session, week.scenario.id, moving, now)
    stood_by_id = _items(scenario, before)
    kept = upcoming(week.scenario, week.plan)
    untouched = [one for key, one in _items(week.scenario, kept).items() if key not in stood_by_id]
    store_shift_locations(session, week, (*untouched, *_items(scenario, after).values()))
    return changes


def _begun_holds_released(session: Session, week: WeekSnapshot, before: Plan, now: datetime) -> list[BookingChange]:
    """Release the holds that have begun and that a change was decided without: their time is free for what it brings."""
    known = {hold.reserve for hold in (*before.holds, *upcoming(week.scenario, week.plan).holds)}
    begun = [hold.reserve for hold in week.plan.holds if hold.reserve not in known]
    rows = (bookings.booking_of(session, ("hold", reserve, "")) for reserve in begun)
    return [bookings.cancel(session, row.id, now) for row in rows if row is not None]


def store_shift_locations(session: Session, week: WeekSnapshot, booked: Iterable[Booking]) -> None:
    """Keep the locations of shifts as bookings, all that stand from now on, use them."""
    chosen = find_shift_locations(week.scenario, booked)
    if set(chosen) != set(week.plan.shifts):
        plans.choose_places(session, week.scenario, chosen)


def refresh_shift_locations(session: Session, scenario: Scenario) -> None:
    """Keep the locations of a period's shifts as what stands has them."""
    grid = scenario.grid
    stands = [one.placing for one in bookings.standing(session, scenario.id).values()]
    booked = (Booking(**booking_fields(one, grid)) for one in stands)
    plans.choose_places(session, scenario, find_shift_locations(scenario, booked))


def find_shift_locations(scenario: Scenario, booked: Iterable[Booking]) -> tuple[ShiftPlace, ...]:
    """Return the location of each shift that bookings use: that of the first that uses it."""
    chosen: dict[tuple[str, datetime], str] = {}
    for one in booked:
        for member in (*one.team, *one.supervisors):
            for shift in scenario.providers_by_id[member].shifts:
                if shift.start <= one.start and one.end <= shift.end:
                    chosen.setdefault((member, shift.start), one.location)
    return tuple(ShiftPlace(provider=who, start=start, location=where) for (who, start), where in sorted(chosen.items()))


def with_booking(scenario: Scenario, plan: Plan, visit: str, booking: VisitBooking | None) -> Plan:
    """Return a plan with a visit at another place, or at none; of two that want one shift elsewhere, the others keep it."""
    others = tuple(one for one in plan.visits if one.visit != visit)
    visits = others if booking is None else (*others, booking)
    changed = plan.changed(
        visits=visits,
        shifts=find_shift_locations(scenario, (*plan.groups, *plan.holds, *visits)),
        unscheduled=tuple(left for left in plan.unscheduled if left.visit != visit),
    )
    return rebase(changed, scenario)


def pin_of(booking: VisitBooking) -> Pin:
    """Return the pin that holds a visit where it stands."""
    return Pin(start=booking.start, location=booking.location, room=booking.room, team=booking.team)


def _raising(error: ClinicweaveError) -> Callable[[Session], Any]:
    def act(session: Session) -> Any:
        raise error

    return act


def _by_subject(scenario: Scenario, plan: Plan) -> dict[Subject, Placing]:
    return {placing.subject: placing for placing in placings(scenario, plan)}


def _items(scenario: Scenario, plan: Plan) -> dict[tuple[str, str], Booking]:
    return {(item.kind, item.id): item.booking for item in plan.items(scenario)}


def _pinned(visit: Visit, booking: VisitBooking | None) -> Visit:
    return visit if booking is None else visit.changed(pinned=pin_of(booking))


def _without(scenario: Scenario, plan: Plan, aside: AbstractSet[str]) -> tuple[Scenario, Plan]:
    """Take visits out of a week and leave gaps in their place: nothing else gets their people, rooms and patients.

    What is linked with them stays where it is, since the links go with them.
    """
    if not aside:
        return scenario, plan
    gone = [plan.visits_by_id[visit] for visit in sorted(aside)]
    cut = [link for link in scenario.links if not aside.isdisjoint((link.before, link.after))]
    linked = {end for link in cut for end in (link.before, link.after)}
    rest = scenario.asking_for(scenario.visits_by_id.keys() - aside)
    taken: dict[str, list[Interval]] = {}
    disruptions: list[Disruption] = []
    for one in gone:
        visit = scenario.visits_by_id[one.visit]
        service = scenario.services[visit.service]
        recovered = one.end + timedelta(minutes=service.recovery)
        taken.setdefault(visit.patient, []).append(Interval(start=one.start, end=recovered))
        disruptions += [ProviderAbsence(provider=who, start=one.start, end=one.end) for who in (*one.team, *one.supervisors)]
        if one.room is not None:
            disruptions.append(PlaceClosure(place=one.room, start=one.start, end=one.end + timedelta(minutes=service.turnover)))
    base = rest.changed(
        visits=tuple(_pinned(one, plan.visits_by_id.get(one.id)) if one.id in linked else one for one in rest.visits),
        patients=tuple(
            one.changed(unavailable=(*one.unavailable, *taken.get(one.id, ()))) if one.id in taken else one
            for one in scenario.patients
        ),
    )
    upset = apply_disruptions(base, disruptions)
    fillers = tuple(_filler(upset, one) for one in upset.visits if one.id not in base.visits_by_id)
    visits = (*fillers, *(one for one in plan.visits if one.visit not in aside))
    shifts = find_shift_locations(upset, (*visits, *plan.groups, *plan.holds))
    return upset, rebase(plan.changed(visits=visits, shifts=shifts), upset)


def _filler(scenario: Scenario, visit: Visit) -> VisitBooking:
    """Return the booking of a visit that stands for a closed room."""
    pin = visit.pinned
    assert pin is not None
    return VisitBooking(
        visit=visit.id,
        start=pin.start,
        end=pin.start + timedelta(minutes=scenario.services[visit.service].minutes),
        location=pin.location,
        room=pin.room,
        team=(),
        supervisors=(),
    )
