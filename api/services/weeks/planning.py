"""Plans made outside the request: asking for one, reading how it goes and what came out, and calling it off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.services.weeks.week import load_week
from api.store.queries import bookings, jobs, periods, plans
from api.store.tables import PlanJobRow, PlanRow
from api.store.tables.jobs import JobQueueName
from scheduling.comparison import Comparison, compare
from scheduling.plan import Plan
from scheduling.rules.stability import list_notified_moves
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from solver import Limits


class Queue(Protocol):
    """Where plans are asked for: that of the workers, or of a process that makes its plans itself."""

    def ask(
        self,
        session: Session,
        scenario_id: str,
        limits: Limits,
        asked_by: str,
        start_plan_id: str | None = None,
        *,
        queue: JobQueueName = "plans",
    ) -> PlanJobRow:
        """Ask for a plan, in the caller's transaction."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A plan to be made.

    Attributes
    ----------
    now
        The moment from which to plan again, wall-clock; what lies before stays. None: the present moment when anything of
        the period stands already, and the whole period when nothing does.
    calls
        How many more patients may be called again for it, within what the clinic's policy allows; None: that alone counts.
    """

    period: str
    limits: Limits
    now: datetime | None = None
    calls: int | None = None


@dataclass(frozen=True)
class RequestedPlan:
    """A plan that was asked for, as far as it is: the job, and once it is done the plan beside what it answers."""

    job: PlanJobRow
    scenario: Scenario
    row: PlanRow | None
    plan: Plan | None


@dataclass(frozen=True, slots=True)
class PlanInput:
    """What is to be planned, and what of it stands, if anything does."""

    scenario: Scenario
    standing: Plan | None


def prepare_plan(session: Session, wanted: PlanRequest, present: datetime) -> PlanInput:
    """Return what a plan is to be made of, before the transaction that asks for it: nobody else needs to wait for that.

    What changes between the two is what changes while the plan is made: it counts when the plan is published.

    Raises
    ------
    UnknownId
        When there is no such period.
    """
    now = None if wanted.now is None else periods.get_grid(session, wanted.period).utc(wanted.now)
    if all(row.state == "cancelled" for row in bookings.list_rows(session, wanted.period)):
        return PlanInput(periods.load_scenario(session, wanted.period, now), None)
    scenario, standing = load_week(session, wanted.period, now or present).to_plan()
    return PlanInput(_limit_calls(scenario, standing, wanted.calls), standing)


def _limit_calls(scenario: Scenario, standing: Plan, calls: int | None) -> Scenario:
    """Return a scenario that calls so many patients more than what stands does already."""
    if calls is None:
        return scenario
    limit, most = scenario.policy.max_notified_moves, sum(1 for _ in list_notified_moves(scenario, standing)) + calls
    return scenario.changed(policy=scenario.policy.changed(max_notified_moves=most if limit is None else min(limit, most)))


def request_plan(
    session: Session,
    queue: Queue,
    by: Actor,
    wanted: PlanRequest,
    of: PlanInput,
    present: datetime,
    line: JobQueueName = "plans",
) -> PlanJobRow:
    """Ask for a plan of a period; it starts from what stands.

    Parameters
    ----------
    line
        Where the job waits: ``desk`` for what somebody waits for.

    Raises
    ------
    TooMany
        When too many plans wait already.
    """
    snapshot = periods.keep_snapshot(session, of.scenario, periods.get_period(session, wanted.period), present)
    start = None
    if of.standing is not None:
        start = plans.add_plan(session, of.standing, snapshot.id, wanted.period, by.id, present).id
    row = queue.ask(session, snapshot.id, wanted.limits, by.id, start, queue=line)
    write_audit(session, by, "plan.ask", "plan", row.id, present, scenario=wanted.period)
    return row


def list_jobs(
    session: Session, scenario: str | None, before: tuple[datetime, str] | None, count: int
) -> list[tuple[PlanJobRow, str]]:
    """Return plans that were asked for and their periods, the newest first, those before a moment and id."""
    rows = jobs.list_jobs(session, scenario, before, count)
    periods_by_job = jobs.get_periods(session, rows)
    return [(row, periods_by_job[row.id]) for row in rows]


def get_job(session: Session, identifier: str) -> tuple[PlanJobRow, str]:
    """Return a plan that was asked for, and its period. Raises ``UnknownId``."""
    row = jobs.get_plan_job(session, identifier)
    return row, jobs.get_periods(session, [row])[row.id]


def cancel_plan(session: Session, by: Actor, identifier: str, now: datetime) -> PlanJobRow:
    """Call off a plan that is waited for; its solver ends within seconds, and nothing is kept of it.

    Raises
    ------
    Conflict
        When it has ended already.
    """
    jobs.get_plan_job(session, identifier)
    if not jobs.cancel_job(session, identifier, now):
        raise Conflict(f'plan "{identifier}" has ended')
    write_audit(session, by, "plan.cancel", "plan", identifier, now)
    return jobs.get_plan_job(session, identifier)


def end_plan(session: Session, by: Actor, identifier: str, now: datetime) -> PlanJobRow:
    """End the making of a plan with the best so far; its solver stops within seconds, and what it has is the plan.

    Raises
    ------
    Conflict
        When it has ended already.
    """
    jobs.get_plan_job(session, identifier)
    if not jobs.end_job(session, identifier):
        raise Conflict(f'plan "{identifier}" has ended')
    write_audit(session, by, "plan.end", "plan", identifier, now)
    return jobs.get_plan_job(session, identifier)


def get_plan_version(session: Session, identifier: str) -> int | None:
    """Return the version of a plan beside what stands: that of its period, since what was made never changes.

    Returns
    -------
    int or None
        None as long as it may still be made.
    """
    job = jobs.get_plan_job(session, identifier)
    return None if job.ended_at is None else periods.get_period_of_snapshot(session, job.scenario_id).version


def get_plan(session: Session, identifier: str) -> RequestedPlan:
    """Return a plan as far as it is. Raises ``UnknownId``."""
    job = jobs.get_plan_job(session, identifier)
    scenario = periods.load_snapshot(session, job.scenario_id)
    row = None if job.plan_id is None else plans.get_plan(session, job.plan_id)
    return RequestedPlan(job, scenario, row, None if row is None else plans.read_plan(session, row))


def get_finished_plan(session: Session, identifier: str) -> tuple[RequestedPlan, PlanRow, Plan]:
    """Return a plan that is made. Raises ``UnknownId``, and ``Conflict`` for one that is not made."""
    plan = get_plan(session, identifier)
    if plan.row is None or plan.plan is None:
        raise Conflict(f'plan "{identifier}" is not made: {plan.job.state}')
    return plan, plan.row, plan.plan


def compare_plans(session: Session, before: str, after: str) -> Comparison:
    """Compare two plans of one period.

    Raises
    ------
    Conflict
        When one is not made, or they are of different periods.
    """
    (first, _, earlier), (second, _, later) = get_finished_plan(session, before), get_finished_plan(session, after)
    if first.scenario.id != second.scenario.id:
        raise Conflict("the plans are of different scenarios")
    return compare(first.scenario, earlier, later, second.scenario)
