"""The queries about plan jobs.

Who writes for a job names the epoch in which it was taken from the queue. A function that finds the job in another epoch, or
not running any more, changes nothing and says so by ``False`` or ``None``: the caller has been given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, tuple_
from sqlmodel import Session, col, select

from api.store.columns import new_id
from api.store.queries.plans import add_plan
from api.store.tables import BestPlanRow, JobEventRow, PlanJobRow, ScenarioRow, WhatIfRow
from api.store.tables.jobs import JobFailure, JobQueueName, JobState
from scheduling.errors import UnknownId
from scheduling.plan import Plan, Reason

if TYPE_CHECKING:
    from solver import Limits

ACTIVE: tuple[JobState, ...] = ("queued", "running")


@dataclass(frozen=True)
class Mark:
    """What changes of an active job as long as somebody looks after it."""

    id: str
    state: JobState
    epoch: int
    beats: int


def get_job(session: Session, identifier: str) -> PlanJobRow:
    """Return a job. Raises ``UnknownId``."""
    row = session.get(PlanJobRow, identifier)
    if row is None:
        raise UnknownId("plan job", identifier)
    return row


def get_plan_job(session: Session, identifier: str) -> PlanJobRow:
    """Return a job that makes a plan. Raises ``UnknownId``."""
    row = get_job(session, identifier)
    if row.visit_id is not None:
        raise UnknownId("plan job", identifier)
    return row


def get_explanation_job(session: Session, identifier: str) -> PlanJobRow:
    """Return a job that finds out why a visit is left out. Raises ``UnknownId``."""
    row = session.get(PlanJobRow, identifier)
    if row is None or row.visit_id is None:
        raise UnknownId("explanation", identifier)
    return row


def find_job_of_key(session: Session, key: str) -> PlanJobRow | None:
    """Return the job that was asked for with a key."""
    return session.exec(select(PlanJobRow).where(PlanJobRow.dedup_key == key)).first()


def list_jobs(session: Session, scenario: str | None, before: tuple[datetime, str] | None, count: int) -> list[PlanJobRow]:
    """Return jobs that make plans, the newest first, those before a moment and id: of one period, or all.

    What is only tried is not among them.
    """
    tried = select(WhatIfRow.id)
    query = select(PlanJobRow).where(col(PlanJobRow.visit_id).is_(None), col(PlanJobRow.id).not_in(tried))
    if scenario is not None:
        query = query.join(ScenarioRow, col(ScenarioRow.id) == col(PlanJobRow.scenario_id))
        query = query.where(ScenarioRow.period_id == scenario)
    if before is not None:
        query = query.where(tuple_(col(PlanJobRow.created_at), col(PlanJobRow.id)) < before)
    return list(session.exec(query.order_by(col(PlanJobRow.created_at).desc(), col(PlanJobRow.id).desc()).limit(count)))


def get_periods(session: Session, rows: Iterable[PlanJobRow]) -> dict[str, str]:
    """Return the periods that jobs plan, by the jobs' ids."""
    scenarios = {row.id: row.scenario_id for row in rows}
    query = select(ScenarioRow.id, ScenarioRow.period_id).where(col(ScenarioRow.id).in_(set(scenarios.values())))
    of = dict(session.exec(query).all())
    return {job: of[scenario] for job, scenario in scenarios.items()}


def get_jobs_of_plans(session: Session, plans: Iterable[str]) -> dict[str, str]:
    """Return the ids of the jobs that have made plans, by the plans' ids."""
    query = select(PlanJobRow.plan_id, PlanJobRow.id).where(col(PlanJobRow.plan_id).in_(list(plans)))
    return {plan: job for plan, job in session.exec(query) if plan is not None}


def make_job(
    scenario_id: str,
    limits: Limits,
    asked_by: str,
    now: datetime,
    start_plan_id: str | None = None,
    key: str | None = None,
    queue: JobQueueName = "plans",
    visit_id: str | None = None,
) -> PlanJobRow:
    """Return a job that waits, as it is asked for; ``key`` is its caller's name for the request."""
    return PlanJobRow(
        id=new_id(),
        scenario_id=scenario_id,
        start_plan_id=start_plan_id,
        seconds=limits.seconds,
        workers=limits.workers,
        seed=limits.seed,
        gap=limits.gap,
        queue=queue,
        visit_id=visit_id,
        dedup_key=None if key is None else f"{asked_by}:{key}",
        created_by=asked_by,
        created_at=now,
    )


def add_job(session: Session, row: PlanJobRow) -> None:
    """Add a job. Raises ``StillReferenced`` at once when it names a scenario or plan that is not there."""
    session.add(row)
    session.flush()


def count_queued_jobs(session: Session) -> int:
    """Return how many jobs wait."""
    return session.exec(select(func.count()).select_from(PlanJobRow).where(PlanJobRow.state == "queued")).one()


def list_active_jobs(session: Session) -> list[Mark]:
    """Return the marks of the jobs that wait or run."""
    rows = session.exec(select(PlanJobRow).where(col(PlanJobRow.state).in_(ACTIVE)).order_by(col(PlanJobRow.created_at)))
    return [_mark(row) for row in rows]


def take_job(session: Session, identifier: str, epoch: int, owner: str, now: datetime) -> PlanJobRow | None:
    """Give a waiting job to an owner."""
    row = session.get(PlanJobRow, identifier)
    if row is None or (row.state, row.epoch) != ("queued", epoch):
        return None
    row.state, row.owner, row.started_at = "running", owner, now
    return row


