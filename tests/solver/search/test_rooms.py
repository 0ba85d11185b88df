"""What stays where it stands keeps its room, whatever rooms a search has dealt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from support import factories
from support.factories import booking, visit

from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from solver import Limits, solve
from solver.search.rooms import keep_standing_rooms
from solver.state.domains import Domains
from solver.state.placements import get_placements, make_plan

Wish = tuple[str, str, str, str]
"""A visit, its start, its room, and who gives it."""

PATIENTS = ("pat", "quin", "rae")
STANDING: Sequence[Wish] = (
    ("v-1", "MO 09:00", "wang-exam-2", "ana"),
    ("v-2", "MO 09:20", "wang-exam-3", "dee"),
)
SUNDAY_EVENING = datetime.fromisoformat("2026-11-29T20:00")


def stand(*wishes: Wish) -> tuple[Scenario, Plan]:
    """Return a week of three visits and the plan by which some of them stand."""
    asked = factories.scenario(*(visit(f"v-{number}", patient) for number, patient in enumerate(PATIENTS, 1)))
    plan = place(asked, *wishes)
    return publish(asked, plan, SUNDAY_EVENING), plan


def place(asked: Scenario, *wishes: Wish) -> Plan:
    return factories.plan(asked, *(booking(name, start, room, team) for name, start, room, team in wishes))


def deal(stands: Scenario, dealt: Plan) -> dict[str, str | None]:
    """Return the rooms of a plan that a search has made, once rooms are kept; it keeps every rule."""
    domains = Domains(stands)
    plan = make_plan(domains, keep_standing_rooms(domains, get_placements(stands, dealt)))
    assert not list(find_violations(stands, plan))
    assert plan.cost == dealt.cost
    return {name: kept.room for name, kept in plan.visits_by_id.items()}


@pytest.mark.parametrize(
    ("dealt", "rooms"),
    [
        pytest.param(
            [("v-1", "MO 09:00", "wang-exam-3", "ana"), ("v-2", "MO 09:20", "wang-exam-2", "dee")],
            {"v-1": "wang-exam-2", "v-2": "wang-exam-3"},
            id="two that have changed rooms change back",
        ),
        pytest.param(
            [("v-1", "MO 09:00", "wang-exam-1", "ana"), ("v-3", "MO 09:00", "wang-exam-2", "dee")],
            {"v-1": "wang-exam-2", "v-3": "wang-exam-1"},
            id="what is new makes way",
        ),
        pytest.param(
            [("v-1", "MO 10:00", "wang-exam-1", "ana"), ("v-2", "MO 09:20", "wang-exam-3", "dee")],
            {"v-1": "wang-exam-1", "v-2": "wang-exam-3"},
            id="what has moved stays where it was dealt",
        ),
    ],
)
def test_what_stays_keeps_its_room(dealt: list[Wish], rooms: dict[str, str]) -> None:
    stands, _ = stand(*STANDING)
    assert deal(stands, place(stands, *dealt)) == rooms


def test_what_stands_gives_way_where_what_is_new_has_no_other_room() -> None:
    closed = factories.closure("MO 08:00", "MO 12:00", "wang", room="wang-exam-3")
    stands, _ = stand(("v-1", "MO 09:00", "wang-exam-2", "ana"))
    shut = stands.changed(clinic=stands.clinic.changed(closures=(closed,)))
    pinned = factories.pin("MO 09:00", "wang-exam-2", "dee")
    asked = shut.changed(
        visits=tuple(asked_for.changed(pinned=pinned) if asked_for.id == "v-3" else asked_for for asked_for in shut.visits),
    )
    dealt = place(asked, ("v-1", "MO 09:00", "wang-exam-1", "ana"), ("v-3", "MO 09:00", "wang-exam-2", "dee"))
    assert deal(asked, dealt) == {"v-1": "wang-exam-1", "v-3": "wang-exam-2"}


def test_one_who_is_ill_changes_no_room_of_others() -> None:
    stands, plan = stand(*STANDING)
    dee = stands.providers_by_id["dee"]
    ill = [who.changed(shifts=()) if who.id == dee.id else who for who in stands.providers]
    made = solve(stands.changed(providers=tuple(ill)), Limits(seconds=1, workers=1, seed=1, deterministic=True), plan)
    assert made.visits_by_id["v-1"] == plan.visits_by_id["v-1"]
    assert {"v-2", "v-3"} <= set(made.visits_by_id)
