"""What the process of a job says, without the process: reasons of a visit, or the best plan so far, each once."""

from __future__ import annotations

from threading import Event

from support import factories
from support.factories import booking, visit

from api.background.jobs.process import BestPlans, SolveRequest, WorkerMessage, answer
from solver import Progress

ASKED = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin", service="injection"))
START = factories.plan(ASKED, booking("v-1", "TU 09:00"))


def test_a_visit_is_explained_beside_the_plan_that_it_is_not_in() -> None:
    request = SolveRequest(ASKED.model_dump_json(), 2.0, 1, 0, 0.0, START.model_dump_json(), "v-2")
    sent: list[WorkerMessage] = []
    told = answer(request, sent.append, Event())
    assert told.reasons and told.plan is None and told.failure is None
    assert sent == []


def test_each_better_plan_is_told_once() -> None:
    sent: list[WorkerMessage] = []
    best = BestPlans(sent.append)
    best.look()
    assert sent == []
    for version in (1, 2):
        best.note(Progress(1.0, START.cost, 0, "search", 1, 0, version, lambda: START))
    best.look()
    best.look()
    (message,) = sent
    assert message.best == START.model_dump_json()
    assert message.progress is not None and (message.progress.version, message.progress.planned) == (2, 1)
