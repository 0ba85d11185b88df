"""Why a visit is left out, found by solving again beside the requests: asked for, read, and called off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import Session

from api.access.actor import Actor
from api.runtime.exceptions import Conflict
from api.services.records import write_audit
from api.services.weeks.week import WeekSnapshot
from api.store.queries import jobs, periods, plans
from api.store.tables import PlanJobRow
from api.web.words.sentences import DescribedReason, describe_reasons
from scheduling.errors import UnknownId
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario

if TYPE_CHECKING:
    from api.runtime.job_queue import JobQueue
    from solver import Limits


@dataclass(frozen=True)
class Explanation:
    """Why a visit is left out, as far as it is found out; ``reasons`` are None until then."""

    job: PlanJobRow
    visit: str
    scenario: str
    reasons: list[DescribedReason] | None


def prepare_explanation(week: WeekSnapshot, visit: str) -> tuple[Scenario, Plan]:
    """Return the week in which a visit has no place, before the transaction that asks why.

    Raises
    ------
    UnknownId, Conflict
        When the week asks for no such visit, it has a place, or what stands must be planned anew first.
    """
    if visit not in week.scenario.visits_by_id:
        raise UnknownId("visit", visit)
    week = week.reopen({visit})
    if visit in week.plan.visits_by_id:
        raise Conflict(f'visit "{visit}" has a place')
    return week.settled


def request_explanation(
    session: Session, queue: JobQueue, by: Actor, of: tuple[Scenario, Plan], visit: str, limits: Limits, now: datetime
) -> Explanation:
    """Ask why a visit is left out. Raises ``TooMany`` when too much waits already."""
    scenario, standing = of
    snapshot = periods.keep_snapshot(session, scenario, periods.get_period(session, scenario.id), now)
    start = plans.add_plan(session, standing, snapshot.id, scenario.id, by.id, now)
    job = queue.ask(session, snapshot.id, limits, by.id, start.id, queue="desk", visit_id=visit)
    write_audit(session, by, "visit.explain", "visit", visit, now)
    return Explanation(job, visit, scenario.id, None)


def get_explanation(session: Session, identifier: str) -> Explanation:
    """Return why a visit is left out, as far as it is found out. Raises ``UnknownId``."""
    job = jobs.get_explanation_job(session, identifier)
    assert job.visit_id is not None
    scenario = periods.load_snapshot(session, job.scenario_id)
    reasons = None
    if job.reasons is not None:
        reasons = describe_reasons(scenario, job.visit_id, [Reason.model_validate(reason) for reason in job.reasons])
    return Explanation(job, job.visit_id, scenario.id, reasons)


def cancel_explanation(session: Session, by: Actor, identifier: str, now: datetime) -> Explanation:
    """Call an explanation off that is waited for. Raises ``UnknownId``, and ``Conflict`` when it has ended already."""
    explanation = get_explanation(session, identifier)
    if not jobs.cancel_job(session, identifier, now):
        raise Conflict(f'explanation "{identifier}" has ended')
    write_audit(session, by, "explanation.cancel", "visit", explanation.visit, now)
    return explanation
