"""The queries about a week as a board shows it: what is asked for, where everything stands, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from api.store.epoch import Version
from api.store.queries import bookings, jobs, messages, periods, plans, requests
from api.store.tables import BookingRow, PlanJobRow, PlanRow
from api.store.tables.mail import Participation
from scheduling.plan import Booking, Plan, Reason
from scheduling.publishing import is_published
from scheduling.requests import Current, CurrentGroup
from scheduling.rules.stability import is_unchanged
from scheduling.scenario import Scenario

Subject = tuple[str, str]
"""The kind of something that stands, and its id."""


@dataclass(frozen=True)
class StandingWeek:
    """A week as it stands.

    Attributes
    ----------
    rows : mapping of (kind, id) to BookingRow
        How what stands does so.
    participations : mapping of str to Participation
        What patients have answered, by booking.
    reasons : mapping of str to tuple of Reason
        Why visits were left out of the plan that was published last.
    asked_at : mapping of str to datetime
        When the visits were asked for.
    bound : int or None
        The least that any plan of what is asked for costs, where that is proven.
    """

    version: Version
    scenario: Scenario
    plan: Plan
    rows: Mapping[Subject, BookingRow]
    participations: Mapping[str, Participation]
    reasons: Mapping[str, tuple[Reason, ...]]
    asked_at: Mapping[str, datetime]
    bound: int | None


def load_standing_week(session: Session, period_id: str, now: datetime) -> StandingWeek:
    """Return a week as it stands at an instant. Raises ``UnknownId``."""
    scenario = periods.load_scenario(session, period_id, now)
    rows: dict[Subject, BookingRow] = {
        (row.kind, row.subject_id): row for row in bookings.list_rows(session, period_id) if row.state != "cancelled"
    }
    published = _get_last_plan(session, period_id)
    return StandingWeek(
        version=periods.get_version(session, period_id),
        scenario=scenario,
        plan=plans.load_standing_plan(session, scenario),
        rows=rows,
        participations=messages.list_participations(session, [row.id for row in rows.values()]),
        reasons=list_reasons(session, period_id),
        asked_at=requests.get_asking_times(session, period_id),
        bound=None if published is None else _find_bound(session, scenario, published),
    )


def load_planned_week(session: Session, job: PlanJobRow) -> StandingWeek | None:
    """Return a week as a plan would have it: the one that was made, or the best so far; None before there is any.

    Only what stays where it stands does so as it stands; all else is told to nobody yet.
    """
    scenario = periods.load_snapshot(session, job.scenario_id)
    best = jobs.find_best_plan(session, job.id)
    if job.plan_id is not None:
        plan = plans.read_plan(session, plans.get_plan(session, job.plan_id))
    elif best is not None:
        plan = Plan.model_validate_json(best.document)
    else:
        return None
    current: dict[Subject, Current | CurrentGroup | None] = {("visit", visit.id): visit.current for visit in scenario.visits}
    current |= {("group", group.id): group.current for group in scenario.groups}
    planned: dict[Subject, Booking] = {("visit", booking.visit): booking for booking in plan.visits}
    planned |= {("group", booking.group): booking for booking in plan.groups}
    rows: dict[Subject, BookingRow] = {
        (row.kind, row.subject_id): row for row in bookings.list_rows(session, scenario.id) if row.state != "cancelled"
    }
    kept = {name: row for name, row in rows.items() if is_unchanged(current.get(name), planned.get(name))}
    return StandingWeek(
        version=periods.get_version(session, scenario.id),
        scenario=scenario,
        plan=plan,
        rows=kept,
        participations=messages.list_participations(session, [row.id for row in kept.values()]),
        reasons={left.visit: left.reasons for left in plan.unscheduled},
        asked_at=requests.get_asking_times(session, scenario.id),
        bound=plan.bound,
    )


def list_reasons(session: Session, period_id: str) -> dict[str, tuple[Reason, ...]]:
    """Return why visits were left out of the plan of a period that was published last, by visit."""
    published = _get_last_plan(session, period_id)
    left_out = () if published is None else plans.read_plan(session, published).unscheduled
    return {left.visit: left.reasons for left in left_out}


def _get_last_plan(session: Session, period_id: str) -> PlanRow | None:
    published = plans.list_publications(session, period_id, None, 1)
    return plans.get_plan(session, published[0].plan_id) if published else None


def _find_bound(session: Session, scenario: Scenario, published: PlanRow) -> int | None:
    """Return what was proven when the week was planned first, if the same is asked for still.

    Whoever stands somewhere since can only make plans dearer: so the bound of a plan that was made before anybody stood
    anywhere holds for every later one. A bound that counts moves away from where people stood then does not.
    """
    if published.bound is None:
        return None
    answered = periods.load_snapshot(session, published.scenario_id)
    return None if is_published(answered) or _asks(answered) != _asks(scenario) else published.bound


def _asks(scenario: Scenario) -> Scenario:
    """Return what a scenario asks for, wherever anything stands."""
    return scenario.changed(
        now=None,
        visits=tuple(visit.changed(current=None) for visit in scenario.visits),
        groups=tuple(group.changed(current=None) for group in scenario.groups),
    )
