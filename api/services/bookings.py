"""What a desk does with one visit's booking: book, move, cancel, pin, and note what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.runtime.exceptions import Conflict, ErrorDetail, RulesBroken
from api.services.changes import propagate_booking_changes
from api.services.episodes import OF_BOOKINGS, record_booking_state
from api.services.records import write_audit
from api.services.requests import get_asked_visit
from api.services.week import WeekSnapshot, apply_plan_diff, pin_of, store_shift_locations, with_booking
from api.store import bookings, messages, offers, periods, requests
from api.store.bookings import BookingChange
from api.store.database import Database
from api.store.placings import booking_fields
from api.store.tables import BookingRow
from api.store.tables.mail import Participation
from api.store.tables.plans import BookingState
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.plan import Plan, Violation, VisitBooking, find_plan_faults
from scheduling.publishing import upcoming
from scheduling.requests import Pin, Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario

FINAL = frozenset({"horizon", "team", "provider-overlap", "room-overlap", "patient-overlap"})
"""Rules that no reason overrides: nobody can be at two places, and a period holds only what lies in it."""

BECOMES: dict[BookingState, tuple[BookingState, ...]] = {
    "booked": ("arrived", "no-show"),
    "no-show": ("arrived",),
    "arrived": ("done",),
}
"""What a booking may become, by what it is."""


@dataclass(frozen=True, slots=True)
class RequestedPlace:
    """Where, when and with whom somebody wants a visit, wall-clock time."""

    start: datetime
    location: str
    room: str | None
    team: tuple[str, ...]
    supervisors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlacedVisit:
    """A visit's booking, how it stands, and what its patient has answered; None when nobody was told by mail."""

    row: BookingRow
    booking: VisitBooking
    participation: Participation | None


def find_period(database: Database, visit: str) -> str:
    """Return the period that asks for a visit. Raises ``UnknownId`` and ``Conflict``."""
    with database.reading() as session:
        return get_asked_visit(session, visit).period_id


def get_booking_row(session: Session, visit: str) -> BookingRow:
    """Return the booking that a visit has. Raises ``UnknownId``."""
    row = bookings.booking_of(session, ("visit", visit, ""))
    if row is None or row.state == "cancelled":
        raise UnknownId("booking of visit", visit)
    return row


def get_placed_visit(session: Session, visit: str) -> PlacedVisit:
    """Return where a visit stands. Raises ``UnknownId``."""
    row = get_booking_row(session, visit)
    return _standing(session, row, get_visit_booking(session, row))


def placed(
    week: WeekSnapshot,
    by: Actor,
    visit: str,
    place: RequestedPlace,
    reason: str | None,
    expect: Callable[[int], None] | None,
    now: datetime,
) -> Callable[[Session], PlacedVisit]:
    """Decide to book a visit at a place by hand, or to move it there; return what does it.

    A hold that has begun is in nobody's way: what it held is past.

    Parameters
    ----------
    reason
        Why rules may be broken, None: they may not. It is kept with the booking.
    expect
        Refuses another version of the booking than is to be moved; None: the visit has no booking yet.

    Raises
    ------
    RulesBroken
        With each rule that would be broken.
    Conflict
        When the visit stands already, or has begun.
    """
    wanted, stands = _booking(week, visit, place), upcoming(week.scenario, week.plan)
    broken = _broken(week.scenario, stands, wanted)
    final = [one for one in broken if one.rule in FINAL]
    if broken and (reason is None or final):
        details = [ErrorDetail(one.detail, one.rule, ", ".join(one.ids)) for one in broken]
        refused = "no reason can override" if reason is not None else "it breaks"
        raise RulesBroken(f"{refused} {_rules(final if reason is not None else broken)}", details)
    after = with_booking(week.scenario, stands, visit, wanted)

    def act(session: Session) -> PlacedVisit:
        _expect_movable(session, visit, expect)
        propagate_booking_changes(session, by, apply_plan_diff(session, week, week.scenario, stands, after, now), now)
        row = get_booking_row(session, visit)
        row.override_reason = reason if broken else None
        rules = sorted({one.rule for one in broken})
        action = "booking.add" if expect is None else "booking.move"
        write_audit(session, by, action, "visit", visit, now, overridden=rules, **_where(wanted))
        return _standing(session, row, wanted)

    return act


def cancelled(
    week: WeekSnapshot, by: Actor, visit: str, expect: Callable[[int], None], now: datetime
) -> Callable[[Session], tuple[VisitBooking, list[str]]]:
    """Decide to cancel a booking, with those of the visits that cannot be without it; return what does it.

    What does it returns the place that is free now, and every visit that waits again; their pins are gone.

    Raises
    ------
    Conflict
        When something of it has begun, or a patient's link would cancel more than its own visit.
    """
    from solver import find_dependent_visits

    freed = week.plan.visits_by_id.get(visit)
    if freed is None:
        raise UnknownId("booking of visit", visit)
    gone = sorted(one for one in find_dependent_visits(week.scenario.links, visit) if one in week.plan.visits_by_id)
    if len(gone) > 1 and by.role is AccessRole.PATIENT:
        raise Conflict("other visits depend on this one: call the clinic")

    def act(session: Session) -> tuple[VisitBooking, list[str]]:
        expect(get_booking_row(session, visit).version)
        periods.touch(session, week.scenario.id, week.version)
        changes = [_give_up(session, one, now) for one in gone]
        for one in gone:
            write_audit(session, by, "booking.cancel", "visit", one, now, because_of=visit)
        propagate_booking_changes(session, by, changes, now)
        visits = [one for one in week.plan.visits if one.visit not in gone]
        store_shift_locations(session, week, (*week.plan.groups, *week.plan.holds, *visits))
        return freed, gone

    return act


