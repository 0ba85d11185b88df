"""The commands of a week that changes, and the words in which changes are told."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from support import factories
from support.factories import booking, current, session, visit

from api.reports.changes import counted, moves_table, reason, words
from scheduling.check import check
from scheduling.comparison import compare
from scheduling.fields import format_stamp
from scheduling.plan import Plan, Reason, Unscheduled
from scheduling.scenario import Scenario
from solver import Move

ASKED = factories.scenario(visit("v1"), visit("v2", "quin", "bedside"), factories.group("g", "sol", "tam"))


def told(before: Any, after: Any) -> list[str]:
    plans = [factories.plan(ASKED, *wishes) for wishes in (before, after)]
    return [words(change) for change in compare(ASKED, *plans).changes]


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            [booking("v1", "MO 09:00")],
            [booking("v1", "TU 10:00", "wang-exam-2", "dee")],
            "v1 moves from Mon 30 Nov 09:00 wang-exam-1 with ana to Tue 01 Dec 10:00 wang-exam-2 with dee; call pat",
        ),
        ([booking("v1", "MO 09:00")], [], "v1 is left out; it was on Mon 30 Nov 09:00 wang-exam-1 with ana; call pat"),
        ([], [booking("v2", "MO 09:00", None)], "v2 is added on Mon 30 Nov 09:00 wang with ana"),
        (
            [booking("v1", "MO 09:00", team="cy", supervisors="ana")],
            [booking("v1", "MO 09:00", "wang-exam-2", "cy", supervisors="dee")],
            "v1 has wang-exam-2 instead of wang-exam-1 and is supervised by dee instead of ana",
        ),
        (
            [session("g", "TU 09:00", "sol")],
            [session("g", "TU 09:00", "tam")],
            "group g stays on Tue 01 Dec 09:00 wang-group with ben, tam joining, sol leaving; call sol",
        ),
    ],
)
def test_a_change_is_told_in_one_sentence(before: Any, after: Any, sentence: str) -> None:
    assert told(before, after) == [sentence]


@pytest.mark.parametrize(
    ("move", "why"),
    [
        (Move("visit", "v", (), "forced", ("busy", "closure")), "cannot stay (busy, closure)"),
        (Move("visit", "v", (), "free", costs_more=12), "staying would cost 12 more"),
        (Move("visit", "v", (), "free", costs_more=0), "staying costs the same"),
        (Move("visit", "v", (), "free", costs_more=-3), "staying would save 3: the search ended before"),
        (
            Move("visit", "v", (), "pays", ("room-overlap",), ("w",), 1200),
            "staying, with w giving way (room-overlap), would cost 1,200 more",
        ),
        (
            Move("visit", "v", (), "in-the-way", ("link",), ("w",)),
            "staying is at odds with w (link); no way to make room was found",
        ),
    ],
)
def test_a_move_is_explained_in_words(move: Move, why: str) -> None:
    assert reason(move) == why


def test_moves_that_were_not_examined_are_counted() -> None:
    console = Console(width=120, record=True, file=StringIO())
    console.print(moves_table([Move("visit", "v", ("pat",), "forced", ("busy",)), Move("visit", "w", (), "not-examined")]))
    text = console.export_text()
    assert "Not where they stand: 2" in text and "cannot stay (busy)" in text
    assert "and 1 more that the time was too short to examine" in text


def test_a_count_names_only_what_there_is() -> None:
    one, other = factories.plan(ASKED, booking("v1", "MO 09:00")), factories.plan(ASKED, booking("v1", "MO 09:10"))
    assert counted(compare(ASKED, one, other)) == "1 moved; 1 patients to call again"
    assert counted(compare(ASKED, one, one)) == "nothing changes"


# --- diff ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(asked: Scenario) -> Plan:
    """Return another plan of the week."""
    given = factories.plan(asked, booking("v-1", "MO 09:00"), booking("v-2", "MO 13:00", "west-exam", "ana ben", "west"))
    given.write("other.json")
    return given


def test_diff_tells_changes_and_costs(run: Any, other: Plan, made: Plan) -> None:
    result = run("diff", "week.json", "plan.json", "other.json")
    assert result.code == 0
    assert "v-1 moves from Tue 01 Dec 09:00" in result.out and "v-3 is left out" in result.out
    assert "v-2" not in result.out
    assert f"{made.cost:,}" in result.out and f"{other.cost:,}" in result.out
    assert "Secret" not in result.out


def test_diff_of_a_plan_and_itself_is_empty(run: Any) -> None:
    result = run("diff", "week.json", "plan.json", "plan.json")
    assert result.out.startswith("Nothing changes.")
    assert run("diff", "week.json", "plan.json", "plan.json", "--json").json["changes"] == []


def test_diff_as_json_is_the_comparison(run: Any, other: Plan, asked: Scenario, made: Plan) -> None:
    result = run("diff", "week.json", "plan.json", "other.json", "--json")
    assert result.json == compare(asked, made, other).model_dump(mode="json")


def test_diff_takes_a_second_scenario(run: Any, asked: Scenario) -> None:
    grown = asked.changed(id="grown", visits=(*asked.visits, visit("v-9", "tam")))
    grown.write("grown.json")
    factories.plan(grown, booking("v-9", "MO 09:00")).write("other.json")
    assert run("diff", "week.json", "plan.json", "other.json").code == 2
    result = run("diff", "week.json", "plan.json", "other.json", "--to-scenario", "grown.json")
    assert "v-9 is added" in result.out


# --- what-if ---------------------------------------------------------------------------------------------------------


def answering(solving: Any, *wishes: factories.Wish) -> None:
    """Let the solver answer whatever it is asked with some bookings beside the pins."""

    def answer(asked: Scenario) -> Plan:
        pins = [(visit.id, visit.pinned) for visit in asked.visits if visit.pinned is not None]
        kept = [booking(name, format_stamp(place.start), place.room, "") for name, place in pins]
        return factories.plan(asked, *kept, *wishes)

    solving.answer = answer


STAYING = (
    booking("v-2", "MO 13:00", "west-exam", "ana ben", "west"),
    booking("v-3", "FR 13:00", "wang-proc-1", "cy", supervisors="ana"),
    session("coping", "TH 09:00", "quin tam"),
    booking("hold-1", "TU 13:00"),
)


def test_what_if_plans_again_and_writes_nothing(run: Any, solving: Any, made: Plan) -> None:
    answering(solving, booking("v-1", "TU 09:00", team="dee"), booking("v-5", "MO 13:00"), *STAYING)
    before = run.files()
    closed = ("--close", "wang-exam-1:2026-11-30T10:00:2026-11-30T12:00", "--close", "west:2026-12-02:2026-12-02")
    result = run("what-if", "week.json", "plan.json", *closed, "--away", "ben:2026-12-03T15:00:2026-12-04", "-s", "3")
    assert (result.code, run.files()) == (0, before)
    assert "v-5 moves from Mon 30 Nov 11:00" in result.out
    assert "staying" in result.out and "closed:" not in result.out
    upset = solving.asked
    assert [closure.room for closure in upset.clinic.closures] == [None, "wang-exam-1", None]
    assert len(upset.providers_by_id["ben"].busy) == 1
    assert upset.visits_by_id["v-5"].current == current("MO 11:00").model_copy(update={"supervisors": ()})
    assert [b.start for b in solving.start.visits if b.visit == "v-1"] == [made.visits_by_id["v-1"].start]
    assert solving.limits.seconds == 3


def test_what_if_as_json_has_both_plans_the_changes_and_the_reasons(run: Any, solving: Any) -> None:
    answering(solving, booking("v-1", "TU 09:00", team="dee"), *STAYING)
    extra = ("--open", "dee:2026-12-05T08:00:2026-12-05T12:00:wang", "--away", "ana:2026-11-30T10:00:2026-11-30T12:00")
    document = run("what-if", "week.json", "plan.json", *extra, "--json").json
    assert [change["id"] for change in document["comparison"]["changes"]] == ["v-5"]
    assert [(move["id"], move["finding"], move["rules"]) for move in document["moves"]] == [("v-5", "forced", ["busy"])]
    assert document["after"]["cost"] - document["before"]["cost"] == document["comparison"]["cost"]["difference"]
    assert document["before"]["costs"]["moved"] == 0 and document["after"]["costs"]["moved"] == 47


def test_what_if_at_a_moment_leaves_the_past_as_it_was(run: Any, solving: Any) -> None:
    answering(solving, booking("v-1", "TU 09:00", team="dee"), booking("v-5", "MO 11:00"), *STAYING)
    result = run(
        "what-if", "week.json", "plan.json", "--close", "wang:2026-11-30:2026-12-01", "--now", "2026-12-01T14:00", "--json"
    )
    upset = solving.asked
    assert format_stamp(upset.clinic.closures[-1].start) == "2026-12-01T14:00"
    assert result.json["comparison"]["changes"][0]["id"] == "hold-1"


def test_what_if_whose_pins_cannot_be_kept_ends_with_three(run: Any, solving: Any, made: Plan) -> None:
    reasons = (Reason(rule="pinned", detail="closed"),)
    pinned = factories.scenario(visit("v-1", pinned=factories.pin("MO 09:00")))
    pinned.write("pinned.json")
    factories.plan(pinned, booking("v-1", "MO 09:00")).write("plan.json")
    solving.plan = factories.plan(pinned).changed(status="unknown", unscheduled=(Unscheduled(visit="v-1", reasons=reasons),))
    result = run("what-if", "pinned.json", "plan.json", "--away", "ana:2026-11-30:2026-11-30")
    assert result.code == 3
    assert "v-1: pinned: closed" in result.err


BAD = (
    (("--close", "nowhere:2026-12-01:2026-12-01"), 'unknown room or location "nowhere"'),
    (("--close", "wang-exam-1"), "wang-exam-1: is not ROOM:FROM:TO"),
    (("--away", "ana:2026-12-01T13:00:2026-12-01T12:00"), "is not after the start"),
    (("--open", "ana:2026-12-01:2026-12-01:wang"), "is not PROVIDER:FROM:TO:LOCATION"),
    (("--open", "ana:2026-12-01T09:00:2026-12-01T10:00:wang"), "overlaps the shift"),
    (("--now", "tomorrow"), "--now"),
)


@pytest.mark.parametrize(("arguments", "message"), BAD)
def test_a_disturbance_that_is_none_is_one_message(run: Any, solving: Any, arguments: tuple[str, ...], message: str) -> None:
    result = run("what-if", "week.json", "plan.json", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert solving.limits is None


# --- offers, insertions and backfill ---------------------------------------------------------------------------------


@pytest.fixture
def week(run: Any) -> SimpleNamespace:
    """Return a small week that the solver itself can answer about, with its files and a visit to add."""
    asked = factories.scenario(visit("v-1"), visit("v-2", "quin", target="MO"), id="small")
    given = factories.plan(asked, booking("v-1", "MO 09:00"))
    asked.write("small.json")
    given.write("small.plan.json")
    more = visit("new", "rae").model_dump(mode="json")
    Path("visit.json").write_text(json.dumps(more))
    Path("never.json").write_text(json.dumps({**more, "earliest": "2027-01-04"}))
    return SimpleNamespace(asked=asked, given=given)


def test_offers_are_ranked_places(run: Any, week: Any) -> None:
    result = run("offer", "small.json", "small.plan.json", "visit.json", "--count", "2")
    assert result.code == 0
    assert "Offers" in result.out and "new" in result.out
    offers = run("offer", "small.json", "small.plan.json", "visit.json", "--count", "2", "--json").json["offers"]
    assert len(offers) == 2
    assert all(offer["notified"] == 0 and offer["bookings"][0]["visit"] == "new" for offer in offers)


@pytest.mark.parametrize("command", [("offer",), ("insert", "-o", "new.json")])
def test_a_plan_may_leave_out_the_visit_that_is_added(run: Any, week: Any, command: tuple[str, ...]) -> None:
    left = (*week.given.unscheduled, Unscheduled(visit="new", reasons=()))
    week.given.changed(unscheduled=left, cost=week.given.cost + 101).write("left.plan.json")
    named = run(command[0], "small.json", "left.plan.json", "visit.json", *command[1:], "--json")
    unnamed = run(command[0], "small.json", "small.plan.json", "visit.json", *command[1:], "--json")
    assert (named.code, named.json) == (0, unnamed.json)


@pytest.mark.parametrize("command", [("offer",), ("insert", "-o", "new.json")])
def test_a_plan_that_leaves_out_another_visit_is_refused(run: Any, week: Any, command: tuple[str, ...]) -> None:
    left = (*week.given.unscheduled, *(Unscheduled(visit=name, reasons=()) for name in ("new", "other")))
    week.given.changed(unscheduled=left).write("left.plan.json")
    result = run(command[0], "small.json", "left.plan.json", "visit.json", *command[1:])
    assert result.code != 0
    assert f'unscheduled[{len(left) - 1}].visit: unknown visit "other"' in result.err
    assert "new.json" not in run.files()


def test_an_offer_at_a_moment_is_after_it(run: Any, week: Any) -> None:
    arguments = ("offer", "small.json", "small.plan.json", "visit.json", "--now", "2026-12-03T10:00", "--json")
    assert all(offer["bookings"][0]["start"] >= "2026-12-03T10:00" for offer in run(*arguments).json["offers"])


def test_without_a_place_there_are_reasons_and_exit_code_five(run: Any, week: Any) -> None:
    for command in (("offer",), ("insert", "-o", "new.json")):
        result = run(command[0], "small.json", "small.plan.json", "never.json", *command[1:])
        assert result.code == 5
        assert "Why new is left out" in result.out
        machine = run(command[0], "small.json", "small.plan.json", "never.json", *command[1:], "--json")
        assert machine.code == 5
        assert machine.json["reasons"][0]["visit"] == "new"
    assert "new.json" not in run.files()


def test_an_insertion_writes_a_plan_and_the_scenario_that_it_answers(run: Any, week: Any) -> None:
    result = run("insert", "small.json", "small.plan.json", "visit.json", "-o", "new.json")
    assert result.code == 0
    assert "new is added on" in result.out and "new.scenario.json" in result.err
    grown = Scenario.read("new.scenario.json")
    placed = Plan.read("new.json", grown)
    assert not check(grown, placed).violations
    assert "new" in placed.visits_by_id
    assert run("check", "new.scenario.json", "new.json").code == 0


def test_an_insertion_keeps_the_identifiers_of_the_plan(run: Any, week: Any) -> None:
    assert run("export", "small.json", "small.plan.json", "--all", "-o", "calendars").code == 0
    assert run("insert", "small.json", "small.plan.json", "visit.json", "-o", "new.json").code == 0
    assert Path("new.uids.json").read_bytes() == Path("small.plan.uids.json").read_bytes()


def test_an_insertion_may_name_its_scenario(run: Any, week: Any) -> None:
    arguments = ("-o", "new.json", "--scenario-out", "grown.json", "--json")
    document = run("insert", "small.json", "small.plan.json", "visit.json", *arguments).json
    assert document["files"] == {"plan": "new.json", "scenario": "grown.json"}
    assert [change["id"] for change in document["comparison"]["changes"]] == ["new"]
    assert "new.scenario.json" not in run.files()


def test_a_visit_that_cannot_be_read_is_named(run: Any, week: Any) -> None:
    Path("visit.json").write_text('{"id": "new"}')
    result = run("offer", "small.json", "small.plan.json", "visit.json")
    assert result.code == 2
    assert "visit.json" in result.err


def test_backfill_names_who_waits(run: Any, week: Any) -> None:
    result = run("backfill", "small.json", "small.plan.json")
    assert result.code == 0
    assert "v-2" in result.out and "v-1" not in result.out
    (backfill,) = run("backfill", "small.json", "small.plan.json", "--json").json["backfills"]
    assert backfill["cost"] < 0


def test_backfill_after_a_cancellation_uses_its_time(run: Any, week: Any) -> None:
    (backfill,) = run("backfill", "small.json", "small.plan.json", "--cancelled", "v-1", "--json").json["backfills"]
    assert backfill["bookings"][0]["visit"] == "v-2" and backfill["bookings"][0]["start"].startswith("2026-11-30T0")
    assert run("backfill", "small.json", "small.plan.json", "--cancelled", "v-9").code == 2


def test_backfill_of_a_week_in_which_nobody_waits_says_so(run: Any, week: Any) -> None:
    factories.plan(week.asked, booking("v-1", "MO 09:00"), booking("v-2", "MO 13:00")).write("small.plan.json")
    assert "Nobody who waits" in run("backfill", "small.json", "small.plan.json").out
