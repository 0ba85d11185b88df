"""The parts of a scenario share nothing, and are solved by themselves to the end."""

from __future__ import annotations

from typing import Any

import pytest
from ortools.sat.python import cp_model
from support.factories import clinic, link, on, patient, policy, provider, room, scenario, service, shift, visit

from scheduling.check import check
from scheduling.scenario import Scenario
from solver import Limits, solve
from solver.model import exact
from solver.model.exact import exact_model
from solver.search.parts import find_parts
from solver.state.domains import Domains

CHAIR = service("chair", minutes=40, team=[], room={"kind": "chair", "features": []}, locations=["wang"])
SCAN = service("scan", minutes=30, team=[], room={"kind": "scanner", "features": []}, locations=["wang"])


def chains(days: str, each: int = 8) -> Scenario:
    """Return days of chained visits without a team: a chair, and the one scanner right after it."""
    asked: list[Any] = []
    for day in days.split():
        for number in range(each):
            names = [f"{day}-{number}-{part}" for part in ("chair", "scan")]
            dates = {"earliest": day, "deadline": day}
            asked += [
                visit(name, f"{day}-{number}", kind, **dates) for name, kind in zip(names, ("chair", "scan"), strict=True)
            ]
            asked.append(link(*names, 0, 0, together=True, max_gap_minutes=0))
    rooms = [*(room(f"chair-{number}", "wang", "chair") for number in range(4)), room("scanner", "wang", "scanner")]
    return scenario(
        *asked,
        clinic=clinic(CHAIR, SCAN, rooms=rooms, locations=opening("10:40")),
        patients=[patient(f"{day}-{number}") for day in days.split() for number in range(each)],
        providers=[],
        policy=policy(delay_per_day={"routine": 0, "soon": 0, "urgent": 0, "cancer": 0}),
        horizon={"start": on("MO"), "end": on("WE")},
    )


def opening(closes: str) -> list[dict[str, str]]:
    """Return the buildings, open from 8:00."""
    others = [{"id": name, "site": "boston", "name": name, "address": "", "closes": "17:00"} for name in ("yawkey", "west")]
    return [{**others[0], "id": "wang", "closes": closes, "opens": "08:00"}, *others]


def test_days_that_share_nothing_are_parts() -> None:
    asked = chains("MO TU", 2)
    parts = find_parts(Domains(asked))
    assert sorted(sorted({key[1][:2] for key in part}) for part in parts) == [["MO"], ["TU"]]


@pytest.mark.parametrize(
    "shared",
    [
        {
            "patients": [patient("MO-0"), patient("MO-1"), patient("TU-0"), patient("TU-1")],
            "tie": link("MO-0-scan", "TU-0-chair"),
        },
        {"policy": policy(max_notified_moves=3)},
    ],
    ids=["a link", "a notification budget"],
)
def test_what_is_shared_makes_one_part(shared: dict[str, Any]) -> None:
    tie, asked = shared.pop("tie", None), chains("MO TU", 2)
    tied = asked.changed(links=(*asked.links, *((tie,) if tie else ())), **shared)
    assert len(find_parts(Domains(tied))) == 1


def test_a_supervisor_ties_those_whom_trainees_see() -> None:
    asked = scenario(
        visit("v1", service="bedside", deadline="MO", required_provider="cy"),
        visit("v2", "quin", "bedside", deadline="MO", required_provider="eli"),
        providers=[
            provider("ana", shifts=[shift("MO 08:00", "12:00")]),
            provider("cy", trainee=True, shifts=[shift("MO 08:00", "12:00")]),
            provider("eli", trainee=True, shifts=[shift("MO 08:00", "12:00")]),
        ],
    )
    assert len(find_parts(Domains(asked))) == 1


def test_parts_are_proven_each_by_itself() -> None:
    """From 8:40 on the scanner has two hours: four of eight patients a day."""
    asked = chains("MO TU")
    plan = solve(asked, Limits(20, 1, deterministic=True))
    assert check(asked, plan).violations == ()
    assert (plan.status, len(plan.visits)) == ("optimal", 2 * 2 * 4)


def test_minutes_after_each_head_bound_what_has_no_team(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without these rows the search knows less before it begins."""

    def bound() -> float:
        model, _ = exact_model(Domains(chains("MO", 12)))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_number_of_conflicts = 1
        solver.parameters.linearization_level = 2
        solver.solve(model)
        return solver.best_objective_bound

    with_rows = bound()
    monkeypatch.setattr(exact, "REDUNDANT", ())
    assert bound() < with_rows
