"""Why people are moved: every finding holds when it is tried."""

from __future__ import annotations

from typing import Any

from support.factories import (
    at,
    booking,
    clinic,
    closure,
    current,
    current_group,
    group,
    link,
    people,
    pin,
    plan,
    policy,
    provider,
    scenario,
    session,
    visit,
)

from scheduling.check import check
from scheduling.disruptions import PlaceClosure, apply_disruptions
from scheduling.fields import format_stamp
from solver.change.moves import Move, explain_moves

ALONE = [provider("ana", "pain")]
"""One physician, who is in everybody's way."""


def only(found: tuple[Move, ...]) -> Move:
    (move,) = found
    return move


def test_who_stays_or_stood_nowhere_is_not_moved() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00")), visit("v2", "quin"))
    assert explain_moves(asked, plan(asked, booking("v1", "MO 09:00", "wang-exam-2"), booking("v2", "MO 13:00"))) == ()


def test_who_cannot_stay_is_forced_and_the_rule_is_named() -> None:
    asked = scenario(
        visit("v1", current=current("MO 09:00")), clinic=clinic(closures=[closure("MO 09:00", "MO 10:00", "wang")])
    )
    move = only(explain_moves(asked, plan(asked, booking("v1", "MO 11:00"))))
    assert move == Move("visit", "v1", ("pat",), "forced", ("closure",))


def test_who_may_stay_with_another_room_is_not_forced() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00")))
    rooms = [
        PlaceClosure.model_validate_json(
            f'{{"place": "wang-exam-{n}", "start": "{at("MO 09:00")}", "end": "{at("MO 10:00")}"}}'
        )
        for n in (1, 2, 3)
    ]
    for closed, finding in ((rooms[:2], "free"), (rooms, "forced")):
        upset = apply_disruptions(asked, closed)
        kept = [booking(v.id, format_stamp(v.pinned.start), v.pinned.room, "") for v in upset.visits if v.pinned]
        move = only(explain_moves(upset, plan(upset, *kept, booking("v1", "MO 11:00"))))
        assert move.finding == finding
    assert move.rules == ("closure",)


def test_who_may_stay_under_another_supervisor_is_not_forced() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00", team="cy")))
    assert only(explain_moves(asked, plan(asked, booking("v1", "MO 11:00", team="cy", supervisors="ana")))).finding == "free"
    trainees = [person for person in people() if person.trainee]
    asked = asked.changed(providers=tuple(trainees))
    move = only(explain_moves(asked, plan(asked)))
    assert (move.finding, move.rules) == ("forced", ("supervision",))


def test_what_staying_would_cost_is_what_the_checker_says() -> None:
    asked = scenario(visit("v1", current=current("TU 09:00"), priority="cancer"))
    earlier = plan(asked, booking("v1", "MO 09:00"))
    move = only(explain_moves(asked, earlier))
    stays = check(asked, plan(asked, booking("v1", "TU 09:00"))).cost
    assert (move.finding, move.costs_more) == ("free", stays - earlier.cost)


def test_a_move_that_pays_is_dearer_undone() -> None:
    asked = scenario(
        visit("v1", current=current("TU 09:00"), priority="cancer"), policy=policy(moved_notified=1, moved_notified_per_day=1)
    )
    move = only(explain_moves(asked, plan(asked, booking("v1", "MO 09:00"))))
    assert move.costs_more == 19 - 2


def test_who_is_in_the_way_is_named_and_gives_way() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00")), visit("v2", "quin"), providers=ALONE)
    made = plan(asked, booking("v1", "MO 11:00"), booking("v2", "MO 09:20"))
    move = only(explain_moves(asked, made))
    assert (move.finding, move.others) == ("pays", ("v2",))
    assert {"provider-overlap", "room-overlap"} <= set(move.rules)
    assert move.costs_more == -47


def test_who_cannot_give_way_stays_in_the_way() -> None:
    asked = scenario(
        visit("v1", current=current("MO 09:20")),
        visit("v2", "quin", current=current("MO 09:00")),
        providers=ALONE,
        now="MO 08:00",
        freeze_minutes=65,
    )
    move = only(explain_moves(asked, plan(asked, booking("v1", "MO 11:00"), booking("v2", "MO 09:00"))))
    assert (move.finding, move.others, move.costs_more) == ("in-the-way", ("v2",), None)


def test_only_who_was_told_has_to_be_called() -> None:
    asked = scenario(
        visit("v1", current=current("MO 09:00", notified=False)),
        group("g", "sol", "tam", current=current_group("TU 09:00", "sol", "tam")),
    )
    found = explain_moves(asked, plan(asked, booking("v1", "MO 11:00"), session("g", "TU 09:00", "tam")))
    assert [(move.kind, move.id, move.people) for move in found] == [("visit", "v1", ()), ("group", "g", ("sol",))]


def test_a_session_that_could_stay_has_its_price() -> None:
    asked = scenario(group("g", "sol", "tam", current=current_group("TU 09:00", "sol", "tam")))
    made = plan(asked, session("g", "WE 09:00", "sol tam"))
    move = only(explain_moves(asked, made))
    assert (move.finding, move.people, move.costs_more) == ("free", ("sol", "tam"), -made.costs.moved)


def test_what_the_time_was_too_short_for_says_so() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00")))
    assert only(explain_moves(asked, plan(asked), seconds=0)).finding == "not-examined"


def test_findings_do_not_depend_on_a_plans_stated_cost() -> None:
    asked: Any = scenario(visit("v1", current=current("MO 09:00")))
    made = plan(asked, booking("v1", "MO 11:00"))
    assert explain_moves(asked, made.changed(cost=1)) == explain_moves(asked, made)


def test_a_visit_away_from_what_it_is_linked_with_is_in_the_way_by_that_link() -> None:
    visits = (visit("v1"), visit("v2", current=current("WE 09:00")))
    asked = scenario(*visits, link("v1", "v2", 1, 1))
    move = only(explain_moves(asked, plan(asked, booking("v1", "WE 13:00"), booking("v2", "TH 13:00"))))
    assert (move.finding, move.rules, move.others) == ("pays", ("link",), ("v1",))


def test_a_visit_that_is_pinned_elsewhere_is_forced() -> None:
    asked = scenario(visit("v1", current=current("MO 09:00"), pinned=pin("MO 11:00")))
    move = only(explain_moves(asked, plan(asked, booking("v1", "MO 11:00"))))
    assert (move.finding, move.rules) == ("forced", ("pinned",))


def test_links_and_pins_of_others_are_not_in_the_way() -> None:
    asked = scenario(
        visit("v1", current=current("MO 09:00")),
        visit("v2", "quin"),
        visit("x", "rae"),
        visit("y", "rae"),
        visit("z", "sol", pinned=pin("WE 09:00")),
        link("x", "y", 1, 1),
    )
    wishes = (booking("v2", "MO 09:20"), booking("x", "SU- 09:00"), booking("y", "MO 13:00"), booking("z", "WE 09:00"))
    found = only(explain_moves(asked, plan(asked, booking("v1", "MO 11:00"), *wishes)))
    assert "link" not in found.rules and "pinned" not in found.rules
    assert found.others == ("v2",)
