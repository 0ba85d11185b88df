"""Two plans beside each other: what counts as a change, whom it concerns, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.factories import booking, current, current_group, group, patient, plan, reserve, scenario, session, visit

from scheduling.check import check
from scheduling.comparison import Change, Comparison, compare
from scheduling.plan import Plan
from scheduling.scenario import Scenario

ASKED = scenario(
    visit("v1"),
    visit("v2", "quin"),
    visit("v3", "rae"),
    group("g", "sol", "tam", "pat"),
    reserve("r", "TU"),
    patients=[patient("pat", name="Secret Name")],
)


def only(found: Comparison) -> Change:
    (change,) = found.changes
    return change


def test_a_plan_beside_itself_has_no_change() -> None:
    one = plan(ASKED, booking("v1", "MO 09:00"), session("g", "TU 09:00", "sol"))
    comparison = compare(ASKED, one, one)
    assert (comparison.changes, comparison.notify) == ((), ())
    assert comparison.cost.difference == 0 and comparison.cost.before == one.cost


@pytest.mark.parametrize(
    ("after", "difference"),
    [
        (booking("v1", "MO 09:10"), "moved"),
        (booking("v1", "MO 09:00", "west-exam", location="west"), "moved"),
        (booking("v1", "MO 09:00", team="dee"), "moved"),
        (booking("v1", "MO 09:00", "wang-exam-2"), "details"),
        (booking("v1", "MO 09:00", supervisors="dee"), "details"),
    ],
)
def test_another_start_location_or_team_is_a_move_and_a_room_or_supervisor_a_detail(after: Any, difference: str) -> None:
    change = only(compare(ASKED, plan(ASKED, booking("v1", "MO 09:00")), plan(ASKED, after)))
    assert (change.kind, change.id, change.difference) == ("visit", "v1", difference)
    assert change.notify == (("pat",) if difference == "moved" else ())
    assert change.before is not None and change.after is not None and change.before != change.after


def test_visits_and_holds_are_added_and_dropped() -> None:
    before, after = plan(ASKED, booking("v1", "MO 09:00")), plan(ASKED, booking("v2", "MO 09:00"), booking("r", "TU 13:00"))
    comparison = compare(ASKED, before, after)
    assert [(c.kind, c.id, c.difference, c.notify) for c in comparison.changes] == [
        ("visit", "v1", "dropped", ("pat",)),
        ("visit", "v2", "added", ()),
        ("hold", "r", "added", ()),
    ]
    assert (comparison.count("added"), comparison.count("added", "visit"), comparison.count("moved")) == (2, 1, 0)
    assert comparison.costs["reserve"].model_dump() == {"before": 307, "after": 0, "difference": -307}


def test_a_session_that_stays_names_who_joins_and_leaves() -> None:
    before, after = (plan(ASKED, session("g", "TU 09:00", who)) for who in ("sol tam", "tam pat"))
    change = only(compare(ASKED, before, after))
    assert (change.difference, change.joining, change.leaving, change.notify) == ("attendees", ("pat",), ("sol",), ("sol",))


def test_a_session_with_other_patients_and_another_supervisor_has_other_attendees() -> None:
    before = plan(ASKED, session("g", "TU 09:00", "sol"))
    after = booking("g", "TU 09:00", "wang-group", "ben", supervisors="ana", attendees="tam")
    change = only(compare(ASKED, before, plan(ASKED, after)))
    assert (change.difference, change.joining, change.leaving) == ("attendees", ("tam",), ("sol",))


def test_a_session_that_moves_calls_all_who_were_told_and_one_with_another_team_nobody() -> None:
    before = plan(ASKED, session("g", "TU 09:00", "sol tam"))
    moved = only(compare(ASKED, before, plan(ASKED, session("g", "TU 13:00", "sol tam pat"))))
    assert (moved.difference, moved.joining, moved.notify) == ("moved", ("pat",), ("sol", "tam"))
    taken_over = only(compare(ASKED, before, plan(ASKED, session("g", "TU 09:00", "sol tam", team="eli"))))
    assert (taken_over.difference, taken_over.notify) == ("moved", ())


def test_only_who_was_told_of_something_else_is_to_be_called() -> None:
    told = scenario(
        visit("v1", current=current("MO 09:00")),
        visit("v2", "quin", current=current("MO 13:00", notified=False)),
        visit("v3", "rae"),
        group("g", "sol", "tam", current=current_group("TU 09:00", "sol", notified=False)),
    )
    before = plan(told, booking("v1", "MO 10:00"), booking("v2", "MO 13:00"), booking("v3", "TU 13:00"))
    away = plan(told, booking("v1", "MO 11:00"), booking("v2", "MO 14:00"), booking("v3", "TU 14:00"))
    back = plan(told, booking("v1", "MO 09:00"), booking("v2", "MO 13:00"), booking("v3", "TU 13:00"))
    assert compare(told, before, away).notify == ("pat",)
    assert compare(told, before, back).notify == ()
    assert len(compare(told, before, back).changes) == 1


def test_the_plan_of_a_scenario_that_grew_may_be_compared() -> None:
    grown = ASKED.changed(visits=(visit("new", "tam"), *ASKED.visits))
    before = plan(ASKED, booking("v1", "MO 09:00"))
    change = only(compare(ASKED, before, plan(grown, booking("v1", "MO 09:00"), booking("new", "MO 13:00")), grown))
    assert (change.id, change.difference) == ("new", "added")
    back = only(compare(grown, plan(grown, booking("v1", "MO 09:00"), booking("new", "MO 13:00")), before, ASKED))
    assert (back.id, back.difference, back.notify) == ("new", "dropped", ("tam",))


def test_costs_are_the_checkers_and_not_what_a_plan_says() -> None:
    before, after = plan(ASKED, booking("v1", "MO 09:00")), plan(ASKED)
    comparison = compare(ASKED, before.changed(cost=1), after)
    assert comparison.cost.model_dump() == {"before": before.cost, "after": after.cost, "difference": 101}


def test_a_comparison_is_json_without_names() -> None:
    comparison = compare(ASKED, plan(ASKED, booking("v1", "MO 09:00")), plan(ASKED))
    text = comparison.model_dump_json()
    assert Comparison.model_validate_json(text) == comparison
    assert "pat" in text and "Secret" not in text


# --- whatever the plans ----------------------------------------------------------------------------------------------

STARTS, TEAMS = ("MO 09:00", "MO 09:10", "TU 13:00"), ("ana", "dee")


def visits(identifier: str) -> st.SearchStrategy[Any]:
    rooms = st.sampled_from([("wang-exam-1", "wang"), ("wang-exam-2", "wang"), ("west-exam", "west")])
    return st.none() | st.builds(
        lambda start, room, team: booking(identifier, start, room[0], team, room[1]),
        st.sampled_from(STARTS),
        rooms,
        st.sampled_from(TEAMS),
    )


SESSIONS = st.none() | st.builds(
    lambda start, who: session("g", start, " ".join(sorted(who))),
    st.sampled_from(STARTS),
    st.sets(st.sampled_from(["sol", "tam", "pat"])),
)
PLANS = st.tuples(*map(visits, ("v1", "v2", "v3", "r")), SESSIONS).map(
    lambda wishes: plan(ASKED, *(wish for wish in wishes if wish is not None))
)


def stands(scenario: Scenario, given: Plan) -> dict[tuple[str, str], Any]:
    """Return everything of a plan, by kind and id, as comparable values; attendees as a set."""
    return {
        (item.kind, item.id): (
            item.booking.model_dump(include={"start", "end", "location", "room", "team", "supervisors"}),
            frozenset(getattr(item.booking, "attendees", ())),
        )
        for item in given.items(scenario)
    }


@settings(max_examples=60, deadline=None)
@given(PLANS, PLANS)
def test_the_changes_of_two_plans_applied_to_the_first_give_the_second(before: Plan, after: Plan) -> None:
    found = stands(ASKED, before)
    for change in compare(ASKED, before, after).changes:
        old = found.pop((change.kind, change.id), (None, frozenset()))
        assert (None if change.before is None else change.before.model_dump()) == old[0]
        if change.after is not None:
            attendees = (old[1] - set(change.leaving)) | set(change.joining)
            found[change.kind, change.id] = (change.after.model_dump(), attendees)
    assert found == stands(ASKED, after)


@settings(max_examples=60, deadline=None)
@given(PLANS, PLANS)
def test_comparing_the_other_way_round_mirrors_every_change(before: Plan, after: Plan) -> None:
    mirrored = {"added": "dropped", "dropped": "added"}
    there, back = compare(ASKED, before, after), compare(ASKED, after, before)
    assert [(c.kind, c.id, mirrored.get(c.difference, c.difference), c.after, c.before, c.leaving) for c in there.changes] == [
        (c.kind, c.id, c.difference, c.before, c.after, c.joining) for c in back.changes
    ]
    assert there.cost.difference == -back.cost.difference
    assert there.cost.difference == sum(cost.difference for cost in there.costs.values())
    assert there.cost.after == check(ASKED, after).cost


@settings(max_examples=60, deadline=None)
@given(PLANS, PLANS)
def test_nothing_that_is_alike_appears_and_nothing_else_is_left_out(before: Plan, after: Plan) -> None:
    old, new = stands(ASKED, before), stands(ASKED, after)
    differing = {key for key in {*old, *new} if old.get(key) != new.get(key)}
    assert {(change.kind, change.id) for change in compare(ASKED, before, after).changes} == differing
