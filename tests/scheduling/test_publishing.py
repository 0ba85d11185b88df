"""From one plan to the next: who has been told of what, and what a changed scenario still asks for."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from support.factories import at, booking, current, current_group, group, plan, provider, reserve, scenario, session, visit

from scheduling.check import check
from scheduling.errors import InvalidFile
from scheduling.publishing import is_published, publish, read_earlier, rebase, upcoming
from scheduling.scenario import Scenario

ASKED = scenario(visit("v1"), visit("v2", "quin"), group("g", "sol", "tam"), reserve("r1", "MO"), reserve("r2", "TU"))
PLAN = plan(
    ASKED,
    booking("v1", "MO 09:00"),
    session("g", "TU 09:00", "sol"),
    booking("r1", "MO 13:00"),
    booking("r2", "TU 13:00", team="dee"),
)


def test_a_published_plan_stands_and_everybody_in_it_has_been_told() -> None:
    told = publish(ASKED, PLAN)
    assert told.visits_by_id["v1"].current == current("MO 09:00", supervisors="")
    assert told.visits_by_id["v2"].current is None
    assert told.groups_by_id["g"].current == current_group("TU 09:00", "sol", supervisors=[])
    assert told.now is None
    assert Scenario.parse(told.model_dump_json(exclude_unset=True)) == told
    assert is_published(told) and not is_published(ASKED)


def test_a_published_plan_says_who_supervises_what_stands() -> None:
    asked = scenario(visit("v1"))
    told = publish(asked, plan(asked, booking("v1", "MO 09:00", team="cy", supervisors="ana")))
    assert told.visits_by_id["v1"].current == current("MO 09:00", team="cy", supervisors="ana")


def test_a_published_plan_moves_nobody_as_it_stands() -> None:
    told = publish(ASKED, PLAN)
    assert check(told, PLAN).costs.moved == 0
    assert check(told, plan(told, booking("v1", "MO 09:10"), session("g", "TU 09:00", "sol"))).costs.moved == 47


def test_who_stood_there_before_is_as_told_as_before() -> None:
    known = scenario(
        visit("v1", current=current("MO 09:00", notified=False)), visit("v2", current=current("MO 13:00", notified=False))
    )
    answer = plan(known, booking("v1", "MO 09:00", "wang-exam-2"), booking("v2", "MO 14:00"))
    told = publish(known, answer).visits_by_id
    assert told["v1"].current == current("MO 09:00", "wang-exam-2", notified=False, supervisors="")
    assert told["v2"].current == current("MO 14:00", supervisors="")


@pytest.mark.parametrize(("attending", "told"), [("sol", False), ("sol tam", True)])
def test_a_session_that_somebody_joins_is_told(attending: str, told: bool) -> None:
    known = scenario(group("g", "sol", "tam", current=current_group("TU 09:00", "sol", notified=False)))
    (meets,) = publish(known, plan(known, session("g", "TU 09:00", attending))).groups
    assert meets.current is not None and meets.current.notified is told


def test_the_moment_of_planning_again_may_be_given() -> None:
    noon = datetime.fromisoformat(at("MO 12:00"))
    assert publish(ASKED, PLAN, noon).now == noon
    assert publish(scenario(now="MO 08:00"), plan(scenario(now="MO 08:00"))).now == datetime.fromisoformat(at("MO 08:00"))


@pytest.mark.parametrize(("now", "held"), [("MO 13:00", ["r1", "r2"]), ("MO 13:01", ["r2"])])
def test_a_hold_that_began_is_no_choice_any_more(now: str, held: list[str]) -> None:
    stands = publish(ASKED, PLAN, datetime.fromisoformat(at(now)))
    left = upcoming(stands, PLAN)
    assert [hold.reserve for hold in left.holds] == held
    assert left.cost == check(stands, left).cost == check(stands, PLAN).cost + 307 * (2 - len(held))


def test_without_a_moment_nothing_is_past() -> None:
    assert upcoming(ASKED, PLAN) is PLAN


def test_what_a_changed_scenario_still_asks_for_is_carried_over() -> None:
    changed = scenario(visit("v1"), visit("v9"), reserve("r2", "TU"), id="changed")
    answer = rebase(PLAN, changed)
    assert answer.scenario == "changed"
    assert [b.visit for b in answer.visits] == ["v1"]
    assert [left.visit for left in answer.unscheduled] == ["v9"]
    assert (answer.groups, [hold.reserve for hold in answer.holds]) == ((), ["r2"])
    assert answer.cost == check(changed, answer).cost


def test_a_booking_with_somebody_who_left_is_not_carried_over() -> None:
    changed = scenario(visit("v1"), visit("v2", "quin"), providers=[provider("dee", "pain")])
    answer = rebase(PLAN, changed)
    assert not answer.visits
    assert {left.visit for left in answer.unscheduled} == {"v1", "v2"}
    assert {place.provider for place in answer.shifts} == {"dee"}


def test_a_plan_of_an_earlier_scenario_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    PLAN.write(file)
    assert read_earlier(file, scenario(visit("v1"), id="later")).visits == PLAN.visits
    file.write_text('{"format": 1}')
    with pytest.raises(InvalidFile, match=r"plan\.json"):
        read_earlier(file, ASKED)
