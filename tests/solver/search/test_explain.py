"""Reasons are given, and they are true: what they say would help does, and what is proven best is never said to be missed."""

from __future__ import annotations

from itertools import count, pairwise
from typing import Any

import pytest
from support.factories import (
    booking,
    clinic,
    link,
    on,
    patient,
    pin,
    plan,
    policy,
    provider,
    room,
    scenario,
    service,
    shift,
    visit,
)

from scheduling.additions import Addition
from scheduling.people import Provider
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario
from solver import Limits, explain, find_offers, solve
from solver.search import explain as explanation
from solver.search.explain import reasons_left_out
from solver.state.domains import Domains
from solver.state.placements import get_placements

SECONDS = 30.0
"""Long enough for any of these searches."""

LIMITS = Limits(seconds=SECONDS, workers=1, deterministic=True)
MONDAY = {"start": on("MO"), "end": on("TU")}


def planned(asked: Scenario) -> Plan:
    """Plan a small scenario to the proven end."""
    made = solve(asked, LIMITS)
    assert made.status == "optimal"
    return made


def why(asked: Scenario, given: Plan, identifier: str = "new", seconds: float = SECONDS) -> dict[str, str]:
    """Return what is said of each rule, the last where there are several."""
    return {reason.rule: reason.detail for reason in explain(asked, given, identifier, seconds)}


def details(asked: Scenario, given: Plan, rule: str) -> list[str]:
    """Return everything that is said of one rule."""
    return [reason.detail for reason in explain(asked, given, "new", SECONDS) if reason.rule == rule]


# --- one visit -------------------------------------------------------------------------------------------------------


def test_what_is_planned_has_no_reasons() -> None:
    asked = scenario(visit("new"))
    assert explain(asked, plan(asked, booking("new", "MO 08:00")), "new") == ()


def test_a_rule_is_named_when_the_visit_has_a_place_without_it_and_only_then() -> None:
    asked = scenario(
        visit("v1", "quin", pinned=pin("MO 08:00")),
        visit("new"),
        providers=[provider("ana", shifts=[shift("MO 08:00", "08:40")])],
        horizon=MONDAY,
    )
    said = why(asked, plan(asked, booking("v1", "MO 08:00")))
    assert said["provider-overlap"] == "without this rule it would fit on Mon 30 Nov at 08:00, wang, with ana (cost 0)"
    assert not {"room", "room-overlap", "equipment", "deadline", "several"} & said.keys()


def test_where_no_single_rule_helps_it_is_said_so() -> None:
    asked = scenario(
        visit("v1", "pat", pinned=pin("MO 08:00")),
        visit("new"),
        providers=[provider("ana", shifts=[shift("MO 08:00", "08:40")])],
        horizon=MONDAY,
    )
    assert "several" in why(asked, plan(asked, booking("v1", "MO 08:00")))


FAR = [provider("ana", shifts=[shift("MO 08:00", "08:40")]), provider("dee", shifts=[shift("MO 08:40", "09:20", "west")])]
TORN = [provider("ana", shifts=[shift("MO 08:00", "08:40"), shift("MO 08:50", "09:30", "west")])]
ALONE = [
    provider("ana", shifts=[shift("MO 08:00", "08:40")]),
    provider("cy", trainee=True, shifts=[shift("MO 08:40", "09:20")]),
]


@pytest.mark.parametrize(
    ("rule", "of", "people"),
    [("patient-travel", "pat", FAR), ("travel", "quin", TORN), ("supervision", "quin", ALONE)],
    ids=["patient", "provider", "fellow"],
)
def test_time_to_travel_and_a_missing_supervisor_are_named(rule: str, of: str, people: list[Provider]) -> None:
    asked = scenario(visit("v1", of, pinned=pin("MO 08:00")), visit("new", deadline="MO"), providers=people, horizon=MONDAY)
    said = why(asked, plan(asked, booking("v1", "MO 08:00")))
    assert said[rule].startswith("without this rule it would fit on Mon 30 Nov at 08:")
    assert "several" not in said


def test_a_place_that_an_unfinished_search_missed_is_named() -> None:
    asked = scenario(visit("new"))
    assert why(asked, plan(asked)) == {
        "not-found": "it would fit on Mon 30 Nov at 08:00, wang, with ana (cost 0): the search ended before it got there"
    }


def test_a_place_that_costs_more_than_leaving_out_is_named_with_both_costs() -> None:
    asked = scenario(
        visit("new", target="MO", preferred_providers=["dee"]),
        patients=[patient("pat", preferred_site="waltham", prefers="afternoon")],
        providers=[provider("ana", shifts=[shift("FR 08:00", "09:00")]), provider("dee", "psychiatry", shifts=[])],
    )
    made = planned(asked)
    expected = "it fits on Fri 04 Dec at 08:00, wang, with ana (cost 119), but leaving it out costs no more (101)"
    assert why(asked, made)["cost"] == expected
    assert plan(asked, booking("new", "FR 08:00")).cost == 119 > made.cost == 101


