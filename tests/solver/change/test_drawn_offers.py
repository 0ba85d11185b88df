"""Offers in any week: exact, checked, nobody moves who must not, and every place that moves nobody is found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from support.factories import (
    clinic,
    group,
    link,
    patient,
    plan,
    policy,
    provider,
    reserve,
    scenario,
    service,
    shift,
    visit,
)

from scheduling.additions import Addition
from scheduling.check import check
from scheduling.plan import Plan
from scheduling.publishing import publish
from scheduling.requests import Visit
from scheduling.rules import find_violations
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver.change.offers import OfferResult, find_offers
from solver.change.openings import OpeningSearch
from solver.model.exact import exact_model
from solver.search.construct import construct
from solver.state.domains import Domains, ShiftId
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, get_placements, make_plan
from solver.state.tasks import visit_key

FEW = settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
SECONDS = 30.0
"""Long enough for any of these searches, so that none depends on how fast a machine is."""

DAYS = ("MO", "TU")
NAMES = ("pat", "quin", "rae", "sol")
OF_VISITS = ("followup", "evaluation", "injection", "ablation", "bedside", "selfcare", "consult")
SERVICES = (service("selfcare", minutes=25, team=[], room=None), service("bedside", minutes=25, room=None))
SKILLS = (("ana", "pain"), ("dee", "pain psychiatry"), ("ben", "psychology"), ("cy", "pain"), ("eli", "pain psychology"))
PATTERNS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (("08:00", "10:00", "wang"),),
    (("08:00", "09:30", "wang"), ("09:40", "11:10", "wang west")),
    (("08:20", "09:40", "west"), ("10:00", "12:30", "wang yawkey")),
)


@st.composite
def weeks(draw: st.DrawFn) -> tuple[Scenario, Plan, Visit]:
    """Draw two days of few people, a plan of what was asked of them, and one visit more."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    staff = []
    for name, skills in SKILLS:
        halves = [shift(f"{day} {a}", b, *where.split()) for day in DAYS for a, b, where in pick((), *PATTERNS)]
        staff.append(provider(name, *skills.split(), trainee=name in ("cy", "eli"), shifts=halves))

    def wished(identifier: str) -> Visit:
        wishes: dict[str, Any] = {"priority": pick("routine", "soon", "urgent", "cancer"), "target": pick(None, "MO")}
        wishes |= {"deadline": pick(None, "MO", "TU"), "preferred_providers": pick([], ["ana"])}
        return visit(identifier, pick(*NAMES), pick(*OF_VISITS), **wishes)

    asked: list[Any] = [wished(f"v{number}") for number in range(draw(st.integers(2, 8)))]
    asked += [reserve("r1", "MO", "08:00", "12:00"), reserve("r2", "TU", "08:00", "12:00", service="consult")]
    asked += [group("g1", "pat", "quin")] if pick(True, False) else []
    asked += [link("v0", "v1", pick(0, 1), pick(None, 1))] if pick(True, False) else []
    week = scenario(
        *asked,
        clinic=clinic(*SERVICES),
        providers=staff,
        patients=[patient("pat", [("MO 08:40", "MO 09:10")], prefers="morning", preferred_site="waltham")],
        policy=policy(max_notified_moves=pick(None, None, 1)),
    )
    domains = Domains(week)
    standing = make_plan(domains, construct(domains))
    if pick(True, True, False):
        week = publish(week, standing, stamp(week.horizon.start, pick(0, 490, 560))).changed(freeze_minutes=pick(0, 60))
        standing = standing.changed(holds=tuple(hold for hold in standing.holds if week.now is None or hold.start >= week.now))
        standing = make_plan(Domains(week), get_placements(week, standing))
    return week, standing, wished("new")


def beside(week: Scenario, standing: Plan, new: Visit) -> Iterator[Plan]:
    """Yield every plan that has the new visit and is else as it was, by trying every place and asking the checker."""
    grown = Addition(visits=(new,)).add_to(week)
    domains, placed, wanted = Domains(grown), get_placements(grown, standing), grown.services[new.service]
    rooms = [room for room in grown.clinic.rooms if wanted.room is None or room.kind == wanted.room.kind]
    spots = {(room.location, None if wanted.room is None else room.id) for room in rooms}
    for day, slot in product(range(2), range(48, 80)):
        begin = stamp(grown.grid.date(day), slot * grown.grid.grid_minutes)
        end = begin + timedelta(minutes=wanted.minutes)
        here = [
            ShiftId(person.id, number)
            for person in grown.providers
            for number, on in enumerate(person.shifts)
            if on.start <= begin and end <= on.end
        ]
        teams = [team for team in product(here, repeat=len(wanted.team)) if len(set(team)) == len(team)]
        for team, (location, room) in product(teams, sorted(spots, key=str)):
            people_here = grown.providers_by_id
            watchers = [(), *((one,) for one in here)] if any(people_here[one.provider].trainee for one in team) else [()]
            for supervisors in watchers:
                place = Placement(day, slot, location, team, supervisors, (), room)
                made = make_plan(domains, {**placed, ("visit", new.id): place})
                if next(find_violations(grown, made), None) is None:
                    yield made


