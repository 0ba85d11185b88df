"""A solver that is asked for the best plan so far stops long before its time, and hands that plan over."""

from __future__ import annotations

import pytest

from api.background.jobs.event_stream import describe_progress
from api.background.jobs.process import SolveRequest, WorkerMessage
from api.background.jobs.solving import SolverProcess
from api.store.columns import utc_now
from api.store.tables import JobEventRow, PlanJobRow
from scheduling.generate import generate
from scheduling.plan import Plan

WAIT_SECONDS = 120.0


def hear(solving: SolverProcess) -> WorkerMessage:
    message = solving.next(WAIT_SECONDS)
    assert message is not None
    return message


def test_a_search_that_is_ended_hands_its_best_plan_over() -> None:
    asked = generate("week", 1)
    request = SolveRequest(asked.model_dump_json(), 3_000, 1, 0, 0.0)
    with SolverProcess(request) as solving:
        first = hear(solving)
        assert first.progress is not None and first.progress.planned > 0 and first.progress.version > 0
        solving.end()
        message = first
        while message.plan is None:
            message = hear(solving)
            assert message.failure is None
    plan = Plan.model_validate_json(message.plan)
    assert plan.cost <= first.progress.cost and plan.visits


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_job_tells_where_it_stands_before_its_first_report(state: str) -> None:
    job = PlanJobRow(
        id="j", scenario_id="s", state=state, seconds=30, workers=1, seed=0, gap=0, created_by="x", created_at=utc_now()
    )
    told = describe_progress(job, None)
    assert (told["phase"], told["cost"], told["seconds_left"]) == (state, None, 30)
    event = JobEventRow(job_id="j", number=1, phase="search", seconds=10, cost=9, planned=4, late=1, reported_at=utc_now())
    told = describe_progress(job, event)
    assert (told["planned"], told["late"], told["limit"], told["seconds_left"], told["gap"]) == (4, 1, 30, 20, None)
