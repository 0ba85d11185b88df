"""What is scarce is in the bound where nothing else bounds it, from each first start on."""

from __future__ import annotations

from typing import Any

import pytest
from support.factories import clinic, on, patient, room, scenario, service, visit

from scheduling.scenario import Scenario
from solver.model.scarcity import CapacityRow, PlacedTask, list_scarce_rows
from solver.state.domains import Domains

SCARCE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "room": (
        {"room": {"kind": "suite", "features": []}, "turnover": 10},
        {"rooms": [room(f"suite-{number}", "wang", "suite") for number in range(2)]},
    ),
    "device": (
        {"room": None, "equipment": ["generator"]},
        {"equipment": [{"id": "generator", "location": "wang", "units": 2}]},
    ),
    "bay": ({"room": None, "recovery": 60}, {"recovery": [{"location": "wang", "bays": 2}]}),
}
"""What is scarce: of the services, of the clinic."""

VISITS = 24


def day(what: str, team: list[dict[str, list[str]]]) -> Scenario:
    """Return a day of visits that share two rooms, devices or bays."""
    asked_of, clinics = SCARCE[what]
    return scenario(
        *(visit(f"v{n}", f"p{n}", "shared") for n in range(VISITS)),
        patients=[patient(f"p{n}") for n in range(VISITS)],
        clinic=clinic(service("shared", minutes=60, locations=["wang"], team=team, **asked_of), **clinics),
        horizon={"start": on("MO"), "end": on("TU")},
    )


@pytest.mark.parametrize(("what", "before", "after"), [("room", 0, 60 + 10), ("device", 0, 60), ("bay", 60, 60 + 60)])
def test_what_has_no_team_is_bounded_from_each_first_start_on(what: str, before: int, after: int) -> None:
    """Half of the visits cannot start before 10:00, and none after 11:30; there are two of each resource."""

    def rows(team: list[dict[str, list[str]]]) -> list[CapacityRow]:
        domains, first, last = Domains(day(what, team)), (10 * 60, 8 * 60), 11 * 60 + 30
        placed = [PlacedTask(n, task, 0, "wang", first[n % 2], last) for n, task in enumerate(domains.tasks)]
        return list(list_scarce_rows(domains, placed))

    alone = rows([])
    late = [row for row in alone if all(use % 2 == 0 for use in row.uses)]
    assert {row.most for row in late if set(row.weights) == {after - before}} == {2 * (90 + after - before)}
    assert {row.most for row in alone if len(row.uses) == VISITS and row.weights[0] > 1} == {2 * (210 + after - before)}
    assert rows([{"any_of": ["pain"]}]) == []