@FEW
@given(weeks())
def test_every_offer_keeps_every_rule_at_its_stated_cost_and_moves_nobody_who_must_not(drawn: Any) -> None:
    week, standing, new = drawn
    result = find_offers(week, standing, Addition(visits=(new,)), 8, SECONDS)
    assert bool(result.offers) != bool(result.reasons)
    assert [offer.rank for offer in result.offers] == sorted(offer.rank for offer in result.offers)
    until = None if week.now is None else week.now + timedelta(minutes=week.freeze_minutes)
    for offer in result.offers:
        verdict = check(result.scenario, offer.plan)
        assert not verdict.violations
        assert offer.cost == verdict.cost - check(week, standing).cost
        assert new.id in offer.plan.visits_by_id
        where = {b.visit: (b.start, b.location, b.team) for b in offer.plan.visits}
        changed = {b.visit for b in standing.visits if where.get(b.visit) != (b.start, b.location, b.team)}
        assert bool(changed) == (offer.harm > 0)
        assert offer.plan.groups == standing.groups
        assert not any(until and standing.visits_by_id[visit].start < until for visit in changed)


def agrees(week: Scenario, standing: Plan, new: Visit) -> bool:
    """Return whether trying every place finds one only where offers that move nobody do, and none that costs less; and back."""
    result = find_offers(week, standing, Addition(visits=(new,)), 20, SECONDS)
    every = [made.cost for made in beside(week, standing, new)]
    still = [offer.plan.cost for offer in result.offers if not offer.harm]
    alone = any(not offer.moves for offer in result.offers)
    return min(still, default=10**9) <= min(every, default=10**9) and (bool(every) or not alone)


@settings(FEW, max_examples=40)
@given(weeks())
def test_a_place_that_moves_nobody_is_offered_wherever_one_exists_and_the_cheapest(drawn: Any) -> None:
    assert agrees(*drawn)


Spot = tuple[datetime, str, tuple[str, ...]]


def spots(week: Scenario, standing: Plan, new: Visit) -> set[Spot]:
    """Return every start, location and team that a visit could be booked at by hand."""
    booked = (made.visits_by_id[new.id] for made in beside(week, standing, new))
    return {(one.start, one.location, one.team) for one in booked}


def free_spots(found: OfferResult) -> list[Spot]:
    """Return the starts, locations and teams of the offers that change nothing else."""
    booked = (offer.bookings[0] for offer in found.offers if offer.is_free)
    return [(one.start, one.location, one.team) for one in booked]


def all_offered(week: Scenario, standing: Plan, new: Visit) -> bool:
    """Return whether each place that can be booked by hand is offered, one start of each half-day and team first."""
    by_hand, offered = (
        spots(week, standing, new),
        free_spots(find_offers(week, standing, Addition(visits=(new,)), 100, SECONDS)),
    )
    halves = [(start.date(), start.hour < 12, location, team) for start, location, team in offered]
    first = halves[: len(set(halves))]
    return len(set(first)) == len(first) and (len(offered) == 100 or by_hand <= set(offered))


@settings(FEW, max_examples=30)
@given(weeks())
def test_whatever_can_be_booked_by_hand_is_offered_one_start_of_each_half_day_and_team_first(drawn: Any) -> None:
    week, standing, new = drawn
    assume(new.service != "selfcare")  # needs nobody, so that it fits at night too, where no place is tried by hand
    assert all_offered(week, standing, new)


def test_the_comparison_with_bookings_by_hand_would_see_a_start_that_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    week = scenario(providers=[provider("ana", shifts=[shift("MO 08:00", "09:00")])])
    asked = (week, plan(week), visit("new"))
    assert all_offered(*asked)
    monkeypatch.setattr(OpeningSearch, "_at_every_start", lambda *given: iter(()))
    assert not all_offered(*asked)


def only_at(location: str, every: Any) -> Any:
    """Return a search of places that misses those of all other locations."""
    return lambda *given: (one for one in every(*given) if one.placement.location == location)


def test_the_comparison_with_every_place_would_see_a_search_that_misses_some(monkeypatch: pytest.MonkeyPatch) -> None:
    week = scenario(providers=[provider("ana", shifts=[shift("MO 08:00", "09:00"), shift("MO 09:30", "10:30", "west")])])
    asked = (week, plan(week), visit("new"))
    assert agrees(*asked)
    for search in ("places", "every_start"):
        monkeypatch.setattr(Occupancy, search, only_at("west", getattr(Occupancy, search)))
    wished = patient("pat", preferred_site="boston")
    dearer = scenario(patients=[wished], providers=week.providers)
    assert not agrees(dearer, plan(dearer), visit("new"))


def fits_beside(week: Scenario, standing: Plan, addition: Addition) -> bool:
    """Return whether the exact model has places for all added visits, everything else staying."""
    grown = addition.add_to(week)
    domains, keys = Domains(grown), [visit_key(new.id) for new in addition.visits]
    model, x = exact_model(domains, {key: domains.options_for(key) for key in keys}, get_placements(grown, standing))
    for key in keys:
        model.add(x.present(key) == 1)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    return solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)


@settings(FEW, max_examples=40)
@given(weeks(), st.sampled_from([(0, 0, 20), (0, None, None), (1, 1, None)]))
def test_a_pathway_is_offered_whole_or_not_at_all_and_beside_what_stands_wherever_it_fits(drawn: Any, gap: Any) -> None:
    week, standing, first = drawn
    second = first.changed(id="more", service="followup")
    days, most_days, most_minutes = gap
    step = link("new", "more", days, most_days, max_gap_minutes=most_minutes)
    addition = Addition(visits=(first, second), links=(step,))
    offers = find_offers(week, standing, addition, 5, SECONDS)
    for offer in offers.offers:
        assert not check(offers.scenario, offer.plan).violations
        assert offer.cost == offer.plan.cost - standing.cost
        assert [made.visit for made in offer.bookings] == ["new", "more"]
    assert any(not offer.harm for offer in offers.offers) or not fits_beside(week, standing, addition)
