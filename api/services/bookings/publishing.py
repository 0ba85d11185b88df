"""Making a plan the one that people live by, whatever was decided by hand since it was asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import RulesBroken
from api.services.bookings.consequences import propagate_booking_changes
from api.services.bookings.decisions import PlanDiff
from api.services.records import write_audit
from api.services.refusals import list_broken_rules
from api.services.weeks.planning import RequestedPlan, get_finished_plan
from api.services.weeks.setting_aside import find_shift_locations, list_held
from api.store.queries import bookings, episodes, jobs, periods, plans
from api.store.queries.plans import Published
from api.store.tables import BookingRow, PlanJobRow, PublicationRow
from scheduling import catalogue
from scheduling.care.episodes import find_unready
from scheduling.disruptions import Disruption, apply_disruptions
from scheduling.errors import Fault, InvalidFile
from scheduling.pathways import Occurrence
from scheduling.plan import Booking, GroupBooking, HoldBooking, Plan, Reason, Unscheduled, VisitBooking
from scheduling.publishing import rebase
from scheduling.rules import find_violations
from scheduling.rules.stability import not_past, notice
from scheduling.scenario import Scenario

AnyBooking = VisitBooking | GroupBooking | HoldBooking
B = TypeVar("B", VisitBooking, GroupBooking, HoldBooking)

DELIBERATION = timedelta(hours=1)
"""How long a plan may be looked at before it is published: for so long the notice that it was made with is enough."""


def list_publications(
    session: Session, scenario: str | None, before: int | None, count: int
) -> list[tuple[PublicationRow, str | None]]:
    """Return publications with the plans that they published, the newest first, those before a number."""
    rows = plans.list_publications(session, scenario, before, count)
    published = jobs.get_jobs_of_plans(session, [row.plan_id for row in rows])
    return [(row, published.get(row.plan_id)) for row in rows]


def get_publication(session: Session, number: int) -> tuple[PublicationRow, str | None]:
    """Return a publication with the plan that it published. Raises ``UnknownId``."""
    row = plans.get_publication(session, number)
    return row, jobs.get_jobs_of_plans(session, [row.plan_id]).get(row.plan_id)


def publish(session: Session, by: Actor, identifier: str, now: datetime, keep: Collection[tuple[str, str]] = ()) -> Published:
    """Publish a plan: bookings become its own in one transaction, and those that stay are not touched.

    What was decided by hand since the plan was asked for (referrals, moves, cancellations, open offers, who has arrived)
    stays as decided, and the plan gives way; where it cannot, nothing is published.

    Parameters
    ----------
    keep
        What else stays as it is, though the plan has it otherwise: kinds (``visit``, ``group``, ``hold``) and ids.

    Raises
    ------
    Conflict
        When the plan is not made.
    InvalidFile
        When something is to be kept that nobody asks for in this week.
    RulesBroken
        When the plan and what was decided since do not go together, or it has become so old that it would tell patients of a
        start that is past or too near by now; names the rules.
    DoubleBooked
        When it and what stands in another period take one thing at once.
    EventRefused
        When a visit's pathway does not allow it any more, as after an outcome. (What follows a visit without a place is
        left out of what is published.)
    """
    requested, row, _ = get_finished_plan(session, identifier)
    _expect_asked_for(requested.scenario, keep)
    present, standing, whole = _merge_with_standing(session, requested, now, keep=keep)
    known = {(violation.rule, violation.ids) for violation in find_violations(present, standing)}
    _expect_rules_kept(present, whole, known)
    _expect_in_time(present, whole, now)
    published = plans.publish(session, row, present, whole, by.id, now)
    periods.touch(session, present.id)
    # What stands against a rule by now has been taken by illness, a closure or the like: nobody else got that place.
    upset = {name for _, ids in known for name in ids}
    propagate_booking_changes(session, by, published.changes, now, standing.visits_by_id.keys() - upset)
    changed = [change.row.subject_id for change in published.changes]
    kept = [f"{kind}/{subject}" for kind, subject in keep]
    write_audit(session, by, "plan.publish", "plan", identifier, now, scenario=present.id, changed=changed, kept=kept)
    return published


def preview_publication(session: Session, requested: RequestedPlan, tried: Sequence[Disruption] = ()) -> PlanDiff | None:
    """Compare what stands with what would stand if a plan were published at its moment; None as long as it is not made.

    Parameters
    ----------
    tried
        Changes of the world that would come with it.

    Raises
    ------
    InvalidFile
        When the world has changed so that these cannot be any more.
    """
    if requested.plan is None:
        return None
    present, standing, _ = _merge_with_standing(session, requested)
    asked, _, whole = _merge_with_standing(session, requested, tried=tried)
    return PlanDiff(present, standing, asked, whole)


def _merge_with_standing(
    session: Session,
    requested: RequestedPlan,
    now: datetime | None = None,
    tried: Sequence[Disruption] = (),
    keep: Collection[tuple[str, str]] = (),
) -> tuple[Scenario, Plan, Plan]:
    """Return what is asked for now, what stands, and what would stand if a plan that is made were published."""
    assert requested.plan is not None
    present = periods.load_scenario(session, requested.scenario.id).changed(now=requested.scenario.now)
    present = apply_disruptions(present, tried)
    standing = plans.load_standing_plan(session, present)
    if now is None and present.now is not None:
        now = present.grid.utc(present.now)
    decided = _list_decided(session, _load_start(session, requested.job), standing, now)
    decided |= {("visit", visit) for visit in list_held(present, standing)}
    decided |= set(keep)
    adopted = _adopt(requested.plan, standing, decided)
    whole = rebase(_leave_out(adopted, _find_unready(session, adopted, standing)), present)
    places = find_shift_locations(present, (*whole.visits, *whole.groups, *whole.holds))
    return present, standing, whole.changed(shifts=places)


def _expect_asked_for(scenario: Scenario, keep: Iterable[tuple[str, str]]) -> None:
    asked = {("visit", visit.id) for visit in scenario.visits} | {("group", group.id) for group in scenario.groups}
    asked |= {("hold", reserve.id) for reserve in scenario.reserves}
    faults = [
        Fault(f"body.keep[{index}]", f'the plan is not of a {kind} "{identifier}"')
        for index, (kind, identifier) in enumerate(keep)
        if (kind, identifier) not in asked
    ]
    if faults:
        raise InvalidFile("body", faults)


def _load_start(session: Session, job: PlanJobRow) -> Plan | None:
    """Return what stood when a plan was asked for."""
    return None if job.start_plan_id is None else plans.read_plan(session, plans.get_plan(session, job.start_plan_id))


def _by_subject(plan: Plan | None) -> dict[tuple[str, str], Booking]:
    if plan is None:
        return {}
    items: list[AnyBooking] = [*plan.visits, *plan.groups, *plan.holds]
    return {_subject_of(booking): booking for booking in items}


def _subject_of(booking: AnyBooking) -> tuple[str, str]:
    match booking:
        case VisitBooking():
            return ("visit", booking.visit)
        case GroupBooking():
            return ("group", booking.group)
        case HoldBooking():
            return ("hold", booking.reserve)


def _list_decided(session: Session, before: Plan | None, standing: Plan, now: datetime | None) -> set[tuple[str, str]]:
    """Return what is as it is by a decision: changed by hand since a plan was asked for, offered, begun, or overridden."""
    rows = {(row.kind, row.subject_id): row for row in bookings.list_rows(session, standing.scenario)}
    old, new = _by_subject(before), _by_subject(standing)
    by_hand = {subject for subject, row in rows.items() if row.publication_id is None}
    changed = {subject for subject in by_hand if old.get(subject) != new.get(subject)}
    stands = {subject: row for subject, row in rows.items() if row.state != "cancelled"}

    def is_decided(row: BookingRow) -> bool:
        has_begun = now is not None and row.kind != "hold" and row.starts_at < now
        return has_begun or row.state != "booked" or row.override_reason is not None

    return changed | {subject for subject, row in stands.items() if is_decided(row)}


def _adopt(made: Plan, standing: Plan, decided: set[tuple[str, str]]) -> Plan:
    """Return a plan in which all that is decided is where it stands, or nowhere; its shifts have no locations yet."""
    visits = _merge(made.visits, standing.visits, decided)
    placed = {booking.visit for booking in visits}
    return made.changed(
        visits=visits,
        groups=_merge(made.groups, standing.groups, decided),
        holds=_merge(made.holds, standing.holds, decided),
        shifts=(),
        unscheduled=tuple(left for left in made.unscheduled if left.visit not in placed),
    )


def _find_unready(session: Session, plan: Plan, standing: Plan) -> dict[str, str]:
    """Return newly placed visits that follow one without a place, as one that another week asks for; by visit, that one."""
    new = plan.visits_by_id.keys() - standing.visits_by_id.keys()
    visits_of: dict[str, dict[Occurrence, str]] = defaultdict(dict)
    for visit, of in episodes.get_subjects(session, new).items():
        visits_of[of.episode][of.occurrence] = visit
    unready: dict[str, str] = {}
    for identifier, episode in episodes.load(session, list(visits_of)).items():
        visits = visits_of[identifier]
        missing = find_unready(episode, catalogue.get_pathway(episode.pathway), visits)
        unready |= {visits[occurrence]: str(before) for occurrence, before in missing.items()}
    return unready


def _leave_out(plan: Plan, unready: Mapping[str, str]) -> Plan:
    """Return a plan without visits that follow one without a place, with that as the reason."""
    if not unready:
        return plan
    left = (
        Unscheduled(visit=visit, reasons=(Reason(rule="link", detail=f"{before}, which it follows, has no place yet"),))
        for visit, before in sorted(unready.items())
    )
    kept = tuple(booking for booking in plan.visits if booking.visit not in unready)
    return plan.changed(visits=kept, unscheduled=(*plan.unscheduled, *left))


def _merge(planned: Iterable[B], stands: Iterable[B], decided: set[tuple[str, str]]) -> tuple[B, ...]:
    merged: list[B] = [booking for booking in planned if _subject_of(booking) not in decided]
    merged += [booking for booking in stands if _subject_of(booking) in decided]
    return tuple(merged)


def _expect_rules_kept(scenario: Scenario, plan: Plan, known: Container[tuple[str, tuple[str, ...]]]) -> None:
    """Refuse a plan that breaks rules, but for those that what stands breaks already, by an override."""
    broken = [violation for violation in find_violations(scenario, plan) if (violation.rule, violation.ids) not in known]
    if broken:
        details = list_broken_rules(scenario, plan, broken)
        raise RulesBroken("the plan does not go with what was decided since it was asked for; plan again", details)


def _expect_in_time(scenario: Scenario, plan: Plan, now: datetime) -> None:
    """Refuse a plan of a week that is lived by which was made so long ago that patients would hear of it too late."""
    if scenario.now is None:
        return
    present = scenario.grid.wall(now).replace(second=0, microsecond=0)
    told = scenario.changed(now=max(scenario.now, present - DELIBERATION))
    held = {hold.reserve for hold in plan.holds}
    past = (violation for violation in not_past(scenario.changed(now=present), plan) if held.isdisjoint(violation.ids))
    if broken := [*past, *notice(told, plan)]:
        details = list_broken_rules(scenario, plan, broken)
        raise RulesBroken("the plan was made too long ago for the patients whom it calls; plan again, or keep these", details)
