"""Freed places: kept for a waiting visit until its patient accepts, declines, or the time to answer is over."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.context import AppContext
from api.runtime.exceptions import Conflict, ErrorDetail, RulesBroken
from api.services.bookings.by_hand import AGREED, get_booking_row, get_visit_booking
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff
from api.services.records import write_audit
from api.services.refusals import list_broken_rules
from api.services.weeks.conflicts import IMPOSSIBLE, end_tasks_of_moved
from api.services.weeks.offering import is_told_late, without_notice
from api.services.weeks.week import WeekSnapshot, get_current_week, refresh_shift_locations, with_booking, withdraw_if_asked_by
from api.store.database import Database
from api.store.queries import bookings, offers, periods, requests, tasks
from api.store.queries.bookings import BookingChange, VisitStatus
from api.store.tables import BookingRow, OfferRow
from scheduling.errors import UnknownId
from scheduling.people import Patient
from scheduling.plan import Booking, Violation, VisitBooking
from scheduling.requests import Visit

if TYPE_CHECKING:
    from solver import Backfill

MAX_TRIED = 20
"""Waiting visits that are looked at for one place, those that save most first."""


@dataclass(frozen=True, slots=True)
class OfferedPlace:
    """An offer, the place that is kept for it, and what of its week stood against a rule and was set aside.

    Attributes
    ----------
    short_notice : bool
        The place starts sooner than the least notice: it is the patient's only when they agree to that.
    """

    offer: OfferRow
    booking: VisitBooking
    set_aside: tuple[Violation, ...] = ()
    short_notice: bool = False


def find_refusals(database: Database, period_id: str, freed: Booking) -> set[str]:
    """Return the visits that have given up a freed place, or declined it: they are not asked again."""
    with database.reading() as session:
        grid = periods.get_grid(session, period_id)
        return offers.list_given_up(session, grid.utc(freed.start), grid.utc(freed.end), freed.location)


@dataclass(frozen=True, kw_only=True)
class OfferDecision(Decision):
    """A freed place is kept for a waiting visit, and for how long."""

    booking: VisitBooking
    expires_at: datetime

    @property
    def statuses(self) -> Mapping[str, VisitStatus]:
        """How the visits stand that get a place by the decision, where they are not merely booked."""
        visit = self.booking.visit
        return {visit: VisitStatus(self._next_version(visit), "offered")}


def decide_offer(
    week: WeekSnapshot,
    by: Actor,
    freed: Booking,
    refused: Collection[str],
    hold: timedelta,
    now: datetime,
    wanted: str | None = None,
) -> OfferDecision:
    """Decide which waiting visit uses a freed place best, and for how long it is kept for them.

    Only visits that have no place, or were missed, are asked: a visit that has one keeps it, and could not hold a second one.
    Those whose patients would hear of it sooner than the least notice are asked when it fits no other.

    Parameters
    ----------
    refused
        Visits that have given it up.
    hold
        How long the place is kept, but never beyond its start.
    wanted
        The visit for which it is kept, even if it has given it up before; None: the one that uses it best.

    Raises
    ------
    Conflict
        When no waiting visit would use it, or not the one that is wanted.
    """
    week = week.reopen(week.missed)
    backfills = _list_backfills(week, freed, now)
    best = next((fill for fill in backfills if fill.visit == wanted or (wanted is None and fill.visit not in refused)), None)
    if best is None:
        details = list_broken_rules(week.scenario, week.upcoming, week.standing_violations)
        if wanted is not None:
            raise Conflict(_describe_misfit(week, wanted), details)
        raise Conflict("no waiting visit that has not refused it could use that place", details)
    booking, stands = best.bookings[0], week.upcoming
    after = with_booking(week.scenario, stands, best.visit, booking)
    return OfferDecision(
        by=by,
        now=now,
        week=week,
        asked=week.scenario,
        diff=PlanDiff(week.scenario, stands, week.scenario, after),
        booking=booking,
        expires_at=min(now + hold, week.scenario.grid.utc(booking.start)),
    )


def _describe_misfit(week: WeekSnapshot, visit: str) -> str:
    """Return why a freed place is not kept for a visit."""
    if visit not in week.scenario.visits_by_id:
        return f'unknown visit "{visit}"'
    if visit in week.plan.visits_by_id:
        return f'visit "{visit}" has a place already'
    return f'visit "{visit}" could not use that place: try to book it there, and each rule that stands in the way is named'


@dataclass(frozen=True, slots=True)
class Claimant:
    """A waiting visit that could use a freed place, and the points that the plan costs more with it, below 0: less."""

    visit: Visit
    patient: Patient
    booking: VisitBooking
    cost: int
    days_waited: int | None
    has_declined: bool


def find_candidates(context: AppContext, period_id: str, freed: Booking, count: int) -> list[Claimant]:
    """Return the waiting visits that could use a freed place, those that save most first; nothing is kept for them.

    Raises
    ------
    UnknownId, Conflict
        When there is no such period, or what stands must be planned anew first.
    """
    now = context.clock()
    week = get_current_week(context, period_id, now)
    week = week.reopen(week.missed)
    refused = find_refusals(context.database, period_id, freed)
    with context.database.reading() as session:
        asked_at = requests.get_asking_times(session, period_id)
    candidates = []
    for backfill in _list_backfills(week, freed, now)[:count]:
        visit, since = week.scenario.visits_by_id[backfill.visit], asked_at.get(backfill.visit)
        candidates.append(
            Claimant(
                visit=visit,
                patient=week.scenario.patients_by_id[visit.patient],
                booking=backfill.bookings[0],
                cost=backfill.cost,
                days_waited=None if since is None else max(0, (now - since).days),
                has_declined=visit.id in refused,
            )
        )
    return candidates


def _list_backfills(week: WeekSnapshot, freed: Booking, now: datetime) -> list[Backfill]:
    """Return how waiting visits could use a freed place, each alone and without anybody else moving, the best first.

    Those whose patients would hear of it sooner than the least notice come last. A place that starts now is nobody's: there is
    no time left to accept it.
    """
    import solver

    scenario, plan = week.settled
    waiting = scenario.visits_by_id.keys() - week.plan.visits_by_id.keys()
    backfills: list[Backfill] = []
    for asked in (scenario, without_notice(scenario, *waiting)):
        more = () if asked is None else solver.find_backfills(asked, plan, MAX_TRIED, freed)
        left = waiting - {backfill.visit for backfill in backfills}
        alone = [fill for fill in more if len(fill.bookings) == 1 and not fill.moves and fill.visit in left]
        backfills += [fill for fill in alone if scenario.grid.utc(fill.bookings[0].start) > now]
    return backfills


def apply_offer(session: Session, decision: OfferDecision) -> OfferedPlace:
    """Keep a place for a waiting visit as it was decided, if the week is as it was. Raises ``StaleVersion``."""
    visit, by, now = decision.booking.visit, decision.by, decision.now
    apply_plan_diff(session, decision)
    row = get_booking_row(session, visit)
    row.state, row.notified = "offered", False
    offer = offers.add_offer(session, visit, decision.expires_at, by.id, now)
    write_audit(session, by, "freed-place.offer", "visit", visit, now, offer=offer.id)
    short_notice = is_told_late(decision.week.scenario, decision.booking)
    return OfferedPlace(offer, decision.booking, decision.week.standing_violations, short_notice)


def get_offered_place(session: Session, visit: str, now: datetime) -> OfferedPlace:
    """Return the place that is kept for a visit. Raises ``UnknownId``."""
    offer, row = _open(session, visit, now)
    booking = get_visit_booking(session, row)
    return OfferedPlace(offer, booking, short_notice=is_told_late(periods.load_scenario(session, row.period_id, now), booking))


def accept_offer(session: Session, by: Actor, visit: str, now: datetime, patient_agreed: bool = False) -> OfferedPlace:
    """Take the place that was offered.

    Parameters
    ----------
    patient_agreed
        Whether the patient has agreed to come sooner than the least notice; who accepts their own place has.

    Raises
    ------
    UnknownId
        When none is kept, or any more.
    RulesBroken
        When it starts sooner than the least notice, and the patient has not agreed to that; or when it cannot be any more, as
        where its room is closed by now.
    """
    place = get_offered_place(session, visit, now)
    _expect_possible(session, by, visit)
    if place.short_notice and not (patient_agreed or by.role is AccessRole.PATIENT):
        detail = f"would start at {place.booking.start:%a %H:%M}, too soon to be told of it; has the patient agreed?"
        raise RulesBroken(f"it breaks {AGREED}", [ErrorDetail(detail, AGREED, visit)])
    offer, row = _open(session, visit, now)
    bookings.mark(session, row.id, "booked", now)
    row.notified = True
    propagate_booking_changes(session, by, [BookingChange(row, None, bookings.get_standing(session, row).placing)], now)
    offers.end_offer(session, offer, "accepted")
    periods.touch(session, row.period_id)
    write_audit(session, by, "freed-place.accept", "visit", visit, now, offer=offer.id, patient_agreed=patient_agreed)
    return place


def _expect_possible(session: Session, by: Actor, visit: str) -> None:
    """Refuse a place that has become impossible since it was offered: its patient would come in vain."""
    task = tasks.find_open_tasks(session, IMPOSSIBLE, [visit]).get(("visit", visit))
    if task is None:
        return
    if by.role is AccessRole.PATIENT:  # what has come in between is for the desk alone
        raise RulesBroken("the place cannot be kept any more: call the clinic", ())
    rules = task.detail["rules"]
    broken = [ErrorDetail("; ".join(task.detail["findings"]), rule, visit) for rule in rules]
    raise RulesBroken(f"what was offered breaks {', '.join(rules)} by now: give it up, and offer another", broken)


def decline_offer(session: Session, by: Actor, visit: str, now: datetime) -> None:
    """Give up the place that was offered: it is free for others at once. Raises ``UnknownId``."""
    offer, row = _open(session, visit, now)
    offers.end_offer(session, offer, "declined")
    withdraw_if_asked_by(session, offer)
    end_tasks_of_moved(session, [bookings.cancel(session, row.id, now)], now)
    refresh_shift_locations(session, periods.load_scenario(session, row.period_id))
    periods.touch(session, row.period_id)
    write_audit(session, by, "freed-place.decline", "visit", visit, now, offer=offer.id)


def _open(session: Session, visit: str, now: datetime) -> tuple[OfferRow, BookingRow]:
    offer = offers.find_open_offer(session, visit)
    if offer is None or offer.expires_at <= now:
        raise UnknownId("offer to visit", visit)
    row = get_booking_row(session, visit)
    if row.state != "offered":
        raise UnknownId("offer to visit", visit)
    return offer, row
