"""Several changes of a week as one: judged together, applied together, and taken back together.

Only what they come to has to keep the rules. So two visits may change places, although the first step alone would put two
patients into one room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict, RulesBroken, Stale
from api.services.bookings.by_hand import FINAL, RequestedPlace, create_booking, get_booking_row, put_pin
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import Decision, PlanDiff, apply_plan_diff
from api.services.records import AuditedAction, write_audit_entries
from api.services.refusals import list_broken_rules
from api.services.weeks.setting_aside import find_shift_locations, pin_of
from api.services.weeks.week import WeekSnapshot, withdraw_if_asked_by
from api.services.weeks.week_changes import find_week_changes, list_details
from api.store.database import Database
from api.store.queries import bookings, change_sets, offers, periods
from api.store.queries.bookings import VisitStatus
from api.store.tables import ChangeSetRow
from scheduling.errors import Fault, InvalidFile, UnknownId
from scheduling.plan import Plan, Violation, VisitBooking
from scheduling.publishing import rebase
from scheduling.requests import Pin
from scheduling.scenario import Scenario


@dataclass(frozen=True)
class WantedChanges:
    """What somebody wants to change, by visit.

    Attributes
    ----------
    places : mapping of str to RequestedPlace
        Where visits are to be.
    cancelled : tuple of str
        Visits that give up their places.
    pins : mapping of str to bool
        Whether visits are held from now on where they are then.
    reasons : mapping of str to str
        Why what a visit breaks may be broken.
    """

    places: Mapping[str, RequestedPlace]
    cancelled: tuple[str, ...]
    pins: Mapping[str, bool]
    reasons: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class ChangeSetDecision(Decision):
    """Several changes, and what they come to.

    Attributes
    ----------
    placed : mapping of str to VisitBooking
        The visits that get a place, their first or another.
    cancelled : tuple of str
        Every visit that waits afterwards, those that cannot be without another one too.
    pins : mapping of str to Pin or None
        The pins that visits get or lose.
    broken : tuple of Violation
        The rules that are broken afterwards and were not before.
    """

    placed: Mapping[str, VisitBooking]
    cancelled: tuple[str, ...]
    pins: Mapping[str, Pin | None]
    reasons: Mapping[str, str]
    broken: tuple[Violation, ...]

    @cached_property
    def overrides(self) -> Mapping[str, str]:
        """The visits that break a rule for a reason, and the reason."""
        odd = {name for violation in self.broken for name in violation.ids}
        return {visit: reason for visit, reason in self.reasons.items() if visit in odd and visit in self.placed}

    @property
    def statuses(self) -> Mapping[str, VisitStatus]:
        """How the visits stand that get a place by the decision, where they are not merely booked."""
        return {visit: VisitStatus(self._next_version(visit), "booked", is_override=True) for visit in self.overrides}

    @cached_property
    def refused(self) -> tuple[Violation, ...]:
        """What is in the way: rules that nothing overrides, and those for which nobody has given a reason."""
        return tuple(
            violation
            for violation in self.broken
            if violation.rule in FINAL or not any(name in self.overrides for name in violation.ids)
        )


def decide_changes(week: WeekSnapshot, by: Actor, wanted: WantedChanges, now: datetime) -> ChangeSetDecision:
    """Decide several changes together; whether they may be applied is for :func:`expect_applicable` to say.

    Raises
    ------
    UnknownId, InvalidFile
        When they name what there is not.
    Conflict
        When a visit has begun, or is only offered a place.
    RulesBroken
        When a place lies outside the week.
    """
    week = week.reopen(wanted.places.keys() & week.resized.keys())
    placed = {visit: create_booking(week, visit, place) for visit, place in wanted.places.items()}
    cancelled = _list_cancelled(week, wanted.cancelled, placed)
    for visit in placed:
        status = week.statuses.get(visit)
        if status is not None and status.state != "booked":
            raise Conflict(f'visit "{visit}" is {status.state} and cannot be moved')
    after = _apply_to_plan(week, placed, cancelled)
    pins = _decide_pins(week, wanted.pins, after, cancelled)
    return _make_decision(week, by, now, after, placed, cancelled, pins, wanted.reasons)


def expect_applicable(decision: ChangeSetDecision) -> None:
    """Refuse changes that break rules, but for those that may be broken for the reason given. Raises ``RulesBroken``."""
    if decision.refused:
        details = list_broken_rules(decision.asked, decision.diff.after, decision.refused)
        raise RulesBroken("together, these changes would break rules", details)


def decide_applicable_changes(
    database: Database, week: WeekSnapshot, by: Actor, wanted: WantedChanges, version: int, now: datetime
) -> ChangeSetDecision:
    """Decide several changes that may be applied to a version of a week; else as :func:`decide_changes`.

    Raises
    ------
    Stale
        When the week has changed since; names what was changed and by whom.
    """
    if week.version is not None and week.version.number != version:
        with database.reading() as session:
            since = find_week_changes(session, week.scenario.id, week.version._replace(number=version))
        raise Stale("the week has changed since it was read", list_details(since))
    decision = decide_changes(week, by, wanted, now)
    expect_applicable(decision)
    return decision


def apply_changes(session: Session, decision: ChangeSetDecision, reverses: str | None = None) -> ChangeSetRow:
    """Apply changes as they were decided, if the week is as it was; each patient is told once of each visit.

    Raises
    ------
    StaleVersion, DoubleBooked
        When the week has changed since.
    """
    by, now, before = decision.by, decision.now, decision.week.plan.visits_by_id
    document = _describe(session, decision)
    ended = [offer for visit in decision.cancelled if (offer := offers.find_open_offer(session, visit)) is not None]
    for offer in ended:
        offers.end_offer(session, offer, "declined")
    for visit, pin in decision.pins.items():
        put_pin(session, visit, pin, now)
    for offer in ended:
        withdraw_if_asked_by(session, offer)
    changes = apply_plan_diff(session, decision)
    for visit, reason in decision.overrides.items():
        get_booking_row(session, visit).override_reason = reason
    row = change_sets.add_change_set(session, decision.week.scenario.id, document, reverses, by.id, now)
    write_audit_entries(session, by, _list_audited(decision, row.id, before), now)
    propagate_booking_changes(session, by, changes, now)
    return row


def get_change_set(session: Session, identifier: str) -> ChangeSetRow:
    """Return changes that were applied. Raises ``UnknownId``."""
    return change_sets.get_change_set(session, identifier)


def get_version(session: Session, row: ChangeSetRow) -> int:
    """Return the version of the week that changes belong to."""
    return periods.get_period(session, row.period_id).version


def decide_reversal(week: WeekSnapshot, by: Actor, row: ChangeSetRow, now: datetime) -> ChangeSetDecision:
    """Decide to make everything as it was before some changes.

    Raises
    ------
    Conflict
        When they were reversed already, what they changed has been changed again since, or a place was only offered.
    RulesBroken
        When what was free then is taken now.
    """
    if row.reversed_by is not None:
        raise Conflict("these changes were reversed already")
    placed: dict[str, VisitBooking] = {}
    cancelled, reasons = [], {}
    for visit, stood in row.document["visits"].items():
        if _read_booking(stood["after"]) != week.plan.visits_by_id.get(visit):
            raise Conflict(f'visit "{visit}" has been changed again since')
        if stood.get("offered"):
            raise Conflict(f'visit "{visit}" was only offered its place, and the offer has ended')
        earlier = _read_booking(stood["before"])
        if earlier is None:
            cancelled.append(visit)
        elif earlier != week.plan.visits_by_id.get(visit):
            placed[visit] = earlier
            reasons[visit] = stood["reason"] or REVERSAL
    pins = {visit: None if pin is None else Pin.model_validate_json(pin) for visit, pin in row.document["pins"].items()}
    after = _apply_to_plan(week, placed, tuple(cancelled))
    decision = _make_decision(week, by, now, after, placed, tuple(cancelled), pins, reasons)
    expect_applicable(decision)
    return decision


def apply_reversal(session: Session, decision: ChangeSetDecision, identifier: str) -> ChangeSetRow:
    """Take changes back as it was decided; else as :func:`apply_changes`."""
    reversal = apply_changes(session, decision, identifier)
    change_sets.get_change_set(session, identifier).reversed_by = reversal.id
    return reversal


REVERSAL = "as it was before a change that was taken back"
"""The reason for a place that is taken again by undoing, and breaks a rule that it broke before."""


def _list_cancelled(week: WeekSnapshot, wanted: Sequence[str], placed: Mapping[str, VisitBooking]) -> tuple[str, ...]:
    """Return the visits that wait when some are cancelled; whoever gets another place at the same time does not."""
    from solver import find_dependent_visits

    cancelled: set[str] = set()
    for visit in wanted:
        if visit not in week.plan.visits_by_id:
            raise UnknownId("booking of visit", visit)
        cancelled |= {name for name in find_dependent_visits(week.scenario.links, visit) if name in week.plan.visits_by_id}
    cancelled -= placed.keys()
    for visit in sorted(cancelled):
        if week.statuses[visit].state not in bookings.OPEN:
            raise Conflict(f'visit "{visit}" is {week.statuses[visit].state} and cannot be cancelled')
    return tuple(sorted(cancelled))


def _apply_to_plan(week: WeekSnapshot, placed: Mapping[str, VisitBooking], cancelled: Iterable[str]) -> Plan:
    stands, gone = week.upcoming, {*placed, *cancelled}
    visits = (*(booking for booking in stands.visits if booking.visit not in gone), *placed.values())
    changed = stands.changed(
        visits=visits,
        shifts=find_shift_locations(week.scenario, (*stands.groups, *stands.holds, *visits)),
        unscheduled=tuple(left for left in stands.unscheduled if left.visit not in placed),
    )
    return rebase(changed, week.scenario)


def _decide_pins(
    week: WeekSnapshot, wanted: Mapping[str, bool], after: Plan, cancelled: Sequence[str]
) -> dict[str, Pin | None]:
    pins: dict[str, Pin | None] = {visit: None for visit in cancelled if week.scenario.visits_by_id[visit].pinned is not None}
    for visit, held in wanted.items():
        week.scenario.visit(visit)
        booking = after.visits_by_id.get(visit)
        if held and booking is None:
            raise InvalidFile("body", [Fault("body.changes", f'visit "{visit}" has no place at which it could be pinned')])
        pins[visit] = pin_of(booking) if held and booking is not None else None
    return pins


def _make_decision(
    week: WeekSnapshot,
    by: Actor,
    now: datetime,
    after: Plan,
    placed: Mapping[str, VisitBooking],
    cancelled: tuple[str, ...],
    pins: Mapping[str, Pin | None],
    reasons: Mapping[str, str],
) -> ChangeSetDecision:
    asked = _with_pins(week.scenario, pins)
    return ChangeSetDecision(
        by=by,
        now=now,
        week=week,
        asked=asked,
        diff=PlanDiff(week.scenario, week.upcoming, week.scenario, after, (week.costs, after.costs)),
        placed=placed,
        cancelled=cancelled,
        pins=pins,
        reasons=reasons,
        broken=week.find_newly_broken(asked, after, placed.keys()),
    )


def _with_pins(scenario: Scenario, pins: Mapping[str, Pin | None]) -> Scenario:
    if not pins:
        return scenario
    visits = (visit.changed(pinned=pins[visit.id]) if visit.id in pins else visit for visit in scenario.visits)
    return scenario.changed(visits=tuple(visits))


def _describe(session: Session, decision: ChangeSetDecision) -> dict[str, Any]:
    """Return all that has to be known to take the changes back."""
    week, visits = decision.week, {}
    for visit in (*decision.placed, *decision.cancelled):
        before = week.plan.visits_by_id.get(visit)
        after = decision.placed.get(visit)
        row = None if before is None else bookings.find_booking(session, ("visit", visit, ""))
        visits[visit] = {
            "before": None if before is None else before.model_dump_json(),
            "after": None if after is None else after.model_dump_json(),
            "reason": None if row is None else row.override_reason,
            "offered": row is not None and row.state == "offered",
        }
    pins = {visit: week.scenario.visits_by_id[visit].pinned for visit in decision.pins}
    return {
        "visits": visits,
        "pins": {visit: None if pin is None else pin.model_dump_json() for visit, pin in pins.items()},
    }


def _read_booking(document: str | None) -> VisitBooking | None:
    return None if document is None else VisitBooking.model_validate_json(document)


def _list_audited(decision: ChangeSetDecision, change: str, before: Mapping[str, VisitBooking]) -> list[AuditedAction]:
    audited: list[AuditedAction] = []
    for visit, booking in decision.placed.items():
        overridden = sorted({violation.rule for violation in decision.broken if visit in violation.ids})
        place = booking.model_dump(mode="json", exclude={"visit"})
        action = "booking.move" if visit in before else "booking.add"
        audited.append((action, "visit", visit, {"overridden": overridden, "change": change, **place}))
    audited += [("booking.cancel", "visit", visit, {"change": change}) for visit in decision.cancelled]
    for visit, pin in decision.pins.items():
        if visit not in decision.cancelled:
            audited.append(("visit.unpin" if pin is None else "visit.pin", "visit", visit, {"change": change}))
    return audited
