"""Plans: what makes one no answer to its scenario, reading it with every fault, and back again unchanged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.factories import at, booking, group, plan, reserve, scenario, session, visit
from support.jsonpaths import DELETED, mutations, put

from scheduling.check import check
from scheduling.errors import InvalidFile
from scheduling.plan import COMPONENTS, Costs, Plan, find_plan_faults

ASKED = scenario(
    visit("v1"),
    visit("v2", "quin", "injection"),
    visit("v3", "rae"),
    visit("v4", "sol"),
    group("g1", "pat", "rae", "tam"),
    reserve("r1", "MO"),
    reserve("r2", "TU"),
)
ANSWER = plan(
    ASKED,
    booking("v1", "MO 09:00", team="cy", supervisors="ana"),
    booking("v2", "MO 13:00", "wang-proc-1", "dee"),
    session("g1", "TU 09:00", "pat tam"),
    booking("r1", "MO 15:00", "wang-exam-2"),
)


def fields() -> dict[str, Any]:
    """Return the file of the answer."""
    found: dict[str, Any] = json.loads(ANSWER.model_dump_json())
    return found


def faults_of(text: bytes | str) -> list[str]:
    """Return the faults of a plan's text, none when it is an answer."""
    try:
        Plan.parse(text, ASKED)
    except InvalidFile as error:
        return [str(fault) for fault in error.faults]
    return []


REASON = {"rule": "room", "detail": "no room"}

FAULTS: tuple[tuple[str, Any, str], ...] = (
    ("scenario", "week-2", 'scenario: the plan answers "week-2", not "test-week"'),
    (
        "visits[0].visit",
        "v3",
        'unscheduled[0].visit: "v3" stands in the plan already|visits: "v1" is neither planned nor unscheduled',
    ),
    ("visits[1].end", at("MO 13:31"), "visits[1].end: injection takes 30 minutes"),
    ("visits[1].end", at("MO 13:29"), "visits[1].end: injection takes 30 minutes"),
    ("visits[0].start", at("TU 09:00"), "visits[0].end: followup takes 40 minutes"),
    ("groups[0].end", at("WE 10:30"), "groups[0].end: workshop takes 90 minutes"),
    ("visits[1].location", "x", 'visits[1].location: unknown location "x"'),
    ("visits[1].room", "x", 'visits[1].room: unknown room "x"'),
    ("visits[1].team[0]", "x", 'visits[1].team[0]: unknown provider "x"'),
    ("visits[1].team[1]", "pat", 'visits[1].team[1]: unknown provider "pat"'),
    ("visits[0].supervisors[0]", "x", 'visits[0].supervisors[0]: unknown provider "x"'),
    ("groups[0].group", "g2", 'groups[0].group: unknown group "g2"'),
    ("groups[0].attendees[1]", "x", 'groups[0].attendees[1]: unknown patient "x"'),
    ("holds[0].reserve", "v3", 'holds[0].reserve: unknown reserve "v3"'),
    ("shifts[1].location", "x", 'shifts[1].location: unknown location "x"'),
    ("shifts[0].provider", "x", 'shifts[0]: "x" has no shift that starts at 2026-11-30T08:00:00'),
    ("shifts[0].start", at("MO 08:01"), 'shifts[0]: "ana" has no shift that starts at 2026-11-30T08:01:00'),
    ("unscheduled[1]", DELETED, 'visits: "v4" is neither planned nor unscheduled'),
    ("unscheduled[1].visit", "x", 'unscheduled[1].visit: unknown visit "x"|visits: "v4" is neither planned nor unscheduled'),
    ("unscheduled[2]", {"visit": "v1", "reasons": [REASON]}, 'unscheduled[2].visit: "v1" stands in the plan already'),
    ("unscheduled[2]", {"visit": "v3", "reasons": []}, 'unscheduled[2].visit: "v3" stands in the plan already'),
    ("format", "clinicweave-scenario/1", "format: must be 'clinicweave-plan/1'"),
    ("status", "infeasible", "status: must be 'optimal', 'feasible' or 'unknown'"),
    ("cost", 1.5, "cost: must be a valid integer"),
    ("bound", "none", "bound: must be a valid integer"),
    ("costs.site-change", None, "costs.site-change: must be a valid integer"),
    ("costs.site_change", 0, "costs.site_change: unknown key"),
    ("visits[0].notified", True, "visits[0].notified: unknown key"),
    ("visits[0].supervisors", DELETED, "visits[0].supervisors: missing"),
    ("visits[0].start", "2026-11-30 09:00", 'visits[0].start: expected a stamp like "2026-11-30T09:00"'),
    ("groups[0].attendees", DELETED, "groups[0].attendees: missing"),
    ("holds", None, "holds: must be a valid array"),
    ("unscheduled[0].reasons[0].rule", DELETED, "unscheduled[0].reasons[0].rule: missing"),
)
"""One place, what is put there, and how the faults begin that there are then."""


@pytest.mark.parametrize(("place", "new", "expected"), FAULTS, ids=[fault for _, _, fault in FAULTS])
def test_a_fault_is_named_by_its_path(place: str, new: Any, expected: str) -> None:
    answer = fields()
    put(answer, place, new)
    for found, fault in zip(faults_of(json.dumps(answer)), expected.split("|"), strict=True):
        assert found.startswith(fault)


@pytest.mark.parametrize("section", ["visits", "groups", "holds"])
def test_nothing_is_planned_twice(section: str) -> None:
    answer = fields()
    answer[section].append(answer[section][0])
    (fault,) = faults_of(json.dumps(answer))
    assert fault.startswith(f"{section}[{len(answer[section]) - 1}].")
    assert fault.endswith("is planned twice")


