"""Backfill: who would best use free time, what that saves, and what is left when a visit is cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.factories import booking, current, link, on, pin, plan, policy, provider, scenario, shift, visit

from scheduling.check import check
from scheduling.errors import InvalidFile, UnknownId
from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.change.backfill import Backfill, cancel_visit, find_backfills

FEW = settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = ("pat", "quin", "rae", "sol", "tam")


def slots(*days: str, name: str = "ana") -> Any:
    """Build a physician who has time for one follow-up on each of some days."""
    return provider(name, shifts=[shift(f"{day} 08:00", "08:40") for day in days])


def told(found: tuple[Backfill, ...]) -> list[tuple[str, str, int]]:
    """Return who is taken when, and what it saves."""
    return [(one.visit, f"{one.bookings[0].start:%a %H:%M}", one.saved) for one in found]


def test_those_that_save_most_come_first() -> None:
    week = scenario(
        visit("v1", "pat"),
        visit("v2", "quin", priority="urgent"),
        visit("v3", "rae", priority="soon"),
        providers=[slots("MO", "TU")],
    )
    assert told(find_backfills(week, plan(week))) == [
        ("v2", "Mon 08:00", 401),
        ("v3", "Mon 08:00", 211),
        ("v1", "Mon 08:00", 101),
    ]
    assert told(find_backfills(week, plan(week), count=1)) == [("v2", "Mon 08:00", 401)]


def test_a_visit_later_than_its_target_comes_sooner_and_one_in_time_stays() -> None:
    week = scenario(
        visit("v1", target="MO"), visit("v2", "quin", target="FR"), providers=[slots("MO", "WE"), slots("TH", name="dee")]
    )
    standing = plan(week, booking("v1", "WE 08:00"), booking("v2", "TH 08:00", team="dee"))
    assert told(find_backfills(week, standing)) == [("v1", "Mon 08:00", 2 * (2 + 7))]


def test_the_call_of_a_patient_who_was_told_is_part_of_what_is_saved() -> None:
    def found(moved_notified: int) -> tuple[Backfill, ...]:
        week = scenario(
            visit("v1", target="MO", current=current("WE 08:00")),
            providers=[slots("MO", "WE")],
            policy=policy(moved_notified=moved_notified, moved_notified_per_day=0),
        )
        return find_backfills(week, plan(week, booking("v1", "WE 08:00")))

    assert told(found(17)) == [("v1", "Mon 08:00", 1)]
    assert not found(18)


@pytest.mark.parametrize(
    ("changes", "more"),
    [
        ({"pinned": pin("WE 08:00")}, {}),
        ({"current": current("WE 08:00")}, {"now": "MO 07:00", "freeze_minutes": 3 * 24 * 60}),
        (
            {"current": current("WE 08:00")},
            {"policy": policy(max_notified_moves=0, moved_notified=0, moved_notified_per_day=0)},
        ),
    ],
)
def test_a_late_visit_that_must_stay_does_not_wait(changes: dict[str, Any], more: dict[str, Any]) -> None:
    week = scenario(visit("v1", target="MO", **changes), providers=[slots("MO", "WE")], **more)
    assert not find_backfills(week, plan(week, booking("v1", "WE 08:00")))


def test_only_places_that_use_what_was_freed_count_when_it_is_named() -> None:
    week = scenario(
        visit("v1"),
        visit("v2", "quin", deadline="MO"),
        visit("v3", "rae"),
        providers=[slots("MO", "TU"), slots("MO", "TU", name="dee")],
    )
    standing = plan(week, booking("v1", "TU 08:00"))
    left, after = cancel_visit(week, standing, "v1")
    assert told(find_backfills(left, after)) == [("v2", "Mon 08:00", 303), ("v3", "Mon 08:00", 101)]
    backfills = find_backfills(left, after, freed=standing.visits[0])
    assert told(backfills) == [("v3", "Tue 08:00", 99)]
    assert backfills[0].bookings[0].team == ("ana",)


def test_a_visit_comes_with_the_one_it_follows_when_both_wait() -> None:
    week = scenario(visit("v1", priority="cancer"), visit("v2"), link("v2", "v1", 1, 1), providers=[slots("MO", "TU")])
    backfills = find_backfills(week, plan(week))
    assert [[made.visit for made in one.bookings] for one in backfills] == [["v1", "v2"], ["v2"]]
    assert [one.saved for one in backfills] == [997 + 101 - 19 - 37, 101]


def test_a_plan_without_waiting_visits_needs_no_backfill() -> None:
    week = scenario(visit("v1"), providers=[slots("MO", "TU")])
    assert find_backfills(week, plan(week, booking("v1", "TU 08:00"))) == ()


def test_a_plan_that_breaks_a_rule_has_to_be_made_anew_first() -> None:
    week = scenario(visit("v1"), providers=[slots("MO")])
    with pytest.raises(InvalidFile, match="shift"):
        find_backfills(week, plan(week, booking("v1", "TU 08:00")))


def test_a_cancelled_visit_leaves_scenario_and_plan_with_those_that_need_it() -> None:
    asked = [visit(name) for name in ("v1", "v2", "v3", "v4", "v5")]
    links = [link("v1", "v2", 1), link("v2", "v3", 1), link("v4", "v2", together=True), link("v5", "v1")]
    week = scenario(*asked, *links, providers=[slots("MO", "TU", "WE", "TH", "FR"), slots("MO", name="dee")])
    standing = plan(week, booking("v5", "MO 08:00"), booking("v1", "TU 08:00"))
    left, after = cancel_visit(week, standing, "v1")
    assert [one.id for one in left.visits] == ["v5"]
    assert not left.links
    assert [made.visit for made in after.visits] == ["v5"]
    assert not check(left, after).violations
    assert after.cost == check(left, after).cost
    assert Scenario.parse(left.model_dump_json(exclude_unset=True)) == left
    Plan.parse(after.model_dump_json(), left)


def test_an_unknown_visit_cannot_be_cancelled() -> None:
    week = scenario()
    with pytest.raises(UnknownId, match="ghost"):
        cancel_visit(week, plan(week), "ghost")


@st.composite
def weeks(draw: st.DrawFn) -> tuple[Scenario, Plan]:
    """Draw a week with little time, a plan that keeps its rules, and visits that wait."""
    days = ("MO", "TU", "WE", "TH")
    asked = [
        visit(
            f"v{number}",
            draw(st.sampled_from(NAMES)),
            priority=draw(st.sampled_from(["routine", "soon", "urgent"])),
            target=draw(st.sampled_from([None, "MO", "TU"])),
            deadline=draw(st.sampled_from([None, "TU", "TH"])),
        )
        for number in range(6)
    ]
    free = draw(st.permutations(days))
    planned = [
        booking(one.id, f"{day} 08:00")
        for one, day in zip(asked, free[: draw(st.integers(0, 4))], strict=False)
        if one.deadline is None or on(day) <= one.deadline.isoformat()
    ]
    week = scenario(*asked, providers=[slots(*days), slots(draw(st.sampled_from(days)), name="dee")])
    return week, plan(week, *planned)


@FEW
@given(weeks())
def test_every_backfill_keeps_every_rule_saves_what_it_says_and_moves_nobody_else(drawn: Any) -> None:
    week, standing = drawn
    backfills = find_backfills(week, standing, count=9)
    assert [one.saved for one in backfills] == sorted((one.saved for one in backfills), reverse=True)
    assert len({one.visit for one in backfills}) == len(backfills)
    for one in backfills:
        verdict = check(week, one.plan)
        assert not verdict.violations
        assert one.saved == standing.cost - verdict.cost > 0
        assert not one.moves