def mark(session: Session, by: Actor, visit: str, state: BookingState, expect: Callable[[int], None], now: datetime) -> None:
    """Note that a patient has arrived, has not come, or is done.

    Raises
    ------
    Conflict
        When the booking cannot become that, or nobody can know yet.
    """
    row = get_booking_row(session, visit)
    expect(row.version)
    if state not in BECOMES.get(row.state, ()):
        raise Conflict(f"what is {row.state} cannot become {state}")
    if state == "no-show" and now < row.starts_at:
        raise Conflict("the visit has not begun yet")
    bookings.mark(session, row.id, state, now)
    if state in OF_BOOKINGS:
        record_booking_state(session, by, visit, bookings.standing_of(session, row).placing, state, now)
    periods.touch(session, row.period_id)
    write_audit(session, by, f"booking.{state}", "visit", visit, now)


def pin(session: Session, by: Actor, visit: str, expect: Callable[[int], None], now: datetime) -> VisitBooking:
    """Hold a visit where it stands, whatever is planned. Raises ``UnknownId`` and ``Conflict``."""
    row = get_booking_row(session, visit)
    expect(row.version)
    if row.state == "offered":
        raise Conflict("the place is only offered yet")
    booking = get_visit_booking(session, row)
    _put_pin(session, visit, pin_of(booking), now)
    periods.touch(session, row.period_id)
    write_audit(session, by, "visit.pin", "visit", visit, now, **_where(booking))
    return booking


def unpin(session: Session, by: Actor, visit: str, now: datetime) -> None:
    """Let planning move a visit again. Raises ``UnknownId``."""
    _put_pin(session, visit, None, now)
    periods.touch(session, get_asked_visit(session, visit).period_id)
    write_audit(session, by, "visit.unpin", "visit", visit, now)


def _booking(week: WeekSnapshot, visit: str, place: RequestedPlace) -> VisitBooking:
    """Return the booking that is wanted.

    Raises
    ------
    InvalidFile, UnknownId
        When it names what there is not.
    RulesBroken
        When it lies outside the period's dates.
    """
    asked, dates = week.scenario.visit(visit), week.scenario.horizon
    if not dates.start <= place.start.date() < dates.end:
        raise RulesBroken(
            "it breaks horizon", [ErrorDetail(f"is not from {dates.start} to before {dates.end}", "horizon", visit)]
        )
    wanted = VisitBooking(
        visit=visit,
        start=place.start,
        end=place.start + timedelta(minutes=week.scenario.services[asked.service].minutes),
        location=place.location,
        room=place.room,
        team=place.team,
        supervisors=place.supervisors,
    )
    alone = week.plan.changed(visits=(wanted,), groups=(), holds=(), shifts=(), unscheduled=())
    prefix = "visits[0]."
    found = [one for one in find_plan_faults(week.scenario, alone) if one.path.startswith(prefix)]
    faults = [Fault(f"body.{one.path.removeprefix(prefix)}", one.message) for one in found]
    if faults:
        raise InvalidFile("body", faults)
    return wanted


def _broken(scenario: Scenario, stands: Plan, wanted: VisitBooking) -> list[Violation]:
    """Return what a booking breaks that is not broken already."""
    known = {(one.rule, one.ids) for one in find_violations(scenario, stands)}
    after = with_booking(scenario, stands, wanted.visit, wanted)
    return [one for one in find_violations(scenario, after) if (one.rule, one.ids) not in known]


def _expect_movable(session: Session, visit: str, expect: Callable[[int], None] | None) -> None:
    if expect is None:
        row = bookings.booking_of(session, ("visit", visit, ""))
        if row is not None and row.state != "cancelled":
            raise Conflict(f'visit "{visit}" has a place already')
        return
    row = get_booking_row(session, visit)
    expect(row.version)
    if row.state != "booked":
        raise Conflict(f"what is {row.state} cannot be moved")


def _give_up(session: Session, visit: str, now: datetime) -> BookingChange:
    row = get_booking_row(session, visit)
    if row.state not in bookings.OPEN:
        raise Conflict(f'visit "{visit}" is {row.state} and cannot be cancelled')
    offer = offers.open_offer(session, visit)
    if offer is not None:
        offers.end_offer(session, offer, "declined")
    _put_pin(session, visit, None, now)
    return bookings.cancel(session, row.id, now)


def _put_pin(session: Session, visit: str, wanted: Pin | None, now: datetime) -> None:
    row = get_asked_visit(session, visit)
    asked = Visit.model_validate_json(row.document)
    requests.put_visits(session, row.period_id, [asked.changed(pinned=wanted)], now)


def get_visit_booking(session: Session, row: BookingRow) -> VisitBooking:
    """Return a booking in the words of a plan."""
    placing = bookings.standing_of(session, row).placing
    return VisitBooking(visit=row.subject_id, **booking_fields(placing, periods.grid_of(session, row.period_id)))


def _standing(session: Session, row: BookingRow, booking: VisitBooking) -> PlacedVisit:
    return PlacedVisit(row, booking, messages.participation(session, row.id))


def _where(booking: VisitBooking) -> dict[str, object]:
    return booking.model_dump(mode="json", exclude={"visit"})


def _rules(broken: list[Violation]) -> str:
    return ", ".join(sorted({one.rule for one in broken}))
