"""Plans being made: jobs, and what they report."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import CheckConstraint, String
from sqlmodel import Field

from api.store.columns import TableRow, Utc

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JobFailure = Literal["pins", "defect", "lost"]


class PlanJobRow(TableRow, table=True):
    """One plan asked for.

    ``epoch`` counts how often the job was put into the queue: whoever writes for it names the epoch in which it was taken, so
    that what an owner of an earlier one brings is refused. ``beats`` grows while the owner lives, ``losses`` counts owners
    that died. One that ``is_ending`` stops with the best plan so far. ``plan_id`` is the result; a failed job has a
    ``failure`` and its ``reason``.
    """

    __tablename__ = "plan_jobs"
    __table_args__ = (CheckConstraint("state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="job_state"),)

    id: str = Field(primary_key=True)
    scenario_id: str = Field(foreign_key="scenarios.id", index=True)
    start_plan_id: str | None = Field(default=None, foreign_key="plans.id")
    plan_id: str | None = Field(default=None, foreign_key="plans.id")
    state: JobState = Field(default="queued", sa_type=String(16), index=True)
    seconds: float
    workers: int
    seed: int
    gap: float
    dedup_key: str | None = Field(default=None, unique=True)
    owner: str | None = None
    epoch: int = 1
    beats: int = 0
    losses: int = 0
    is_ending: bool = False
    failure: JobFailure | None = Field(default=None, sa_type=String(16))
    reason: str | None = None
    created_by: str
    created_at: datetime = Field(sa_type=Utc, index=True)
    started_at: datetime | None = Field(default=None, sa_type=Utc)
    ended_at: datetime | None = Field(default=None, sa_type=Utc)


class JobEventRow(TableRow, table=True):
    """What a job reports: after ``seconds``, a plan of ``cost`` with a proven ``bound``. ``number`` counts from 1."""

    __tablename__ = "job_events"

    job_id: str = Field(primary_key=True, foreign_key="plan_jobs.id")
    number: int = Field(primary_key=True)
    phase: str
    seconds: float
    cost: int
    bound: int | None = None
    planned: int | None = None
    late: int | None = None
    plan_version: int | None = None
    reported_at: datetime = Field(sa_type=Utc)

    @property
    def gap(self) -> float | None:
        """The relative gap ``(cost - bound) / cost``; None when no bound is known."""
        if self.bound is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0
