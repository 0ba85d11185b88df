"""Decisions are values: all that a change of a week comes to, before anything of it is done.

A decision is made on a week as it stood at a moment, without the store: it can be judged, shown and tested as it is. Whatever
applies it first expects the week to be as it was, since deciding takes a fraction of a second in which nobody has to wait.
Several can be made one after the other, each on the week that the one before leaves, and applied together
(:mod:`api.services.proposals.holding`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any, TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.context import AppContext
from api.runtime.exceptions import Conflict
from api.services.weeks.setting_aside import find_shift_locations
from api.services.weeks.week import WeekSnapshot, get_current_week
from api.store.errors import DoubleBooked, StaleVersion
from api.store.queries import bookings, periods, plans
from api.store.queries.bookings import BookingChange, VisitStatus
from api.store.queries.placings import Placing, Subject, placings
from scheduling.comparison import Comparison, compare
from scheduling.errors import ClinicweaveError
from scheduling.plan import Booking, Costs, GroupBooking, HoldBooking, Plan, VisitBooking
from scheduling.publishing import publish, rebase
from scheduling.scenario import Scenario

D = TypeVar("D", bound="Decision")
T = TypeVar("T")
R = TypeVar("R")
B = TypeVar("B", VisitBooking, GroupBooking, HoldBooking)

TRIES = 6
"""How often a change is decided anew before its caller is told to come back."""

_DECIDING = Lock()
"""Deciding is work of this process: two at once would take as long, and the second would have to be done again."""


@dataclass(frozen=True)
class PlanDiff:
    """What becomes different about what stands: only what two plans have differently is touched.

    Attributes
    ----------
    asked_before, asked : Scenario
        What ``before`` and ``after`` answer; the second may ask for more.
    costs : tuple of Costs or None
        What the two cost, where that is known already.
    """

    asked_before: Scenario
    before: Plan
    asked: Scenario
    after: Plan
    costs: tuple[Costs, Costs] | None = None

    @cached_property
    def comparison(self) -> Comparison:
        """What changes for whom, and what it costs."""
        return compare(self.asked_before, self.before, self.after, self.asked, self.costs)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What somebody decided to change in a week.

    Attributes
    ----------
    now : datetime
        The instant at which it counts as done.
    week : WeekSnapshot
        What it was decided on.
    asked : Scenario
        What the week asks for afterwards.
    diff : PlanDiff
        What stands elsewhere afterwards, or no more.
    """

    by: Actor
    now: datetime
    week: WeekSnapshot
    asked: Scenario
    diff: PlanDiff

    @property
    def statuses(self) -> Mapping[str, VisitStatus]:
        """How the visits stand that get a place by the decision, where they are not merely booked."""
        return {}

    @cached_property
    def next_week(self) -> WeekSnapshot:
        """The week as the decision leaves it, for whoever decides more before anything is applied."""
        plan = self._next_plan()
        before, after = self.week.upcoming.visits_by_id, plan.visits_by_id
        kept = {visit: status for visit, status in self.week.statuses.items() if before.get(visit) == after.get(visit)}
        # The store gives each booking that changes the version after its last.
        moved = {visit: VisitStatus(self._next_version(visit), "booked") for visit in after.keys() - kept.keys()}
        return WeekSnapshot.of(None, publish(self.asked, plan), plan, {**moved, **kept, **self.statuses})

    def _next_version(self, visit: str) -> int:
        status = self.week.statuses.get(visit)
        return 1 if status is None else status.version + 1

    def _next_plan(self) -> Plan:
        stands, before, after = self.week.upcoming, self.diff.before, self.diff.after
        visits = _merge(stands.visits, before.visits, after.visits, lambda booking: booking.visit)
        groups = _merge(stands.groups, before.groups, after.groups, lambda booking: booking.group)
        holds = _merge(stands.holds, before.holds, after.holds, lambda booking: booking.reserve)
        placed = {booking.visit for booking in visits}
        changed = stands.changed(
            visits=visits,
            groups=groups,
            holds=holds,
            shifts=find_shift_locations(self.asked, (*groups, *holds, *visits)),
            unscheduled=tuple(left for left in stands.unscheduled if left.visit not in placed),
        )
        return rebase(changed, self.asked)


def with_retries(
    context: AppContext,
    period_id: str,
    decide: Callable[[WeekSnapshot], D],
    apply: Callable[[Session, D], T],
    transact: Callable[[Callable[[Session], T]], R],
) -> R:
    """Decide on a week as it stands, and apply that if the week is still so; else all of it once more.

    Parameters
    ----------
    decide
        Makes the decision, outside of any transaction. An error of it is raised inside, where a request that was answered
        before is known.
    apply
        Applies the decision, in a transaction.
    transact
        Runs a transaction.

    Raises
    ------
    DoubleBooked, Conflict
        As :func:`retry`.
    """
    return retry(lambda: transact(_prepare(get_current_week(context, period_id, context.clock()), decide, apply)))


