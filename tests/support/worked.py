"""What a worker does with a job, without a process: the job is taken, and ends with what the test gives."""

from __future__ import annotations

from collections.abc import Callable

from api.store import jobs, periods
from api.store.columns import utc_now
from api.store.database import Database
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario

OWNER = "worker"


def take(database: Database, identifier: str) -> Scenario:
    """Take a job that waits, and return what is to be planned."""
    with database.writing() as session:
        assert jobs.take_job(session, identifier, 1, OWNER, utc_now()) is not None
        return periods.load_snapshot(session, jobs.get_job(session, identifier).scenario_id)


def finish(database: Database, identifier: str, make: Callable[[Scenario], Plan]) -> None:
    """Let a job that waits be done with the plan that is made of its scenario."""
    made = make(take(database, identifier))
    with database.writing() as session:
        assert jobs.finish_job(session, identifier, 1, made, utc_now())


def explain(database: Database, identifier: str, *reasons: Reason) -> None:
    """Let a job that waits have found reasons."""
    take(database, identifier)
    with database.writing() as session:
        assert jobs.explain_job(session, identifier, 1, reasons, utc_now())
