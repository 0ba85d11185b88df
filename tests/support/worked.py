"""What a worker does with a job, without a process: the job is taken, and ends with what the test gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import jobs, periods
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario
from solver import Move

OWNER = "worker"


def take(database: Database, identifier: str) -> Scenario:
    """Take a job that waits, and return what is to be planned."""
    with database.writing() as session:
        assert jobs.take_job(session, identifier, 1, OWNER, utc_now()) is not None
        return periods.load_snapshot(session, jobs.get_job(session, identifier).scenario_id)


def finish(database: Database, identifier: str, make: Callable[[Scenario], Plan], *moves: Move) -> None:
    """Let a job that waits be done with the plan that is made of its scenario, and with why it moves what it moves."""
    made = make(take(database, identifier))
    with database.writing() as session:
        assert jobs.finish_job(session, identifier, 1, made, utc_now(), [asdict(move) for move in moves])


def explain(database: Database, identifier: str, *reasons: Reason) -> None:
    """Let a job that waits have found reasons."""
    take(database, identifier)
    with database.writing() as session:
        assert jobs.explain_job(session, identifier, 1, reasons, utc_now())