def retry(attempt: Callable[[], R]) -> R:
    """Decide and apply; all of it once more while others are faster. Only one attempt at a time is made.

    Raises
    ------
    DoubleBooked
        When somebody or something was taken by others, the last time too.
    Conflict
        When the week had changed every time.
    """
    for _ in range(TRIES):
        with _DECIDING:
            try:
                return attempt()
            except (StaleVersion, DoubleBooked) as lost:
                if isinstance(lost, StaleVersion) and lost.kind != "period":
                    raise
                failure = lost
    if isinstance(failure, DoubleBooked):
        raise failure
    raise Conflict("the week keeps changing; try again")


def _prepare(
    week: WeekSnapshot, decide: Callable[[WeekSnapshot], D], apply: Callable[[Session, D], T]
) -> Callable[[Session], T]:
    """Return what applies a decision, or raises the error that deciding ended in."""
    try:
        decision = decide(week)
    except ClinicweaveError as error:
        return _raiser(error)
    return lambda session: apply(session, decision)


def _raiser(error: ClinicweaveError) -> Callable[[Session], Any]:
    def refuse(session: Session) -> Any:
        raise error

    return refuse


def apply_plan_diff(session: Session, decision: Decision) -> list[BookingChange]:
    """Make what stands differ as the two plans of a decision do; nothing else is touched.

    Raises
    ------
    StaleVersion
        When the week has changed since it was decided on.
    DoubleBooked
        When something is taken that was free.
    """
    week, diff, now = decision.week, decision.diff, decision.now
    periods.touch(session, week.scenario.id, week.version)
    stood_by_id, stands_by_id = _bookings(diff.before), _bookings(diff.after)
    stood, stands = _differing(diff.asked, diff.before, stands_by_id), _differing(diff.asked, diff.after, stood_by_id)
    changes = _release_begun_holds(session, week, diff.before, now)
    for subject in sorted(stood.keys() - stands.keys()):
        row = bookings.find_booking(session, subject)
        if row is not None:
            changes.append(bookings.cancel(session, row.id, now))
    moving = [placing for subject, placing in stands.items() if stood.get(subject) != placing]
    changes += bookings.place_all(session, week.scenario.id, moving, now)
    upcoming = _bookings(week.plan.changed(holds=week.upcoming_holds))
    untouched = [booking for key, booking in upcoming.items() if key not in stood_by_id]
    store_shift_locations(session, week, (*untouched, *stands_by_id.values()))
    return changes


def _release_begun_holds(session: Session, week: WeekSnapshot, before: Plan, now: datetime) -> list[BookingChange]:
    """Release the holds that have begun and that a change was decided without: their time is free for what it brings."""
    known = {hold.reserve for hold in (*before.holds, *week.upcoming_holds)}
    begun = [hold.reserve for hold in week.plan.holds if hold.reserve not in known]
    rows = (bookings.find_booking(session, ("hold", reserve, "")) for reserve in begun)
    return [bookings.cancel(session, row.id, now) for row in rows if row is not None]


def store_shift_locations(session: Session, week: WeekSnapshot, booked: Iterable[Booking]) -> None:
    """Keep the locations of shifts as bookings, all that stand from now on, use them."""
    chosen = find_shift_locations(week.scenario, booked)
    if set(chosen) != set(week.plan.shifts):
        plans.choose_places(session, week.scenario, chosen)


def _differing(scenario: Scenario, plan: Plan, others: Mapping[tuple[str, str], Booking]) -> dict[Subject, Placing]:
    """Return the placings of what a plan has otherwise than others have it; what is alike is placed alike."""
    differing = plan.changed(
        visits=tuple(booking for booking in plan.visits if others.get(("visit", booking.visit)) != booking),
        groups=tuple(booking for booking in plan.groups if others.get(("group", booking.group)) != booking),
        holds=tuple(booking for booking in plan.holds if others.get(("hold", booking.reserve)) != booking),
    )
    return {placing.subject: placing for placing in placings(scenario, differing)}


def _bookings(plan: Plan) -> dict[tuple[str, str], Booking]:
    visits: dict[tuple[str, str], Booking] = {("visit", booking.visit): booking for booking in plan.visits}
    groups: dict[tuple[str, str], Booking] = {("group", booking.group): booking for booking in plan.groups}
    return visits | groups | {("hold", booking.reserve): booking for booking in plan.holds}


def _merge(stands: Iterable[B], before: Iterable[B], after: Iterable[B], subject: Callable[[B], str]) -> tuple[B, ...]:
    """Return what stands with what two plans have differently: moved, added, or taken out."""
    stood, wanted = {subject(booking): booking for booking in before}, {subject(booking): booking for booking in after}
    merged = {subject(booking): booking for booking in stands}
    for name in stood.keys() - wanted.keys():
        merged.pop(name, None)
    merged |= {name: booking for name, booking in wanted.items() if stood.get(name) != booking}
    return tuple(merged.values())