def test_what_a_place_costs_others_counts_too_so_that_the_best_plan_missed_nothing() -> None:
    asked = scenario(
        visit("v1", "quin", pinned=pin("MO 08:00")),
        visit("new", deadline="MO"),
        patients=[patient("pat", allowed_sites=["waltham"])],
        providers=[provider("ana", shifts=[shift("MO 08:00", "08:40"), shift("MO 13:00", "14:00", "west")])],
        policy=policy(site_change=500),
    )
    made = planned(asked)
    assert [left.visit for left in made.unscheduled] == ["new"]
    (reason,) = made.unscheduled[0].reasons
    assert reason.rule == "cost" and "(cost 500)" in reason.detail


@pytest.mark.parametrize(("end", "helps"), [("08:20", True), ("08:09", False)])
def test_longer_shifts_are_named_when_they_would_help_and_they_do(end: str, helps: bool) -> None:
    def week(last: str) -> Scenario:
        return scenario(visit("new"), providers=[provider("ana", shifts=[shift("MO 08:00", last)])], horizon=MONDAY)

    asked = week(end)
    said = [detail for detail in details(asked, planned(asked), "shift") if detail.startswith("with shifts")]
    assert said == ["with shifts 30 minutes longer it would fit on Mon 30 Nov at 08:00, wang, with ana (cost 0)"] * helps
    longer = week(f"{end[:3]}{int(end[3:]) + 30}")
    assert bool(planned(longer).visits) == helps


def test_longer_shifts_do_not_help_what_would_still_cost_more_than_leaving_out() -> None:
    asked = scenario(
        visit("new", target="MO", preferred_providers=["dee"]),
        patients=[patient("pat", preferred_site="waltham", prefers="afternoon")],
        providers=[provider("ana", shifts=[shift("FR 08:00", "08:20")]), provider("dee", "psychiatry", shifts=[])],
    )
    assert not [detail for detail in details(asked, planned(asked), "shift") if detail.startswith("with shifts")]


def test_longer_shifts_still_leave_time_to_travel() -> None:
    halves = [shift("MO 08:00", "08:30"), shift("MO 09:20", "10:10", "west")]
    asked = scenario(
        visit("v1", "quin", pinned=pin("MO 09:20", "west-exam", "ana", "west")),
        visit("new", deadline="MO"),
        patients=[patient("pat", allowed_sites=["boston"])],
        providers=[provider("ana", shifts=halves)],
        horizon=MONDAY,
    )
    given = plan(asked, booking("v1", "MO 09:20", "west-exam", "ana", "west"))
    said = [detail for detail in details(asked, given, "shift") if detail.startswith("with shifts")]
    assert not said


# --- making room -----------------------------------------------------------------------------------------------------

BARE: dict[str, Any] = {"room": None}
SHARED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "shift": (BARE, {}),
    "room": ({}, {"rooms": [room("wang-exam-1", "wang", "exam")]}),
    "device": ({**BARE, "equipment": ["generator"]}, {}),
    "bay": ({**BARE, "recovery": 20}, {"recovery": [{"location": "wang", "bays": 1}]}),
    "supervisor": ({**BARE, "attention": 2}, {}),
}
"""What two visits share: of their services, of the clinic."""


def staff(what: str) -> list[Provider]:
    """Return who alone gives the first visit, who the second; who gives both, when that is shared."""
    skills = {"ana": "one", "dee": "two"}
    if what == "shift":
        skills = {"ana": "one two"}
    if what == "supervisor":
        skills = {"ana": "one two", "cy": "one", "eli": "two"}
    morning = [shift("MO 08:00", "10:00")]
    return [provider(name, *able.split(), trainee=name in ("cy", "eli"), shifts=morning) for name, able in skills.items()]


def sharing(what: str, **first: Any) -> tuple[Scenario, Plan]:
    """Return a morning in which one visit takes what another needs at the only time that its patient has."""
    asked_of, clinics = SHARED[what]
    supervised = what == "supervisor"
    services = [service(name, team=[{"any_of": [name]}], **asked_of) for name in ("one", "two")]
    asked = scenario(
        visit("v1", "quin", "one", **first),
        visit("new", "pat", "two", pinned=pin("MO 08:10", None, "eli") if supervised else None),
        clinic=clinic(*services, **clinics),
        patients=[patient("pat", [("MO 09:00", "MO 18:00")])],
        providers=staff(what),
        horizon=MONDAY,
    )
    where = "wang-exam-1" if what == "room" else None
    stands = booking("v1", "MO 08:10", where, "cy" if supervised else "ana", supervisors="ana" if supervised else "")
    return asked, plan(asked, stands)