def get_mark(session: Session, identifier: str, epoch: int) -> Mark | None:
    """Return the mark of an active job in an epoch."""
    return next((mark for mark in list_active_jobs(session) if (mark.id, mark.epoch) == (identifier, epoch)), None)


def is_held(session: Session, identifier: str, epoch: int) -> bool:
    """Say whether a job is still that of the owner of an epoch."""
    return _running(session, identifier, epoch) is not None


def record_beat(session: Session, identifier: str, epoch: int) -> bool:
    """Show that the owner lives."""
    row = _running(session, identifier, epoch)
    if row is None:
        return False
    row.beats += 1
    return True


def add_event(session: Session, event: JobEventRow, epoch: int) -> bool:
    """Add what a job reports, numbered after those before; shows also that the owner lives."""
    if not record_beat(session, event.job_id, epoch):
        return False
    last = select(func.max(JobEventRow.number)).where(JobEventRow.job_id == event.job_id)
    event.number = (session.exec(last).one() or 0) + 1
    session.add(event)
    return True


def list_events(session: Session, identifier: str, after: int) -> list[JobEventRow]:
    """Return what a job has reported since the event of a number."""
    query = select(JobEventRow).where(JobEventRow.job_id == identifier, col(JobEventRow.number) > after)
    return list(session.exec(query.order_by(col(JobEventRow.number))))


def delete_old_events(session: Session, before: datetime) -> None:
    """Remove what jobs have reported that ended before an instant."""
    ended = select(PlanJobRow.id).where(col(PlanJobRow.ended_at) < before)
    session.exec(delete(JobEventRow).where(col(JobEventRow.job_id).in_(ended)))
    session.exec(delete(BestPlanRow).where(col(BestPlanRow.job_id).in_(ended)))


def put_best_plan(session: Session, identifier: str, version: int, document: str) -> None:
    """Keep the best plan that a running job has so far."""
    row = session.get(BestPlanRow, identifier) or BestPlanRow(job_id=identifier, version=0, document="")
    row.version, row.document = version, document
    session.add(row)


def find_best_plan(session: Session, identifier: str) -> BestPlanRow | None:
    """Return the best plan that a job has told of."""
    return session.get(BestPlanRow, identifier)


def finish_job(
    session: Session,
    identifier: str,
    epoch: int,
    plan: Plan,
    now: datetime,
    moves: Iterable[Mapping[str, Any]] | None = None,
) -> bool:
    """Store a job's plan, and why it moves what it moves, and end the job."""
    row = _running(session, identifier, epoch)
    if row is None:
        return False
    scenario = session.get_one(ScenarioRow, row.scenario_id)
    made = add_plan(session, plan, scenario.id, scenario.period_id, row.created_by, now)
    row.state, row.plan_id, row.owner, row.ended_at = "done", made.id, None, now
    row.reasons = None if moves is None else [dict(move) for move in moves]
    return True


def explain_job(session: Session, identifier: str, epoch: int, reasons: Iterable[Reason], now: datetime) -> bool:
    """Store the reasons why a job's visit is left out, and end the job."""
    row = _running(session, identifier, epoch)
    if row is None:
        return False
    row.state, row.reasons = "done", [reason.model_dump() for reason in reasons]
    row.owner, row.ended_at = None, now
    return True


def fail_job(session: Session, identifier: str, epoch: int, failure: JobFailure, reason: str, now: datetime) -> bool:
    """End a job without a plan."""
    row = _running(session, identifier, epoch)
    if row is None:
        return False
    row.state, row.failure, row.reason, row.owner, row.ended_at = "failed", failure, reason, None, now
    return True


def cancel_job(session: Session, identifier: str, now: datetime) -> bool:
    """End a job that waits or runs, as its owner finds out; ``False`` when it had ended. Raises ``UnknownId``."""
    row = get_job(session, identifier)
    if row.state not in ACTIVE:
        return False
    row.state, row.owner, row.ended_at = "cancelled", None, now
    return True


def end_job(session: Session, identifier: str) -> bool:
    """Let a job that waits or runs end with the best plan that it has; ``False`` when it had ended. Raises ``UnknownId``."""
    row = get_job(session, identifier)
    if row.state not in ACTIVE:
        return False
    row.is_ending = True
    return True


def is_ending(session: Session, identifier: str) -> bool:
    """Return whether a job is to end with what it has."""
    return get_job(session, identifier).is_ending


def requeue_job(session: Session, seen: Mark) -> PlanJobRow | None:
    """Begin a new epoch of a job that still is as it was seen: it waits again, and whoever had it is given up."""
    row = session.get(PlanJobRow, seen.id)
    if row is None or _mark(row) != seen:
        return None
    row.state, row.owner, row.epoch = "queued", None, row.epoch + 1
    return row


def count_loss(row: PlanJobRow, most: int, how: str, now: datetime) -> None:
    """Count an owner that died with a job that waits again; one that has lost ``most`` owners fails."""
    row.losses += 1
    if row.losses >= most:
        row.state, row.failure, row.ended_at = "failed", "lost", now
        row.reason = f"{row.losses} workers died of it, the last one: {how}"


def _mark(row: PlanJobRow) -> Mark:
    return Mark(row.id, row.state, row.epoch, row.beats)


def _running(session: Session, identifier: str, epoch: int) -> PlanJobRow | None:
    row = session.get(PlanJobRow, identifier)
    return row if row is not None and (row.state, row.epoch) == ("running", epoch) else None
