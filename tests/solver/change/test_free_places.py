"""A place of a visit is offered exactly if the checker finds it clean, at exactly what the plan costs then."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support import factories
from support.factories import booking, link, provider, visit
from support.strategies import scenarios

from api.services.weeks.week import with_booking
from scheduling.plan import Plan, VisitBooking
from scheduling.publishing import publish, upcoming
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import FreePlaceFinder, FreePlaces, plan_first_come

PICKS = 40


def expand(scenario: Scenario, visit_id: str, places: tuple[FreePlaces, ...]) -> Iterator[tuple[VisitBooking, int]]:
    """Yield each single place, in each of its rooms, with its cost."""
    minutes = timedelta(minutes=scenario.service_of(scenario.visits_by_id[visit_id]).minutes)
    for place in places:
        for run in place.starts:
            for minute in range(run.first_minute, run.last_minute + 1, scenario.grid.grid_minutes):
                rooms = [one.room for one in place.rooms if any(a <= minute <= b for a, b in one.stretches)]
                start = stamp(place.day, minute)
                for room in rooms if place.rooms else [None]:
                    yield (
                        VisitBooking(
                            visit=visit_id,
                            start=start,
                            end=start + minutes,
                            location=place.location,
                            room=room,
                            team=place.team,
                            supervisors=place.supervisors,
                        ),
                        run.cost,
                    )


def is_clean(scenario: Scenario, plan: Plan, wanted: VisitBooking) -> bool:
    """Return whether a booking breaks nothing that was kept; one that is not as its visit is pinned always breaks the pin."""
    known = {(broken.rule, broken.ids) for broken in find_violations(scenario, plan)} - {("pinned", (wanted.visit,))}
    after = with_booking(scenario, plan, wanted.visit, wanted)
    return all((broken.rule, broken.ids) in known for broken in find_violations(scenario, after))


def pick(scenario: Scenario, asked: str, chance: random.Random) -> VisitBooking:
    """Return some place of a visit, most often one that breaks a rule."""
    service = scenario.service_of(scenario.visits_by_id[asked])
    start = stamp(chance.choice(list(scenario.grid.dates())), chance.randrange(8 * 60, 17 * 60, scenario.grid.grid_minutes))
    where = chance.choice(service.locations)
    rooms = [room.id for room in scenario.clinic.rooms if room.location == where]
    people = [one for one in scenario.providers]
    team = tuple(chance.choice([one.id for one in people if one.can_fill(seat.any_of)] or ["nobody"]) for seat in service.team)
    trainees = [name for name in team if name in scenario.providers_by_id and scenario.providers_by_id[name].trainee]
    return VisitBooking(
        visit=asked,
        start=start,
        end=start + timedelta(minutes=service.minutes),
        location=where,
        room=chance.choice(rooms) if service.room is not None and rooms else None,
        team=team,
        supervisors=(chance.choice([one.id for one in people]),) if trainees else (),
    )


def hold_against_the_checker(scenario: Scenario, plan: Plan, asked: str, chance: random.Random) -> None:
    offered = list(expand(scenario, asked, FreePlaceFinder(scenario, plan).find(asked)))
    for place, cost in chance.sample(offered, min(PICKS, len(offered))):
        assert is_clean(scenario, plan, place), place
        assert with_booking(scenario, plan, asked, place).cost - plan.cost == cost, place
    known = {place for place, _ in offered}
    for place in (pick(scenario, asked, chance) for _ in range(PICKS)):
        if "nobody" not in place.team:
            assert (place in known) == is_clean(scenario, plan, place), place


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=scenarios(), seed=st.integers(0, 2**16), hours=st.integers(-1, 40))
def test_a_place_is_offered_exactly_if_it_breaks_no_rule(asked: Scenario, seed: int, hours: int) -> None:
    assume(asked.visits)
    chance = random.Random(seed)
    plan = plan_first_come(asked)
    if hours >= 0:
        now = stamp(asked.horizon.start, 8 * 60) + timedelta(hours=hours)
        asked = publish(asked, plan, now)
        plan = upcoming(asked, plan)
    hold_against_the_checker(asked, plan, chance.choice(asked.visits).id, chance)


def week() -> tuple[Scenario, Plan]:
    asked = factories.scenario(
        visit("v-1", "pat", "injection"),
        visit("v-2", "pat"),
        visit("v-3", "quin"),
        link("v-2", "v-1", min_days=0, max_gap_minutes=120),
        providers=factories.people(provider("tim", "physician", trainee=True)),
    )
    stands = factories.plan(asked, booking("v-2", "TU 10:00"), booking("v-3", "TU 10:00", "wang-exam-2", "dee"))
    return asked, stands


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("asked", ["v-1", "v-2", "v-3"])
def test_links_and_trainees_are_kept(asked: str, seed: int) -> None:
    hold_against_the_checker(*week(), asked, random.Random(seed))


def test_looking_changes_nothing() -> None:
    scenario, plan = week()
    finder = FreePlaceFinder(scenario, plan)
    first = finder.find("v-3")
    finder.find("v-1")
    assert finder.find("v-3") == first


def test_the_cheapest_come_first_and_can_be_booked() -> None:
    scenario, plan = week()
    finder = FreePlaceFinder(scenario, plan)
    places = finder.find("v-3")
    best = finder.list_cheapest("v-3", places, 3)
    every = dict(expand(scenario, "v-3", places))
    assert best[0].cost == min(every.values())
    assert [one.cost for one in best] == sorted(one.cost for one in best)
    assert all(every[one.booking] == one.cost for one in best)


def test_a_budget_that_is_spent_leaves_only_where_nobody_is_called() -> None:
    scenario, plan = week()
    told = publish(scenario, plan).changed(policy=factories.policy(max_notified_moves=0))
    places = list(expand(told, "v-3", FreePlaceFinder(told, plan).find("v-3")))
    assert {place.start for place, _ in places} == {datetime.fromisoformat(factories.at("TU 10:00"))}
    waiting = list(expand(told, "v-1", FreePlaceFinder(told, plan).find("v-1")))
    assert waiting


def test_a_place_that_is_taken_is_not_offered_which_the_property_would_see(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, plan = week()
    without = plan.changed(visits=tuple(one for one in plan.visits if one.visit != "v-2"))
    places = FreePlaceFinder(scenario, without).find("v-3")
    odd = [place for place, _ in expand(scenario, "v-3", places) if not is_clean(scenario, plan, place)]
    assert odd


def test_a_visit_that_goes_together_with_one_without_a_place_has_none() -> None:
    asked = factories.scenario(
        visit("v-1", "pat", "injection"), visit("v-2", "pat"), link("v-1", "v-2", min_days=0, max_days=5, together=True)
    )
    assert FreePlaceFinder(asked, factories.plan(asked)).find("v-1") == ()
    beside = factories.plan(asked, booking("v-2", "TU 10:00"))
    assert FreePlaceFinder(asked, beside).find("v-1")


def test_a_visit_whose_pin_cannot_be_kept_is_offered_nothing_else() -> None:
    pin = {"start": factories.at("TU 10:00"), "location": "wang", "room": "wang-exam-1", "team": ["ben"]}
    asked = factories.scenario(visit("v-1", "pat", pinned=pin))
    assert FreePlaceFinder(asked, factories.plan(asked)).find("v-1") == ()
    free = factories.scenario(visit("v-1", "pat"))
    assert FreePlaceFinder(free, factories.plan(free)).find("v-1")
