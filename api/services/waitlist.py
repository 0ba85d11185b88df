"""Freed places: kept for a waiting visit until its patient accepts, declines, or the time to answer is over."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.bookings import get_booking_row, get_visit_booking
from api.services.changes import propagate_booking_changes
from api.services.records import write_audit
from api.services.week import WeekSnapshot, apply_plan_diff, refresh_shift_locations, with_booking
from api.store import bookings, offers, periods
from api.store.bookings import BookingChange
from api.store.database import Database
from api.store.tables import BookingRow, OfferRow
from scheduling.errors import UnknownId
from scheduling.plan import Booking, VisitBooking
from scheduling.publishing import upcoming

MAX_TRIED = 20
"""Waiting visits that are looked at for one place, those that save most first."""


@dataclass(frozen=True, slots=True)
class OfferedPlace:
    """An offer, and the place that is kept for it."""

    offer: OfferRow
    booking: VisitBooking


def find_refusals(database: Database, period_id: str, freed: Booking) -> set[str]:
    """Return the visits that have given up a freed place, or declined it: they are not asked again."""
    with database.reading() as session:
        grid = periods.grid_of(session, period_id)
        return offers.gave_up(session, grid.utc(freed.start), grid.utc(freed.end), freed.location)


def offered(
    week: WeekSnapshot, by: Actor, freed: Booking, refused: Collection[str], hold: timedelta, now: datetime
) -> Callable[[Session], OfferedPlace]:
    """Decide which waiting visit uses a freed place best, and return what keeps it for them.

    Only visits that have no place at all are asked: a visit that has one keeps it, and could not hold a second one.

    Parameters
    ----------
    refused
        Visits that have given it up.
    hold
        How long the place is kept, but never beyond its start.

    Raises
    ------
    Conflict
        When no waiting visit would use it.
    """
    import solver

    scenario, plan = week.settled
    taken = {*week.plan.visits_by_id, *refused}
    found = solver.find_backfills(scenario, plan, MAX_TRIED, freed)
    alone = (one for one in found if len(one.bookings) == 1 and one.visit not in taken)
    best = next((one for one in alone if not one.moves), None)
    if best is None:
        raise Conflict("no waiting visit that has not refused it could use that place")
    visit, booking = best.visit, best.bookings[0]
    stands = upcoming(week.scenario, week.plan)
    after = with_booking(week.scenario, stands, visit, booking)

    def act(session: Session) -> OfferedPlace:
        apply_plan_diff(session, week, week.scenario, stands, after, now)
        row = get_booking_row(session, visit)
        row.state, row.notified = "offered", False
        until = min(now + hold, row.starts_at)
        offer = offers.add_offer(session, visit, until, by.id, now)
        write_audit(session, by, "freed-place.offer", "visit", visit, now, offer=offer.id)
        return OfferedPlace(offer, booking)

    return act


def get_offered_place(session: Session, visit: str, now: datetime) -> OfferedPlace:
    """Return the place that is kept for a visit. Raises ``UnknownId``."""
    offer, row = _open(session, visit, now)
    return OfferedPlace(offer, get_visit_booking(session, row))


def accept_offer(session: Session, by: Actor, visit: str, now: datetime) -> OfferedPlace:
    """Take the place that was offered. Raises ``UnknownId`` when none is kept, or any more."""
    offer, row = _open(session, visit, now)
    bookings.mark(session, row.id, "booked", now)
    row.notified = True
    propagate_booking_changes(session, by, [BookingChange(row, None, bookings.standing_of(session, row).placing)], now)
    offers.end_offer(session, offer, "accepted")
    periods.touch(session, row.period_id)
    write_audit(session, by, "freed-place.accept", "visit", visit, now, offer=offer.id)
    return OfferedPlace(offer, get_visit_booking(session, row))


def decline_offer(session: Session, by: Actor, visit: str, now: datetime) -> None:
    """Give up the place that was offered: it is free for others at once. Raises ``UnknownId``."""
    offer, row = _open(session, visit, now)
    offers.end_offer(session, offer, "declined")
    bookings.cancel(session, row.id, now)
    refresh_shift_locations(session, periods.scenario_of(session, row.period_id))
    periods.touch(session, row.period_id)
    write_audit(session, by, "freed-place.decline", "visit", visit, now, offer=offer.id)


def _open(session: Session, visit: str, now: datetime) -> tuple[OfferRow, BookingRow]:
    offer = offers.open_offer(session, visit)
    if offer is None or offer.expires_at <= now:
        raise UnknownId("offer to visit", visit)
    row = get_booking_row(session, visit)
    if row.state != "offered":
        raise UnknownId("offer to visit", visit)
    return offer, row
