"""What stays where it stands keeps its supervisors, and holds stay, wherever that costs nothing."""

from __future__ import annotations

from datetime import datetime

import pytest
from support import factories
from support.factories import Wish, booking, reserve, visit

from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from solver import Limits, solve
from solver.search.standing import keep_standing
from solver.state.domains import Domains
from solver.state.placements import get_placements, make_plan

SUNDAY_EVENING = datetime.fromisoformat("2026-11-29T20:00")
ASKED = factories.scenario(visit("v-1", "pat"), visit("v-2", "quin"), visit("v-3", "rae"), reserve("h-1", "MO"))


def place(*wishes: Wish) -> Plan:
    return factories.plan(ASKED, *wishes)


def keep(stood: Plan, dealt: Plan) -> Plan:
    """Return the plan that a search has made, once what stood is kept; it keeps every rule and costs the same."""
    stands = publish(ASKED, stood, SUNDAY_EVENING)
    domains = Domains(stands)
    kept = make_plan(domains, keep_standing(domains, get_placements(stands, dealt), get_placements(stands, stood)))
    assert not list(find_violations(stands, kept))
    assert kept.cost == make_plan(domains, get_placements(stands, dealt)).cost
    return kept


def watched(name: str, supervisor: str, start: str = "MO 09:00", room: str = "wang-exam-1", team: str = "cy") -> Wish:
    """Wish for a visit with somebody in training."""
    return booking(name, start, room, team, supervisors=supervisor)


def supervisors(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {name: made.supervisors for name, made in plan.visits_by_id.items()}


def test_what_stays_keeps_its_supervisor() -> None:
    kept = keep(place(watched("v-1", "ana")), place(watched("v-1", "dee")))
    assert supervisors(kept) == {"v-1": ("ana",)}


def test_what_has_moved_keeps_the_supervisor_that_it_was_dealt() -> None:
    kept = keep(place(watched("v-1", "ana")), place(watched("v-1", "dee", "MO 10:00")))
    assert supervisors(kept) == {"v-1": ("dee",)}


def test_a_supervisor_who_is_needed_elsewhere_is_not_taken_from_there() -> None:
    stood = place(watched("v-1", "ana", "MO 13:00"), watched("v-2", "ana", "TU 09:00"))
    needed = booking("v-3", "MO 15:00", "west-exam", "ana", "west")
    kept = keep(stood, place(watched("v-1", "dee", "MO 13:00"), watched("v-2", "dee", "TU 09:00"), needed))
    assert supervisors(kept) == {"v-1": ("dee",), "v-2": ("ana",), "v-3": ()}


def test_two_that_have_changed_supervisors_change_back() -> None:
    stood = place(watched("v-1", "ana"), watched("v-2", "dee", room="wang-exam-2", team="eli"))
    dealt = place(watched("v-1", "dee"), watched("v-2", "ana", room="wang-exam-2", team="eli"))
    assert supervisors(keep(stood, dealt)) == {"v-1": ("ana",), "v-2": ("dee",)}


@pytest.mark.parametrize(
    ("taken", "start"),
    [pytest.param("TU 09:00", "13:00", id="free still"), pytest.param("MO 13:00", "15:00", id="taken by now")],
)
def test_a_hold_stays_where_it_was_unless_somebody_has_the_time(taken: str, start: str) -> None:
    stood = place(booking("h-1", "MO 13:00"))
    kept = keep(stood, place(booking("h-1", "MO 15:00"), booking("v-1", taken)))
    assert [f"{hold.start:%H:%M}" for hold in kept.holds] == [start]


def test_planning_again_changes_no_supervisor_of_what_stays() -> None:
    stood = place(watched("v-1", "dee"), booking("v-2", "MO 09:20", "wang-exam-3", "dee"), booking("h-1", "MO 14:00"))
    stands = publish(ASKED, stood, SUNDAY_EVENING)
    made: Plan = solve(_without(stands, "v-3"), Limits(seconds=1, workers=1, seed=1, deterministic=True), stood)
    assert made.visits_by_id["v-1"] == stood.visits_by_id["v-1"]


def _without(stands: Scenario, name: str) -> Scenario:
    return stands.restrict_to(stands.visits_by_id.keys() - {name})
