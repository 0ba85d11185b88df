"""Who asks for plans: a store with a week in it, and what becomes of the jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep

from sqlmodel import col, select

from api.runtime.job_queue import JobQueue
from api.store.columns import utc_now
from api.store.database import Database
from api.store.queries import jobs as records
from api.store.tables import PlanJobRow, PlanRow
from solver import Limits

WEEK, PLAN = "week-1", "plan-0"
PATIENCE_SECONDS = 30.0


@dataclass
class Desk:
    """Who asks for plans of the week."""

    database: Database
    queue: JobQueue

    def ask(self, seconds: float = 0.2, seed: int = 0, key: str | None = None, by: str = "desk") -> str:
        """Ask for a plan that the stub takes some seconds for; return the job's id."""
        with self.database.writing() as session:
            limits = Limits(seconds=seconds, workers=1, seed=seed)
            return self.queue.ask(session, WEEK, limits, by, start_plan_id=PLAN, key=key).id

    def job(self, identifier: str) -> PlanJobRow:
        """Return a job as it is now."""
        with self.database.reading() as session:
            return records.get_job(session, identifier)

    def jobs(self) -> list[PlanJobRow]:
        """Return every job."""
        with self.database.reading() as session:
            return list(session.exec(select(PlanJobRow).order_by(col(PlanJobRow.created_at))))

    def results(self) -> list[PlanRow]:
        """Return the plans that jobs have made."""
        with self.database.reading() as session:
            return list(session.exec(select(PlanRow).where(PlanRow.id != PLAN)))

    def take(self, identifier: str, epoch: int = 1) -> PlanJobRow | None:
        """Take a job as a worker does."""
        with self.database.writing() as session:
            return records.take_job(session, identifier, epoch, "worker", utc_now())

    def until(self, identifier: str, reached: Callable[[PlanJobRow], bool]) -> PlanJobRow:
        """Wait until a job is as said, and return it."""
        end = monotonic() + PATIENCE_SECONDS
        while not reached(row := self.job(identifier)):
            assert monotonic() < end, row
            sleep(0.02)
        return row

    def ended(self, identifier: str) -> PlanJobRow:
        """Wait for the end of a job, and return it."""
        return self.until(identifier, lambda row: row.ended_at is not None)
