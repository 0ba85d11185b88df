"""Offers are ranked, say what they move and what they cost, and where there is none they say why."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from support.factories import (
    booking,
    clinic,
    current,
    group,
    link,
    patient,
    pin,
    plan,
    policy,
    provider,
    reserve,
    scenario,
    service,
    session,
    shift,
    visit,
)

from scheduling.additions import Addition
from scheduling.check import check
from scheduling.errors import InvalidFile
from scheduling.plan import Plan
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import clock
from solver.change.offers import OfferResult, find_offers, insert_visits

SECONDS = 30.0
"""Long enough for any of these searches, so that none depends on how fast a machine is."""


def one_slot(*days: str) -> Any:
    """Build a physician who has time for one follow-up on each of some days."""
    return provider("ana", shifts=[shift(f"{day} 08:00", "08:40") for day in days])


def ask(week: Scenario, given: Plan, *asked: Visit | Link, count: int = 5) -> OfferResult:
    """Ask for offers of visits, linked or not."""
    visits = tuple(one for one in asked if isinstance(one, Visit))
    links = tuple(one for one in asked if isinstance(one, Link))
    return find_offers(week, given, Addition(visits=visits, links=links), count, SECONDS)


def starts(found: OfferResult) -> list[str]:
    """Return when the first visit of each offer starts."""
    return [f"{offer.bookings[0].start:%a %H:%M}" for offer in found.offers]


def rules(found: OfferResult) -> set[str]:
    """Return the rules that the reasons name."""
    return {reason.rule for left in found.reasons for reason in left.reasons}


# --- ranks -----------------------------------------------------------------------------------------------------------


def test_an_offer_that_moves_nobody_comes_before_a_cheaper_one_that_does() -> None:
    week = scenario(visit("v1"), providers=[one_slot("MO", "TU")])
    result = ask(week, plan(week, booking("v1", "MO 08:00")), visit("new", "quin", priority="urgent"))
    assert starts(result) == ["Tue 08:00", "Mon 08:00"]
    first, second = result.offers
    assert (first.harm, first.notified, first.cost, first.moves) == (0, 0, 5, ())
    assert (second.harm, second.notified, second.cost) == (1, 1, 2)
    (move,) = second.moves
    assert (move.id, move.difference) == ("v1", "moved")
    assert move.before is not None
    assert move.after is not None
    assert (move.before.start, move.after.start) == (stamp(week.horizon.start, 480), stamp(week.horizon.start, 1440 + 480))


def test_fewer_people_to_call_come_before_less_cost() -> None:
    told, untold = current("MO 08:00"), current("MO 08:00", "wang-exam-2", "dee", notified=False)
    week = scenario(
        visit("v1", current=told),
        visit("v2", "quin", current=untold),
        providers=[one_slot("MO", "TU"), provider("dee", shifts=[shift("MO 08:00", "08:40"), shift("TU 08:00", "08:40")])],
        policy=policy(moved_notified=1, moved_notified_per_day=0),
    )
    standing = plan(week, booking("v1", "MO 08:00"), booking("v2", "MO 08:00", "wang-exam-2", "dee"))
    result = ask(week, standing, visit("new", "rae", deadline="MO"))
    assert [(offer.notified, offer.cost, offer.bookings[0].team) for offer in result.offers] == [
        (0, 43 + 2, ("dee",)),
        (1, 1 + 2, ("ana",)),
    ]


def test_of_offers_alike_the_cheaper_comes_first() -> None:
    week = scenario(providers=[one_slot("MO", "TU", "WE")])
    result = ask(week, plan(week), visit("new", earliest="MO", target="MO"))
    assert [offer.cost for offer in result.offers] == [0, 2 + 7, 4 + 14]


def test_the_best_of_each_half_day_and_place_comes_before_other_teams_there() -> None:
    shifts = [shift("MO 08:00", "12:00"), shift("MO 12:30", "17:00")]
    week = scenario(providers=[provider(name, shifts=shifts) for name in ("ana", "dee", "flo")])
    result = ask(week, plan(week), visit("new"), count=3)
    assert sorted(starts(result)) == ["Mon 08:00", "Mon 08:00", "Mon 12:30"]
    more = ask(week, plan(week), visit("new"), count=9).offers
    assert [offer.again for offer in more] == [False] * 6 + [True] * 3
    assert len({(offer.bookings[0].start.hour < 12, offer.bookings[0].team) for offer in more[:6]}) == 6


def test_all_starts_of_a_half_day_are_offered_and_before_any_that_moves_a_hold() -> None:
    ana = provider("ana", shifts=[shift("MO 13:00", "15:00")])
    week = scenario(reserve("r1", "MO"), providers=[ana])
    standing = plan(week, booking("r1", "MO 13:00"))
    result = ask(week, standing, visit("new", deadline="MO"), count=9)
    assert starts(result) == [f"Mon {clock}" for clock in ("13:40", "13:50", "14:00", "14:10", "14:20")]
    assert all(offer.is_free for offer in result.offers)


def test_a_free_start_comes_before_a_cheaper_one_that_moves_a_hold() -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "08:40"), shift("MO 14:00", "14:40"), shift("TU 08:00", "08:40")])
    away = patient("pat", [("MO 12:00", "MO 18:00")])
    week = scenario(reserve("r1", "MO", "08:00", "17:00"), patients=[away], providers=[ana])
    result = ask(week, plan(week, booking("r1", "MO 08:00")), visit("new"))
    assert [(start, offer.cost, offer.is_free) for start, offer in zip(starts(result), result.offers, strict=True)] == [
        ("Tue 08:00", 2, True),
        ("Mon 08:00", 0, False),
    ]


def test_no_more_are_offered_than_asked_for() -> None:
    week = scenario()
    assert [len(ask(week, plan(week), visit("new"), count=count).offers) for count in (1, 2, 7)] == [1, 2, 7]


def test_free_places_of_a_visit_are_all_seen_whatever_the_time() -> None:
    week = scenario()
    addition = Addition(visits=(visit("new"),))
    hurried, unhurried = (find_offers(week, plan(week), addition, 50, seconds) for seconds in (0.0, SECONDS))
    assert len(hurried.offers) > 20
    assert hurried == unhurried


@pytest.mark.parametrize("deterministic", [True, False])
def test_where_work_is_counted_it_does_not_matter_how_slow_the_machine_is(
    monkeypatch: pytest.MonkeyPatch, deterministic: bool
) -> None:
    week = scenario(visit("v1"), providers=[one_slot("MO", "TU")])
    standing = plan(week, booking("v1", "MO 08:00"))
    addition = Addition(visits=(visit("new", "quin", deadline="MO"),))
    hours = count(step=3600)
    monkeypatch.setattr(clock, "monotonic", lambda: next(hours))
    offers = find_offers(week, standing, addition, deterministic=deterministic)
    assert starts(offers) == (["Mon 08:00"] if deterministic else [])


# --- who never moves -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "now", "freeze_minutes"),
    [
        ({"pinned": pin("MO 08:00")}, None, 0),
        ({"current": current("MO 08:00")}, "MO 07:50", 30),
        ({"current": current("MO 08:00")}, "MO 08:10", 0),
        ({}, "MO 07:50", 30),
    ],
)
def test_a_pinned_started_or_imminent_visit_never_moves(changes: dict[str, Any], now: str | None, freeze_minutes: int) -> None:
    week = scenario(visit("v1", **changes), providers=[one_slot("MO", "TU")], now=now, freeze_minutes=freeze_minutes)
    standing = plan(week, booking("v1", "MO 08:00"))
    if now == "MO 07:50" and not changes:
        assert not ask(week, standing, visit("new", "quin", priority="cancer", deadline="MO")).offers
    result = ask(week, standing, visit("new", "quin", priority="cancer"))
    assert starts(result) == ["Tue 08:00"]


def test_without_freeze_the_same_visit_moves() -> None:
    week = scenario(visit("v1", current=current("MO 08:00")), providers=[one_slot("MO", "TU")], now="MO 07:50")
    result = ask(week, plan(week, booking("v1", "MO 08:00")), visit("new", "quin"))
    assert starts(result) == ["Tue 08:00", "Mon 08:00"]


def test_nothing_is_offered_in_the_past() -> None:
    week = scenario(providers=[one_slot("MO", "TU")], now="MO 08:10")
    assert starts(ask(week, plan(week), visit("new"))) == ["Tue 08:00"]


def test_a_group_session_never_moves() -> None:
    ben = provider("ben", "psychology", "pain", shifts=[shift("TU 08:00", "10:00"), shift("WE 08:00", "10:00")])
    week = scenario(group("g1", "quin"), providers=[ben])
    standing = plan(week, session("g1", "TU 08:00", "quin"))
    assert not ask(week, standing, visit("new", earliest="TU", deadline="TU", priority="cancer")).offers


def test_moves_keep_the_notification_budget() -> None:
    def found(budget: int) -> OfferResult:
        week = scenario(
            visit("v1", current=current("MO 08:00")),
            providers=[one_slot("MO", "TU")],
            policy=policy(max_notified_moves=budget),
        )
        return ask(week, plan(week, booking("v1", "MO 08:00")), visit("new", "quin", deadline="MO"))

    assert starts(found(1)) == ["Mon 08:00"]
    assert not found(0).offers
    assert "notification-budget" in rules(found(0))


# --- giving up -------------------------------------------------------------------------------------------------------


def test_a_visit_is_given_up_only_to_one_whose_leaving_out_costs_more() -> None:
    week = scenario(visit("v1"), providers=[one_slot("MO")])
    standing = plan(week, booking("v1", "MO 08:00"))
    (offer,) = ask(week, standing, visit("new", "quin", priority="soon")).offers
    assert (offer.harm, offer.notified, offer.cost) == (2, 1, 101)
    assert [(move.id, move.difference) for move in offer.moves] == [("v1", "dropped")]
    assert not ask(week, standing, visit("new", "quin")).offers


def test_a_visit_that_a_planned_one_follows_is_not_given_up() -> None:
    week = scenario(visit("v1"), visit("v2"), link("v1", "v2", 1, 1), providers=[one_slot("MO", "TU")])
    standing = plan(week, booking("v1", "MO 08:00"), booking("v2", "TU 08:00"))
    result = ask(week, standing, visit("new", "quin", priority="urgent"))
    assert [[move.id for move in offer.moves] == ["v2"] for offer in result.offers].count(True) == 1
    assert ["v1"] not in [[move.id for move in offer.moves] for offer in result.offers]


# --- holds -----------------------------------------------------------------------------------------------------------


def test_a_hold_is_given_up_to_the_patient_it_is_held_for_at_its_price() -> None:
    week = scenario(reserve("r1", "MO", "08:00", "12:00"), providers=[one_slot("MO")])
    standing = plan(week, booking("r1", "MO 08:00"))
    (offer,) = ask(week, standing, visit("new", priority="cancer", same_day=True, deadline="MO")).offers
    assert (offer.harm, offer.notified, offer.cost) == (0, 0, 307)
    assert [(move.kind, move.id, move.difference) for move in offer.moves] == [("hold", "r1", "dropped")]


@pytest.mark.parametrize("changes", [{"priority": "urgent"}, {"priority": "cancer", "service": "bedside"}])
def test_a_hold_is_not_given_up_to_others(changes: dict[str, Any]) -> None:
    week = scenario(reserve("r1", "MO", "08:00", "12:00"), providers=[one_slot("MO")])
    assert not ask(week, plan(week, booking("r1", "MO 08:00")), visit("new", deadline="MO", **changes)).offers


@pytest.mark.parametrize("priority", ["routine", "cancer"])
def test_a_hold_moves_for_anybody_when_it_can(priority: str) -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "08:40"), shift("MO 14:00", "14:40")])
    week = scenario(
        reserve("r1", "MO", "08:00", "17:00"), patients=[patient("pat", [("MO 12:00", "MO 18:00")])], providers=[ana]
    )
    result = ask(week, plan(week, booking("r1", "MO 08:00")), visit("new", priority=priority, deadline="MO"))
    offer = result.offers[0]
    assert (offer.harm, offer.cost) == (0, 0)
    assert [(move.id, move.difference) for move in offer.moves] == [("r1", "moved")]


def test_holds_that_are_past_are_no_part_of_the_present_plan() -> None:
    week = scenario(reserve("r1", "MO", "08:00", "12:00"), providers=[one_slot("MO", "TU")])
    later = week.changed(now=stamp(week.horizon.start, 12 * 60))
    (offer,) = ask(later, plan(week, booking("r1", "MO 08:00")), visit("new")).offers
    assert (offer.cost, offer.moves) == (2, ())


# --- reasons ---------------------------------------------------------------------------------------------------------


def test_no_offer_says_which_rule_is_in_the_way_and_it_is() -> None:
    week = scenario(visit("v1", pinned=pin("MO 08:00")), providers=[one_slot("MO")])
    standing = plan(week, booking("v1", "MO 08:00"))
    result = ask(week, standing, visit("new", "quin"))
    assert not result.offers
    assert "provider-overlap" in rules(result)
    assert [left.visit for left in result.reasons] == ["new"]
    assert ask(week.changed(visits=()), plan(week.changed(visits=())), visit("new", "quin")).offers


def test_an_insert_without_offer_leaves_the_plan_and_tells_the_reasons() -> None:
    week = scenario(visit("v1", pinned=pin("MO 08:00")), providers=[one_slot("MO")])
    standing = plan(week, booking("v1", "MO 08:00"))
    grown, answer = insert_visits(week, standing, Addition(visits=(visit("new", "quin"),)), SECONDS)
    assert answer.visits == standing.visits
    assert [(left.visit, bool(left.reasons)) for left in answer.unscheduled] == [("new", True)]
    assert not check(grown, answer).violations
    assert answer.cost == check(grown, answer).cost


def test_an_insert_takes_the_best_offer() -> None:
    week = scenario(visit("v1"), providers=[one_slot("MO", "TU")])
    standing, new = plan(week, booking("v1", "MO 08:00")), visit("new", "quin")
    grown, answer = insert_visits(week, standing, Addition(visits=(new,)), SECONDS)
    best = ask(week, standing, new).offers[0]
    assert (grown, answer.visits, answer.cost) == (Addition(visits=(new,)).add_to(week), best.plan.visits, best.plan.cost)


def test_a_plan_that_breaks_a_rule_has_to_be_made_anew_first() -> None:
    week = scenario(visit("v1"), visit("v2", "quin"), providers=[one_slot("MO")])
    broken = plan(week, booking("v1", "MO 08:00"), booking("v2", "MO 08:00", "wang-exam-2"))
    with pytest.raises(InvalidFile, match="provider-overlap"):
        ask(week, broken, visit("new", "rae"))


# --- pathways --------------------------------------------------------------------------------------------------------


def test_a_pathway_is_offered_whole_with_its_links_kept() -> None:
    week = scenario(providers=[one_slot("MO", "TU", "WE", "FR")])
    result = ask(week, plan(week), visit("b"), visit("a"), link("a", "b", 2, 3))
    assert result.offers
    for offer in result.offers:
        second, first = offer.bookings
        assert (first.visit, second.visit) == ("a", "b")
        assert timedelta(days=2) <= second.start - first.start <= timedelta(days=3)
    days = {(f"{offer.bookings[1].start:%a}", f"{offer.bookings[0].start:%a}") for offer in result.offers}
    assert days == {("Mon", "Wed"), ("Tue", "Fri"), ("Wed", "Fri")}


def test_a_pathway_without_a_place_for_one_visit_has_no_offer_and_says_which() -> None:
    week = scenario(providers=[one_slot("MO", "TU")])
    asked = (visit("a"), visit("b"), link("a", "b", 3))
    result = ask(week, plan(week), *asked)
    assert not result.offers
    assert [left.visit for left in result.reasons] == ["b"]
    _, answer = insert_visits(week, plan(week), Addition(visits=asked[:2], links=(asked[2],)), SECONDS)
    assert not answer.visits
    assert {left.visit: {r.rule for r in left.reasons} for left in answer.unscheduled}["a"] == {"together"}


def test_a_pathway_on_one_day_finds_the_only_starts_that_fit_its_gap() -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "12:00")])
    ben = provider("ben", "psychology", shifts=[shift("MO 11:00", "12:00")])
    talk = service("talk", team=[{"any_of": ["psychology"]}])
    week = scenario(clinic=clinic(talk), providers=[ana, ben])
    result = ask(week, plan(week), visit("a"), visit("b", "pat", "talk"), link("a", "b", 0, 0, max_gap_minutes=10))
    first, second = result.offers[0].bookings
    assert 0 <= (second.start - first.end).total_seconds() // 60 <= 10


def test_a_pathway_moves_others_when_it_has_to() -> None:
    week = scenario(visit("v1", "quin"), providers=[one_slot("MO", "WE", "FR")])
    result = ask(week, plan(week, booking("v1", "WE 08:00")), visit("a", deadline="MO"), visit("b"), link("a", "b", 2, 2))
    assert [(offer.harm, [move.id for move in offer.moves]) for offer in result.offers] == [(1, ["v1"])]


def test_a_pathway_whose_middle_fits_late_only_is_found_by_the_exact_search() -> None:
    staff = [
        provider("ana", shifts=[shift("MO 08:00", "08:40")]),
        provider("ben", "psychology", shifts=[shift("MO 08:40", "11:40")]),
        provider("eli", "physio", shifts=[shift("MO 11:00", "11:40")]),
    ]
    talk, train = (service(name, team=[{"any_of": [skill]}]) for name, skill in (("talk", "psychology"), ("train", "physio")))
    week = scenario(clinic=clinic(talk, train), providers=staff)
    asked = (visit("a"), visit("b", "pat", "talk"), visit("c", "pat", "train"))
    links = (link("a", "b", 0, 0), link("b", "c", 0, 0, max_gap_minutes=0))
    (offer,) = ask(week, plan(week), *asked, *links).offers
    assert [f"{made.start:%H:%M}" for made in offer.bookings] == ["08:00", "10:20", "11:00"]
    assert offer.is_free


def test_where_more_than_two_have_to_move_the_exact_search_finds_it() -> None:
    ana = provider("ana", shifts=[shift("MO 08:00", "09:00"), shift("TU 08:00", "09:00")])
    lengths = clinic(service("long", minutes=60), service("short", minutes=20))
    short = {"v1": "quin", "v2": "rae", "v3": "sol"}
    week = scenario(*(visit(name, of, "short") for name, of in short.items()), clinic=lengths, providers=[ana])
    standing = plan(week, *(booking(name, f"MO 08:{20 * number:02}") for number, name in enumerate(short)))
    (offer,) = ask(week, standing, visit("new", "pat", "long", deadline="MO")).offers
    assert (offer.harm, sorted(move.id for move in offer.moves)) == (1, ["v1", "v2", "v3"])


def test_a_waiting_visit_that_the_new_one_follows_comes_with_it() -> None:
    week = scenario(visit("v1"), providers=[one_slot("MO", "TU")])
    (offer,) = ask(week, plan(week), visit("new"), link("v1", "new", 1)).offers
    assert [(move.id, move.difference) for move in offer.moves] == [("v1", "added")]
    assert (offer.harm, offer.cost) == (0, 37 + 2 - 101)


def test_a_place_between_shifts_too_near_to_travel_between_is_found() -> None:
    halves = [shift("MO 08:00", "09:00", "wang"), shift("MO 09:00", "10:30", "wang", "west")]
    week = scenario(
        visit("v1"), providers=[provider("ana", shifts=halves)], patients=[patient("quin", allowed_sites=["waltham"])]
    )
    result = ask(week, plan(week, booking("v1", "MO 08:00")), visit("new", "quin"))
    assert starts(result) == ["Mon 09:30", "Mon 09:40", "Mon 09:50"]
