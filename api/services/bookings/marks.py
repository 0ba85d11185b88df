"""What a desk notes of a booking: that the patient has arrived, has not come, or is done; and that a visit is to stay."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.bookings.by_hand import describe_place, get_booking_row, get_visit_booking, put_pin
from api.services.care.episodes import OF_BOOKINGS, is_visit_missed, record_booking_state, retract_booking_state
from api.services.care.requests import get_asked_visit
from api.services.records import write_audit
from api.services.weeks.setting_aside import pin_of
from api.store.queries import bookings, periods
from api.store.rows import expect_version
from api.store.tables.plans import BookingState
from scheduling.plan import VisitBooking

BECOMES: dict[BookingState, tuple[BookingState, ...]] = {
    "booked": ("arrived", "no-show"),
    "no-show": ("arrived",),
    "arrived": ("done",),
}
"""What a booking may become, by what it is."""

WAS: dict[BookingState, BookingState] = {"arrived": "booked", "no-show": "booked", "done": "arrived"}
"""What a booking was, by what it was marked as."""


STEPS: dict[tuple[str, str], tuple[BookingState, ...]] = {
    ("booked", "arrived"): ("arrived",),
    ("booked", "done"): ("arrived", "done"),
    ("booked", "no-show"): ("no-show",),
    ("arrived", "arrived"): (),
    ("arrived", "done"): ("done",),
    ("no-show", "arrived"): ("arrived",),
    ("no-show", "done"): ("arrived", "done"),
    ("no-show", "no-show"): (),
    ("done", "arrived"): (),
    ("done", "done"): (),
}
"""What is noted of a booking one after another, by what it is and what a hospital system says of it."""


def mark(session: Session, by: Actor, visit: str, state: BookingState, version: int | None, now: datetime) -> None:
    """Note that a patient has arrived, has not come, or is done.

    Parameters
    ----------
    version
        The booking's that the caller knows; None: whatever it is.

    Raises
    ------
    UnknownId, StaleVersion
        When the visit has no booking, or another version of it.
    Conflict
        When the booking cannot become that, or nobody can know yet.
    """
    row = get_booking_row(session, visit)
    expect_version(row, "booking", visit, version)
    if state not in BECOMES.get(row.state, ()):
        raise Conflict(f"what is {row.state} cannot become {state}{_name_way(row.state, state)}")
    wall = periods.get_zone(session).wall
    if state == "arrived" and wall(now).date() < wall(row.starts_at).date():
        raise Conflict("the visit's day has not come yet")
    if state != "arrived" and now < row.starts_at:
        raise Conflict("the visit has not begun yet")
    bookings.mark(session, row.id, state, now)
    if state in OF_BOOKINGS:
        record_booking_state(session, by, visit, bookings.get_standing(session, row).placing, state, now)
    periods.touch(session, row.period_id)
    write_audit(session, by, f"booking.{state}", "visit", visit, now)


def _name_way(was: BookingState, state: BookingState) -> str:
    """Return what has to be done first where a booking cannot become something."""
    if was == "offered":
        return ": the place has to be accepted first"
    if was == "booked" and state == "done":
        return ": note first that the patient has arrived"
    return ": take back first what was noted" if was in WAS and was != state else ""


def unmark(session: Session, by: Actor, visit: str, version: int | None, now: datetime) -> None:
    """Take back the last that was noted of a patient, by mistake: that they have arrived, have not come, or are done.

    Parameters
    ----------
    version
        The booking's that the caller knows; None: whatever it is.

    Raises
    ------
    UnknownId, StaleVersion
        When the visit has no booking, or another version of it.
    Conflict
        When nothing is noted.
    EventRefused
        When more is known of the visit by now, as what came of it.
    """
    row = get_booking_row(session, visit)
    expect_version(row, "booking", visit, version)
    noted = row.state
    if noted not in WAS:
        raise Conflict(f"what is {noted} has nothing that could be taken back")
    was: BookingState = "no-show" if noted == "arrived" and is_visit_missed(session, visit) else WAS[noted]
    bookings.mark(session, row.id, was, now)
    if noted in OF_BOOKINGS:
        retract_booking_state(session, by, visit, bookings.get_standing(session, row).placing, now)
    periods.touch(session, row.period_id)
    write_audit(session, by, f"booking.not-{noted}", "visit", visit, now)


def pin(session: Session, by: Actor, visit: str, version: int, now: datetime) -> VisitBooking:
    """Hold a visit where it stands, whatever is planned. Raises ``UnknownId``, ``StaleVersion`` and ``Conflict``."""
    row = get_booking_row(session, visit)
    expect_version(row, "booking", visit, version)
    if row.state == "offered":
        raise Conflict("the place is only offered yet")
    booking = get_visit_booking(session, row)
    put_pin(session, visit, pin_of(booking), now)
    periods.touch(session, row.period_id)
    write_audit(session, by, "visit.pin", "visit", visit, now, **describe_place(booking))
    return booking


def unpin(session: Session, by: Actor, visit: str, now: datetime) -> None:
    """Release a visit from its pin, so that planning may move it. Raises ``UnknownId``."""
    put_pin(session, visit, None, now)
    periods.touch(session, get_asked_visit(session, visit).period_id)
    write_audit(session, by, "visit.unpin", "visit", visit, now)