@pytest.mark.parametrize("what", SHARED)
def test_whoever_shares_what_a_visit_needs_is_named_to_make_room_and_offers_agree(what: str) -> None:
    asked, given = sharing(what)
    said = why(asked, given)["making-room"]
    assert said.startswith("the cheapest way changes 1 others (v1 on Mon 30 Nov at ")
    assert said.endswith("the plan's cost changes by -101")
    assert {one.visit for one in planned(asked).visits} == {"v1", "new"}
    without = asked.restrict_to({"v1"})
    alone = Plan.parse(given.changed(unscheduled=()).model_dump_json(), without)
    offers = find_offers(without, alone, Addition(visits=(asked.visit("new"),)), 5, SECONDS)
    assert [move.id for move in offers.offers[0].moves] == ["v1"]


@pytest.mark.parametrize("what", SHARED)
def test_where_who_shares_it_is_pinned_nobody_makes_room(what: str) -> None:
    where, who = "wang-exam-1" if what == "room" else None, "cy" if what == "supervisor" else "ana"
    asked, given = sharing(what, pinned=pin("MO 08:10", where, who))
    expected = "no way to make room for it by moving others: none exists among those that take what it could use"
    assert why(asked, given)["making-room"] == expected
    assert len(solve(asked, LIMITS).visits) == 1


# --- visits that go together -----------------------------------------------------------------------------------------


def test_a_visit_that_follows_one_left_out_says_so_and_what_keeps_both_out() -> None:
    asked = scenario(
        visit("v1", deadline="MO"),
        visit("new"),
        link("v1", "new", 1),
        providers=[provider("ana", shifts=[shift("TU 08:00", "12:00"), shift("WE 08:00", "12:00")])],
    )
    said = why(asked, planned(asked))
    assert said["link"] == "it follows v1, which is left out"
    assert said["deadline"].startswith("without this rule it would fit v1 on Tue 01 Dec at 08:00, wang, with ana and new on ")
    assert "not-found" not in said


@pytest.mark.parametrize("about", ["v1", "new"])
def test_visits_that_go_together_are_judged_together_and_a_missing_room_is_named(about: str) -> None:
    gym = service("gym", room={"kind": "gym", "features": ["mats"]}, locations=["wang"])
    asked = scenario(visit("v1"), visit("new", "pat", "gym"), link("v1", "new", 0, 1, together=True), clinic=clinic(gym))
    made = planned(asked)
    reasons = {left.visit: {reason.rule: reason.detail for reason in left.reasons} for left in made.unscheduled}
    assert set(reasons) == {"v1", "new"}
    assert reasons[about]["room"].startswith("wang has no gym room with mats: with one it would fit v1 on Mon 30 Nov at ")
    said = why(asked, made, about)
    assert not {"not-found", "several"} & (said.keys() | reasons[about].keys())
    assert not any(reason.detail.startswith("with shifts") for reason in explain(asked, made, about, SECONDS))
    there = clinic(gym, rooms=[*asked.clinic.rooms, room("wang-gym", "wang", "gym", "mats")])
    assert len(planned(asked.changed(clinic=there)).visits) == 2


def test_visits_that_go_together_and_fit_were_missed_together() -> None:
    asked = scenario(visit("v1"), visit("new", "pat"), link("v1", "new", 1, 1, together=True))
    expected = "it would fit v1 on Mon 30 Nov at 08:00, wang, with ana and new on Tue 01 Dec at 08:00, wang, with ana"
    assert why(asked, plan(asked), "v1")["not-found"].startswith(expected)


def test_visits_that_go_together_are_judged_once_for_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is asked once for each visit, and once for each rule that is tried for all of them."""

    def count_moments(names: tuple[str, ...]) -> int:
        asked = scenario(
            *(visit(name, deadline="MO") for name in names),
            *(link(before, after, 1, 1, together=True) for before, after in pairwise(names)),
        )
        moments = count()
        monkeypatch.setattr(explanation, "monotonic", lambda: next(moments) * 0.0)
        reasons = reasons_left_out(Domains(asked), {}, True, 0.0)
        assert all("link" in {reason.rule for reason in why} for why in reasons.values())
        return next(moments)

    assert count_moments(("v1", "v2", "v3")) == count_moments(("v1", "v2")) + 1


# --- time ------------------------------------------------------------------------------------------------------------


def test_when_the_time_is_over_it_is_said_that_nothing_was_examined() -> None:
    asked = scenario(visit("v1", pinned=pin("MO 08:00")), visit("new", "quin"), horizon=MONDAY)
    given = get_placements(asked, plan(asked, booking("v1", "MO 08:00")))
    over = (Reason(rule="not-examined", detail="the time for reasons was over; ask for this visit alone"),)
    assert reasons_left_out(Domains(asked), given, False, -1.0) == {"new": over}
    assert reasons_left_out(Domains(asked), given, True, -1.0)["new"] != over


def test_without_time_to_move_others_that_is_not_examined() -> None:
    asked, given = sharing("room")
    assert why(asked, given, seconds=0.0)["not-examined"] == "whether moving others would make room"
    assert "making-room" not in why(asked, given, seconds=0.0)
