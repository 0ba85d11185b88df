"""Visits that go together get places together: whole, free, within their links, and the cheapest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.factories import clinic, link, on, patient, pin, provider, scenario, service, shift, visit

from scheduling.check import check
from scheduling.scenario import Scenario
from solver.search.construct import construct
from solver.state.chains import find_chain_places
from solver.state.domains import Domains
from solver.state.ledger import Ledger
from solver.state.occupancy import Occupancy
from solver.state.placements import make_plan
from solver.state.tasks import Task

MONDAY = {"start": on("MO"), "end": on("TU")}
THERAPY = service("therapy", team=[{"any_of": ["therapy"]}])


def pair(ana: str, bea: str, *, days: str = "MO", **tie: Any) -> Scenario:
    """Return a visit to ana that one to bea follows, the shifts of both, and how they are tied."""
    people = [
        provider(name, skill, shifts=[shift(f"{day} {hours[:5]}", hours[6:]) for day in days.split()])
        for name, skill, hours in (("ana", "pain", ana), ("bea", "therapy", bea))
    ]
    tied = link("first", "then", 0, 0, together=True, **tie)
    asked = (visit("first"), visit("then", "pat", "therapy"))
    return scenario(*asked, tied, clinic=clinic(THERAPY), providers=people)


def chained(asked: Scenario, most: int = 3_000) -> tuple[Occupancy, Sequence[Task], Iterator[Any]]:
    """Return what is free, the chain of the first visit, and its places."""
    occupancy = Occupancy(Domains(asked))
    chain = occupancy.chain(occupancy.domains.by_key["visit", "first"])
    return occupancy, chain, find_chain_places(occupancy, chain, most)


def starts(asked: Scenario) -> list[str]:
    """Return the starts of the first places of the chain, none without any; they break no rule."""
    occupancy, chain, ways = chained(asked)
    way = next(ways, None)
    assert occupancy.placements == {}
    plan = make_plan(occupancy.domains, {} if way is None else way.placements)
    assert not check(asked, plan).violations
    return [f"{plan.visits_by_id[task.id].start:%a %H:%M}" for task in chain] if plan.visits else []


@pytest.mark.parametrize(
    ("ana", "bea", "tie", "expected"),
    [
        ("08:00-12:00", "08:00-12:00", {}, ["Mon 08:00", "Mon 08:40"]),
        ("08:00-12:00", "11:20-12:00", {"max_gap_minutes": 0}, ["Mon 10:40", "Mon 11:20"]),
        ("08:00-12:00", "11:20-12:00", {"max_gap_minutes": 30}, ["Mon 10:10", "Mon 11:20"]),
        ("08:00-12:00", "11:20-12:00", {"min_gap_minutes": 60}, ["Mon 08:00", "Mon 11:20"]),
        ("08:00-10:00", "11:20-12:00", {"max_gap_minutes": 70}, []),
        ("10:00-11:00", "08:00-09:00", {}, []),
        ("10:00-11:00", "08:00-09:00", {"any_order": True}, ["Mon 10:00", "Mon 08:00"]),
        ("10:00-11:00", "08:00-09:00", {"any_order": True, "max_gap_minutes": 60}, ["Mon 10:00", "Mon 08:20"]),
        ("10:00-11:00", "08:00-09:00", {"any_order": True, "max_gap_minutes": 50}, []),
    ],
)
def test_the_first_start_is_one_that_the_next_visit_can_follow(
    ana: str, bea: str, tie: dict[str, Any], expected: list[str]
) -> None:
    assert starts(pair(ana, bea, **tie)) == expected
    made = construct(Domains(pair(ana, bea, **tie)))
    assert len(made) == len(expected)


def test_the_cheapest_date_comes_first_and_every_other_after_it() -> None:
    asked = pair("08:00-09:20", "08:40-09:20", days="MO TU WE")
    occupancy, chain, ways = chained(asked)
    seen, ledger = [], Ledger(occupancy)
    for way in ways:
        for key, placement in way.placements.items():
            ledger.place(key, placement)
        seen.append((way.placements[chain[0].key].day, ledger.change))
        ledger.undo_to(0)
    assert [day for day, _ in seen] == [0, 1, 2]
    assert sorted(change for _, change in seen) == [change for _, change in seen]


def test_one_provider_of_two_of_the_visits_is_at_one_at_a_time() -> None:
    both = provider("ana", "pain", "therapy", shifts=[shift("MO 08:00", "09:20")])
    asked = scenario(
        visit("first"),
        visit("then", "pat", "therapy"),
        link("first", "then", 0, 0, together=True, any_order=True),
        clinic=clinic(THERAPY),
        providers=[both],
        horizon=MONDAY,
    )
    assert starts(asked) in (["Mon 08:00", "Mon 08:40"], ["Mon 08:40", "Mon 08:00"])
    tight = asked.changed(providers=(provider("ana", "pain", "therapy", shifts=[shift("MO 08:00", "09:10")]),))
    assert starts(tight) == []


def test_a_chain_finds_the_one_hole_that_a_full_day_leaves() -> None:
    held = [visit(f"v{n}", f"q{n}", pinned=pin(f"MO {8 + n:02}:00")) for n in (0, 1, 3)]
    asked = scenario(
        *held,
        visit("first"),
        visit("then", "pat", "therapy"),
        link("first", "then", 0, 0, together=True, max_gap_minutes=20),
        patients=[patient(f"q{n}") for n in range(4)],
        clinic=clinic(THERAPY),
        providers=[
            provider("ana", shifts=[shift("MO 08:00", "11:40")]),
            provider("bea", "therapy", shifts=[shift("MO 08:40", "11:40")]),
        ],
        horizon=MONDAY,
    )
    domains = Domains(asked)
    plan = make_plan(domains, construct(domains))
    assert not check(asked, plan).violations
    assert f"{plan.visits_by_id['first'].start:%H:%M}" == "09:40"


def test_no_more_combinations_are_looked_at_than_may_be() -> None:
    asked = pair("08:00-12:00", "08:00-12:00", days="MO TU WE TH FR")
    _, _, ways = chained(asked)
    _, _, few = chained(asked, 1)
    assert len(list(ways)) == 5 > len(list(few)) == 0
