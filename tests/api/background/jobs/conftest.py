"""A store with a small week in it, jobs of it, and workers as processes that tell the time fast and solve nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from support import factories
from support.desk import PLAN, WEEK, Desk
from support.factories import booking, visit

from api.runtime.job_queue import JobQueue
from api.store.columns import utc_now
from api.store.database import Database
from api.store.tables import PeriodRow, PlanRow, ScenarioRow
from scheduling.plan import Plan
from scheduling.scenario import Scenario

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]


@pytest.fixture
def week() -> Scenario:
    """Return a week with two visits."""
    return factories.scenario(visit("v-1", "pat", target="MO"), visit("v-2", "quin", target="TU"))


@pytest.fixture
def made(week: Scenario) -> Plan:
    """Return a plan of the week."""
    return factories.plan(week, booking("v-1", "MO 09:00"), booking("v-2", "TU 09:00"))


@pytest.fixture
def desk(store: Database, week: Scenario, made: Plan) -> Iterator[Desk]:
    """Return the desk of a store that holds the week and a plan of it."""
    with store.writing() as session:
        session.add(PeriodRow(id=WEEK, starts_on=date(2026, 11, 30), ends_on=date(2026, 12, 5), policy="{}"))
        session.flush()
        text, now = week.model_dump_json(exclude_unset=True), utc_now()
        session.add(ScenarioRow(id=WEEK, period_id=WEEK, period_version=1, digest="", document=text, created_at=now))
        session.flush()
        plan = {"status": made.status, "cost": made.cost, "document": made.model_dump_json()}
        session.add(PlanRow(id=PLAN, scenario_id=WEEK, period_id=WEEK, created_by="desk", created_at=now, **plan))
    queue = JobQueue(store, capacity=60)
    yield Desk(store, queue)
    queue.close()


@pytest.fixture
def start_worker(store_url: str) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Return what starts a worker in a process of its own; those that are left at the end are killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(HERE / "fast_worker.py"), store_url]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
