"""A week as a board shows it, for whoever looks at it now."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import Session

from api.runtime.exceptions import Conflict
from api.store.queries import jobs, periods, requests, standing
from api.store.queries.standing import StandingWeek
from scheduling.errors import UnknownId


def get_week_version(session: Session, period_id: str) -> int:
    """Return the version of a week. Raises ``UnknownId``."""
    return periods.get_period(session, period_id).version


def load_standing_week(session: Session, period_id: str, now: datetime) -> StandingWeek:
    """Return a week as it stands at an instant. Raises ``UnknownId``."""
    return standing.load_standing_week(session, period_id, now)


def load_day(session: Session, day: date, now: datetime) -> tuple[list[StandingWeek], dict[str, tuple[str | None, list[str]]]]:
    """Return the weeks that have a date, as they stand, and the desk's notes and tags of their visits.

    Raises
    ------
    UnknownId
        When no week has it.
    """
    rows = periods.list_periods_on(session, day)
    if not rows:
        raise UnknownId("week with day", day.isoformat())
    notes = {identifier: told for row in rows for identifier, told in requests.get_desk_notes(session, row.id).items()}
    return [load_standing_week(session, row.id, now) for row in rows], notes


def get_planned_version(session: Session, identifier: str) -> int:
    """Return the number of a plan's best so far: it grows with each better one, and is 0 once the plan is made.

    Raises
    ------
    UnknownId, Conflict
        When nobody asked for the plan, or there is none yet, or none at all.
    """
    job = jobs.get_plan_job(session, identifier)
    best = jobs.find_best_plan(session, identifier)
    if job.plan_id is None and (best is None or job.ended_at is not None):
        raise Conflict(f'plan "{identifier}" has nothing to show: {job.state}')
    return 0 if job.plan_id is not None or best is None else best.version


def load_planned_week(session: Session, identifier: str) -> StandingWeek:
    """Return a week as a plan would have it, or the best so far; raises as :func:`get_planned_version` does."""
    week = standing.load_planned_week(session, jobs.get_plan_job(session, identifier))
    assert week is not None, "whoever asks has asked for its version first"
    return week