def test_faults_of_an_answer_are_found_at_once() -> None:
    answer = fields()
    put(answer, "visits[1].room", "x")
    put(answer, "holds[0].end", at("MO 15:39"))
    put(answer, "unscheduled", [])
    assert faults_of(json.dumps(answer)) == [
        'visits[1].room: unknown room "x"',
        "holds[0].end: followup takes 40 minutes",
        'visits: "v3" is neither planned nor unscheduled',
        'visits: "v4" is neither planned nor unscheduled',
    ]


def test_an_answer_has_no_faults() -> None:
    assert list(find_plan_faults(ASKED, ANSWER)) == []


def test_the_plan_that_leaves_everything_out_is_an_answer() -> None:
    nothing = plan(ASKED)
    assert list(find_plan_faults(ASKED, nothing)) == []
    assert {left.visit for left in nothing.unscheduled} == {"v1", "v2", "v3", "v4"}


def test_a_plan_may_break_rules_and_be_an_answer() -> None:
    broken = plan(ASKED, booking("v1", "SU- 03:07", "west-proc", "ben ben", "yawkey", supervisors="cy"))
    assert list(find_plan_faults(ASKED, broken)) == []
    assert len({violation.rule for violation in check(ASKED, broken).violations}) > 5


def test_a_plan_is_written_and_read_back_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    ANSWER.write(path)
    assert Plan.read(path, ASKED).model_dump() == ANSWER.model_dump()
    assert json.loads(path.read_text()) == fields()


def test_a_plan_file_names_its_components_as_the_contract_does() -> None:
    assert tuple(fields()["costs"]) == COMPONENTS
    assert "site-change" in COMPONENTS


def test_costs_are_summed_and_what_is_not_named_is_nothing() -> None:
    found = Costs.from_components({"late": 7, "site-change": 41})
    assert found.total == 48
    assert found.components()["site-change"] == 41
    assert found.components()["trips"] == 0


def test_items_stand_beside_their_services_and_end_with_cleaning_and_recovery() -> None:
    visits = {item.id: item for item in ANSWER.items(ASKED)}
    assert list(visits) == ["v1", "v2", "g1", "r1"]
    injection = visits["v2"]
    assert (injection.start_minute, injection.end_minute) == (780, 810)
    assert (injection.turnover_end_minute, injection.recovery_end_minute) == (821, 841)
    assert list(visits["v1"].commitments) == ["cy", "ana"]
    assert [item.patients for item in visits.values()] == [("pat",), ("quin",), ("pat", "tam"), ()]
    assert [item.bays for item in visits.values()] == [1, 1, 2, 1]


def test_items_follow_the_scenario_that_they_are_asked_for() -> None:
    assert ANSWER.items(ASKED) is ANSWER.items(ASKED)
    other = ASKED.changed(clinic=ASKED.clinic.changed(services=tuple(s.changed(turnover=5) for s in ASKED.clinic.services)))
    assert {item.turnover_end_minute - item.end_minute for item in ANSWER.items(other)} == {5}
    assert {item.turnover_end_minute - item.end_minute for item in ANSWER.items(ASKED)} == {0, 10, 11}


def test_a_plan_at_its_cost_keeps_what_was_derived_of_it_and_a_changed_one_does_not() -> None:
    assert ANSWER.priced(Costs.from_components({"late": 7})).items(ASKED) is ANSWER.items(ASKED)
    assert [item.id for item in ANSWER.changed(visits=ANSWER.visits[1:]).items(ASKED)] == ["v2", "g1", "r1"]


def test_equal_plans_stay_equal_whatever_was_asked_of_one() -> None:
    asked_of, other = (Plan.parse(json.dumps(fields()), ASKED) for _ in range(2))
    assert asked_of.items(ASKED)
    assert asked_of.visits_by_id
    assert asked_of == other
    assert hash(asked_of) == hash(other)
    assert asked_of != other.changed(cost=other.cost + 1)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"format": "clinicweave-plan/1"}'])
def test_a_broken_file_is_an_invalid_file_that_names_itself(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(InvalidFile) as caught:
        Plan.read(path, ASKED)
    assert caught.value.source == str(path)
    assert caught.value.faults


def test_a_missing_file_is_an_invalid_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="no such file or directory"):
        Plan.read(tmp_path / "absent.json", ASKED)


@settings(deadline=None, max_examples=150)
@given(mutations(fields()))
def test_any_change_of_a_plan_gives_a_plan_that_can_be_judged_or_an_invalid_file(answer: Any) -> None:
    try:
        made = Plan.parse(json.dumps(answer), ASKED)
    except InvalidFile as error:
        assert error.faults
        assert str(error)
    else:
        verdict = check(ASKED, made)
        assert verdict.cost == sum(verdict.costs.components().values())


PLACES = st.sampled_from([("wang", "wang-exam-1"), ("wang", "wang-proc-1"), ("west", "west-exam"), ("yawkey", None)])


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, 7), st.integers(0, 143), PLACES, st.sets(st.sampled_from(["ana", "ben", "cy", "dee"]))),
        max_size=4,
    )
)
def test_any_plan_of_the_factories_is_an_answer_that_can_be_judged(placed: list[Any]) -> None:
    wishes = [
        booking(f"v{number}", f"2026-12-{day + 1:02}T{slot // 6:02}:{slot % 6}0", room, " ".join(sorted(team)), location)
        for number, (day, slot, (location, room), team) in enumerate(placed, start=1)
    ]
    made = plan(ASKED, *wishes)
    assert made.cost == check(ASKED, made).cost
    assert Plan.parse(made.model_dump_json(), ASKED).model_dump() == made.model_dump()
