"""A week in a store: what its desk does with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session

from api.store.database import Database
from api.store.queries import jobs, periods, plans
from api.store.queries.plans import Published
from api.store.tables import PlanJobRow
from scheduling.plan import Plan
from scheduling.scenario import Scenario

NOW = datetime(2026, 11, 27, 16, 30, tzinfo=UTC)
"""Friday before the default week."""


@dataclass(frozen=True)
class StoredWeek:
    """A period in a store, and the scenario that it came from."""

    store: Database
    scenario: Scenario

    @property
    def id(self) -> str:
        """The period's id."""
        return self.scenario.id

    def publish(self, made: Plan, at: datetime = NOW) -> Published:
        """Keep and publish a plan."""
        with self.store.writing() as rows:
            return self.published_in(rows, made, at)

    def published_in(self, rows: Session, made: Plan, at: datetime = NOW) -> Published:
        """Keep and publish a plan in a transaction."""
        snapshot = periods.keep_snapshot(rows, self.scenario, periods.get_period(rows, self.id), at)
        kept = plans.add_plan(rows, made, snapshot.id, self.id, "desk", at)
        return plans.publish(rows, kept, self.scenario, made, "desk", at)

    def made(self, plan: Plan) -> str:
        """Keep a plan as if it had been asked for and made; return its job's id."""
        with self.store.writing() as rows:
            snapshot = periods.keep_snapshot(rows, self.scenario, periods.get_period(rows, self.id), NOW)
            row = plans.add_plan(rows, plan, snapshot.id, self.id, "desk", NOW)
            made = {"state": "done", "plan_id": row.id, "created_by": "desk", "created_at": NOW, "ended_at": NOW}
            limits = {"seconds": 1.0, "workers": 1, "seed": 0, "gap": 0.0}
            jobs.add_job(rows, PlanJobRow(id=row.id, scenario_id=snapshot.id, **made, **limits))
            return row.id

    def standing(self) -> Plan:
        """Return what stands."""
        with self.store.reading() as rows:
            return plans.load_standing_plan(rows, periods.load_scenario(rows, self.id))
