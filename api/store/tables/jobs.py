"""What is solved outside a request: jobs, what they report, and what is only tried by them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, CheckConstraint, String, Text
from sqlmodel import Field

from api.store.columns import TableRow, Utc

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
JobFailure = Literal["pins", "defect", "lost"]
JobQueueName = Literal["plans", "desk"]


class PlanJobRow(TableRow, table=True):
    """One plan asked for, or why a visit is not in one.

    A job of a ``visit_id`` makes no plan: it finds the ``reasons`` why the visit is not in the plan from which it starts. Jobs
    of the queue ``desk`` are short and somebody waits for them, so they wait for no plan.
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
    queue: JobQueueName = Field(default="plans", sa_type=String(8))
    visit_id: str | None = None
    reasons: list[dict[str, str]] | None = Field(default=None, sa_type=JSON(none_as_null=True))
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


class BestPlanRow(TableRow, table=True):
    """The best plan of a job that still searches, with its number."""

    __tablename__ = "best_plans"

    job_id: str = Field(primary_key=True, foreign_key="plan_jobs.id")
    version: int
    document: str = Field(sa_type=Text)


class WhatIfRow(TableRow, table=True):
    """Changes of the world that are only tried: its plan is that of the job of its id.

    One that was made real has the ``publication_id``; one that was thrown away is kept by its job alone.
    """

    __tablename__ = "what_ifs"

    id: str = Field(primary_key=True, foreign_key="plan_jobs.id")
    disruptions: list[dict[str, Any]] = Field(sa_type=JSON)
    publication_id: int | None = Field(default=None, foreign_key="publications.id")
    realised_at: datetime | None = Field(default=None, sa_type=Utc)
    discarded_at: datetime | None = Field(default=None, sa_type=Utc)
