"""What a desk does with one visit's booking: book, move, and cancel."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from api.access.actor import AccessRole, Actor
from api.runtime.exceptions import Conflict, ErrorDetail, RulesBroken
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff
from api.services.care.requests import get_asked_visit
from api.services.records import write_audit
from api.services.refusals import expect_sound, list_broken_rules
from api.services.weeks.setting_aside import find_shift_locations
from api.services.weeks.week import WeekSnapshot, carry_week, with_booking, withdraw_if_asked_by
from api.store.database import Database
from api.store.errors import StaleVersion
from api.store.queries import bookings, messages, offers, periods, requests
from api.store.queries.bookings import VisitStatus
from api.store.queries.placings import booking_fields
from api.store.tables import BookingRow
from api.store.tables.mail import Participation
from api.store.tables.plans import BookingState
from scheduling.errors import UnknownId
from scheduling.plan import Violation, VisitBooking
from scheduling.publishing import leave_out
from scheduling.requests import Pin, Visit

FINAL = frozenset({"horizon", "team", "provider-overlap", "room-overlap", "patient-overlap"})
"""Rules that no reason overrides: nobody can be at two places, and a period holds only what lies in it."""

AGREED = "notice"
"""The rule that a patient overrides by agreeing to come."""

MOVABLE: tuple[BookingState, ...] = ("booked", "no-show")
"""What may be given another place: a visit to come, and one that was missed."""


@dataclass(frozen=True, slots=True)
class RequestedPlace:
    """Where, when and with whom somebody wants a visit, wall-clock time.

    Attributes
    ----------
    patient_agreed : bool
        Whether the patient has agreed to come so soon: the least notice is not held against it.
    """

    start: datetime
    location: str
    room: str | None
    team: tuple[str, ...]
    supervisors: tuple[str, ...] = ()
    patient_agreed: bool = False


@dataclass(frozen=True, slots=True)
class PlacedVisit:
    """A visit's booking, how it stands, and what its patient has answered; None when nobody was told by mail.

    ``undelivered`` is why the last message about it did not arrive.
    """

    row: BookingRow
    booking: VisitBooking
    participation: Participation | None
    undelivered: str | None


def find_period(database: Database, visit: str) -> str:
    """Return the period that asks for a visit. Raises ``UnknownId`` and ``Conflict``."""
    with database.reading() as session:
        return get_asked_visit(session, visit).period_id


def get_booking_row(session: Session, visit: str) -> BookingRow:
    """Return the booking that a visit has. Raises ``UnknownId``."""
    row = bookings.find_booking(session, ("visit", visit, ""))
    if row is None or row.state == "cancelled":
        raise UnknownId("booking of visit", visit)
    return row


def get_placed_visit(session: Session, visit: str) -> PlacedVisit:
    """Return where a visit stands. Raises ``UnknownId``."""
    row = get_booking_row(session, visit)
    return _placed_visit(session, row, get_visit_booking(session, row))


@dataclass(frozen=True, kw_only=True)
class PlacementDecision(Decision):
    """A visit gets a place by hand, its first or another.

    Attributes
    ----------
    overridden : tuple of str
        The rules that the place breaks, for ``override_reason``.
    is_move : bool
        Whether the visit had a place already.
    patient_agreed : bool
        Whether the patient has agreed to come sooner than the least notice.
    """

    booking: VisitBooking
    overridden: tuple[str, ...]
    override_reason: str | None
    is_move: bool
    patient_agreed: bool = False

    @property
    def statuses(self) -> Mapping[str, VisitStatus]:
        """How the visits stand that get a place by the decision, where they are not merely booked."""
        visit = self.booking.visit
        return {visit: VisitStatus(self._next_version(visit), "booked", is_override=True)} if self.overridden else {}


@dataclass(frozen=True, kw_only=True)
class CancellationDecision(Decision):
    """A visit gives up its place, with those of the visits that cannot be without it.

    Attributes
    ----------
    freed : VisitBooking
        The place of the visit itself.
    cancelled : tuple of str
        Every visit that waits again.
    left : WeekSnapshot or None
        The week as its next version; None when more than these places becomes different with them.
    """

    freed: VisitBooking
    cancelled: tuple[str, ...]
    left: WeekSnapshot | None = None


def decide_booking(
    week: WeekSnapshot, by: Actor, visit: str, place: RequestedPlace, reason: str | None, now: datetime
) -> PlacementDecision:
    """Decide to book a place for a visit that has none, or was missed.

    A hold that has begun is in nobody's way: what it held is past.

    Parameters
    ----------
    reason
        Why rules may be broken, None: they may not. It is kept with the booking.

    Raises
    ------
    RulesBroken
        With each rule that would be broken.
    Conflict
        When the visit has a place already.
    """
    placement = _decide_placement(week, by, visit, place, reason, now)
    if placement.is_move:
        raise Conflict(f'visit "{visit}" has a place already')
    return placement


def decide_move(
    week: WeekSnapshot, by: Actor, visit: str, place: RequestedPlace, reason: str | None, version: int | None, now: datetime
) -> PlacementDecision:
    """Decide to move a visit to another place, one that was missed too; else as :func:`decide_booking`.

    Parameters
    ----------
    version
        The booking's that is to be moved; None: whatever it is.

    Raises
    ------
    RulesBroken
        With each rule that would be broken.
    UnknownId, StaleVersion, Conflict
        When the visit has no booking, another version of it, or one that has begun or is only offered.
    """
    placement = _decide_placement(week, by, visit, place, reason, now)
    status = _expect_status(week, visit, version)
    if status.state not in MOVABLE:
        raise Conflict(f"what is {status.state} cannot be moved")
    return placement


def _decide_placement(
    week: WeekSnapshot, by: Actor, visit: str, place: RequestedPlace, reason: str | None, now: datetime
) -> PlacementDecision:
    week = week.reopen({visit})
    wanted, stands = create_booking(week, visit, place), week.upcoming
    after = with_booking(week.scenario, stands, visit, wanted)
    agreed = {AGREED} if place.patient_agreed else set()
    newly = week.find_newly_broken(week.scenario, after, {visit})
    broken = [violation for violation in newly if violation.rule not in agreed]
    final = [violation for violation in broken if violation.rule in FINAL]
    if broken and (reason is None or final):
        details = list_broken_rules(week.scenario, after, broken)
        refused = "no reason can override" if reason is not None else "it breaks"
        raise RulesBroken(f"{refused} {', '.join(_list_rules(final if reason is not None else broken))}", details)
    return PlacementDecision(
        by=by,
        now=now,
        week=week,
        asked=week.scenario,
        diff=PlanDiff(week.scenario, stands, week.scenario, after),
        booking=wanted,
        overridden=_list_rules(broken),
        override_reason=reason if broken else None,
        is_move=visit in week.statuses,
        patient_agreed=place.patient_agreed,
    )


def apply_placement(session: Session, decision: PlacementDecision) -> PlacedVisit:
    """Book or move a visit as it was decided, if the week is as it was. Raises ``StaleVersion`` and ``DoubleBooked``."""
    booking, by, now = decision.booking, decision.by, decision.now
    propagate_booking_changes(session, by, apply_plan_diff(session, decision), now)
    row = get_booking_row(session, booking.visit)
    row.override_reason = decision.override_reason
    action = "booking.move" if decision.is_move else "booking.add"
    detail = {"overridden": list(decision.overridden), "patient_agreed": decision.patient_agreed, **describe_place(booking)}
    write_audit(session, by, action, "visit", booking.visit, now, **detail)
    return _placed_visit(session, row, booking)


def decide_cancellation(week: WeekSnapshot, by: Actor, visit: str, version: int | None, now: datetime) -> CancellationDecision:
    """Decide to cancel a booking, with those of the visits that cannot be without it; their pins go too.

    Parameters
    ----------
    version
        The booking's that is to be cancelled; None: whatever it is.

    Raises
    ------
    UnknownId, StaleVersion
        When the visit has no booking, or another version of it.
    Conflict
        When something of it has begun, or a patient's link would cancel more than its own visit.
    """
    from solver import find_dependent_visits

    is_all = week.version is not None and not week.missed
    week = week.reopen(week.missed - {visit})
    freed = week.plan.visits_by_id.get(visit)
    if freed is None:
        raise UnknownId("booking of visit", visit)
    cancelled = sorted(name for name in find_dependent_visits(week.scenario.links, visit) if name in week.plan.visits_by_id)
    if len(cancelled) > 1 and by.role is AccessRole.PATIENT:
        raise Conflict("other visits depend on this one: call the clinic")
    _expect_status(week, visit, version)
    for name in cancelled:
        state = week.statuses[name].state
        if state not in bookings.OPEN:
            raise Conflict(f'visit "{name}" is {state} and cannot be cancelled')
        is_all = is_all and state == "booked"  # with an offer ends more than a place
    is_all = is_all and week.resized.keys().isdisjoint(cancelled)
    left = _without(week, set(cancelled))
    released = tuple(visit.changed(pinned=None) if visit.id in cancelled else visit for visit in week.scenario.visits)
    return CancellationDecision(
        by=by,
        now=now,
        week=week,
        asked=week.scenario.changed(visits=released),
        diff=PlanDiff(week.scenario, week.plan, week.scenario, left.plan),
        freed=freed,
        cancelled=tuple(cancelled),
        left=left if is_all else None,
    )


def _without(week: WeekSnapshot, visits: AbstractSet[str]) -> WeekSnapshot:
    """Return a week in its next version when some visits give up their places, and nothing else changes."""
    asked = tuple(visit.changed(current=None, pinned=None) if visit.id in visits else visit for visit in week.scenario.visits)
    scenario = week.scenario.changed(visits=asked)
    kept = tuple(booking for booking in week.plan.visits if booking.visit not in visits)
    shifts = find_shift_locations(scenario, (*week.plan.groups, *week.plan.holds, *kept))
    plan = leave_out(week.plan.changed(shifts=shifts), scenario, visits)
    statuses = {visit: status for visit, status in week.statuses.items() if visit not in visits}
    version = None if week.version is None else week.version._replace(number=week.version.number + 1)
    return WeekSnapshot(version, scenario, plan, statuses, week.resized)


def apply_cancellation(session: Session, decision: CancellationDecision) -> None:
    """Cancel bookings as it was decided, if the week is as it was. Raises ``StaleVersion``."""
    by, now = decision.by, decision.now
    for visit in decision.cancelled:
        offer = offers.find_open_offer(session, visit)
        if offer is not None:
            offers.end_offer(session, offer, "declined")
        put_pin(session, visit, None, now)
        if offer is not None:
            withdraw_if_asked_by(session, offer)
    changes = apply_plan_diff(session, decision)
    for visit in decision.cancelled:
        write_audit(session, by, "booking.cancel", "visit", visit, now, because_of=decision.freed.visit)
    propagate_booking_changes(session, by, changes, now)
    if decision.left is not None:
        carry_week(session, decision.left, now)


def create_booking(week: WeekSnapshot, visit: str, place: RequestedPlace) -> VisitBooking:
    """Return the booking that is wanted.

    Raises
    ------
    InvalidFile, UnknownId
        When it names what there is not.
    RulesBroken
        When it lies outside the period's dates.
    """
    asked, dates = week.scenario.visit(visit), week.scenario.horizon
    day = place.start.date()
    if not dates.start <= day < dates.end:
        way = f"ask for the visit in the week of {day - timedelta(days=day.weekday())} to place it there"
        raise RulesBroken(
            "it breaks horizon", [ErrorDetail(f"is not from {dates.start} to before {dates.end}: {way}", "horizon", visit)]
        )
    wanted = VisitBooking(
        visit=visit,
        start=place.start,
        end=place.start + timedelta(minutes=week.scenario.service_of(asked).minutes),
        location=place.location,
        room=place.room,
        team=place.team,
        supervisors=place.supervisors,
    )
    expect_sound(week.scenario, week.plan, wanted)
    return wanted


def _expect_status(week: WeekSnapshot, visit: str, version: int | None) -> VisitStatus:
    """Return how a visit stands. Raises ``UnknownId`` and ``StaleVersion``."""
    status = week.statuses.get(visit)
    if status is None:
        raise UnknownId("booking of visit", visit)
    if version is not None and status.version != version:
        raise StaleVersion("booking", visit, version)
    return status


def put_pin(session: Session, visit: str, wanted: Pin | None, now: datetime) -> None:
    row = get_asked_visit(session, visit)
    asked = Visit.model_validate_json(row.document)
    requests.put_visits(session, row.period_id, [asked.changed(pinned=wanted)], now)


def get_visit_booking(session: Session, row: BookingRow) -> VisitBooking:
    """Return a booking in the words of a plan."""
    placing = bookings.get_standing(session, row).placing
    return VisitBooking(visit=row.subject_id, **booking_fields(placing, periods.get_grid(session, row.period_id)))


def _placed_visit(session: Session, row: BookingRow, booking: VisitBooking) -> PlacedVisit:
    return PlacedVisit(row, booking, messages.get_participation(session, row.id), messages.find_failure(session, row.id))


def describe_place(booking: VisitBooking) -> dict[str, object]:
    """Return what the audit keeps of a place."""
    return booking.model_dump(mode="json", exclude={"visit"})


def _list_rules(broken: list[Violation]) -> tuple[str, ...]:
    return tuple(sorted({violation.rule for violation in broken}))
