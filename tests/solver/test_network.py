"""Large parts that share a few patients are searched by themselves, and nothing that they share is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from support.factories import clinic, link, patient, policy, provider, scenario, service, shift, visit
from support.networks import join_clinics
from support.optima import optimum
from support.strategies import scenarios

from scheduling.check import check
from scheduling.generate import generate
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario
from solver import Limits, Progress, network, solve
from solver.clock import Clock
from solver.network import Network, find_network, restrict, search_network, share_out, take_over
from solver.parameters import SolverParameters
from solver.problem import PlanningProblem, construct_first_plan, pose
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import Placements, SearchLimits
from solver.state.placements import make_plan

SECONDS = 600.0
"""Far longer than anything here takes: nothing depends on it."""

PLACES = {"here": "wang", "there": "west"}


def ask(days: str = "MO TU", **overrides: Any) -> Scenario:
    """Return two clinics with a physician each, where patients come on one date after another, of whom one comes to both."""
    visits: list[Visit | Link] = [
        visit(f"{kind}-{day}-{name}", "both" if name == "both" else f"{kind}-{name}", kind)
        for kind in PLACES
        for day in days.split()
        for name in ("both", "one", "two")
    ]
    visits += [
        link(f"{kind}-{day}-{name}", f"{kind}-{following}-{name}", 1)
        for kind in PLACES
        for day, following in pairwise(days.split())
        for name in ("both", "one", "two")
    ]
    fields: dict[str, Any] = {
        "clinic": clinic(*(service(kind, minutes=60, locations=[where]) for kind, where in PLACES.items())),
        "patients": [patient(name) for name in ("both", *(f"{kind}-{name}" for kind in PLACES for name in ("one", "two")))],
        "providers": [
            provider(name, shifts=[shift(f"{day} 08:00", "13:00", where) for day in days.split()])
            for name, where in zip(("ana", "dee"), PLACES.values(), strict=True)
        ],
    }
    asked: Scenario = scenario(*visits, **fields | overrides)
    return asked


@pytest.fixture(autouse=True)
def _many_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FEW_PATIENTS", 0.5)


@pytest.fixture
def clock() -> Iterator[Clock]:
    clock = Clock(SECONDS)
    yield clock
    clock.end()


def posed(asked: Scenario, clock: Clock) -> PlanningProblem:
    return pose(asked, Limits(seconds=SECONDS, workers=2), clock, SolverParameters(network_min_options=0))


def found(asked: Scenario, clock: Clock) -> Network:
    network = find_network(posed(asked, clock))
    assert network is not None
    return network


def search_exactly(alone: PlanningProblem, best: Incumbent) -> None:
    """Search a part to the end."""
    result = alone.subproblems.solve({}, alone.domains.options, SearchLimits(SECONDS, 1, 0))
    assert result.placements is not None
    assert result.optimal
    best.offer(result.placements)
    best.raise_bound(best.cost)


def test_clinics_with_a_joint_patient_are_parts(clock: Clock) -> None:
    parts = found(ask(), clock)
    assert [{key[1].split("-")[0] for key in part} for part in parts.parts] in ([{"here"}, {"there"}], [{"there"}, {"here"}])
    assert set(parts.joint_patients) == {"both"}


@pytest.mark.parametrize(
    "shared",
    [
        {"providers": [provider("ana", shifts=[shift("MO 08:00", "11:00", "wang", "west")])]},
        {"policy": policy(max_notified_moves=3)},
    ],
    ids=["a physician", "a budget"],
)
def test_what_else_they_share_makes_them_one(clock: Clock, shared: dict[str, Any]) -> None:
    assert find_network(posed(ask(**shared), clock)) is None


def test_too_many_joint_patients_make_them_one(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FEW_PATIENTS", 0.1)
    assert find_network(posed(ask(), clock)) is None


def test_a_part_alone_has_those_who_may_work_on_it(clock: Clock) -> None:
    parts = found(ask(), clock)
    alone = restrict(parts.problem.domains, parts.parts[0])
    assert len(alone.visits) == 6
    assert len(alone.providers) == 1
    assert len(alone.patients) == 3


COSTS = {"nothing else": {}, "waiting": {"waiting": 3}, "journeys": {"patient_site_change": 7}}


@pytest.mark.parametrize("costs", COSTS.values(), ids=COSTS)
@pytest.mark.parametrize("days", ["MO", "MO TU WE"])
def test_no_bound_is_above_the_best_plan_and_nobody_is_at_two_places_at_once(
    clock: Clock, days: str, costs: dict[str, int]
) -> None:
    asked = ask(days, policy=policy(**costs))
    parts = found(asked, clock)
    domains = parts.problem.domains
    incumbent = Incumbent(domains, 0, 0.0, clock, None)
    incumbent.offer({})
    search_network(parts, incumbent, search_exactly)
    assert not check(asked, make_plan(domains, incumbent.placements)).violations
    best = solve(asked, Limits(SECONDS, 1, deterministic=True))
    assert best.status == "optimal"
    assert incumbent.bound <= best.cost <= incumbent.cost
    assert len(incumbent.placements) == len(asked.visits)


def test_who_waits_in_one_clinic_may_be_seen_in_the_other_meanwhile(clock: Clock) -> None:
    """Alone, the first clinic has its patient wait for two hours, which costs 24; in the whole one of them is spent."""
    asked = scenario(
        visit("early", "both", "here"),
        visit("late", "both", "here"),
        visit("between", "both", "there"),
        visit("there-one", "one", "there"),
        visit("there-two", "two", "there"),
        clinic=clinic(
            service("here", minutes=60, locations=["wang"], team=[{"any_of": ["pain"]}], room=None),
            service("there", minutes=60, locations=["wang"], team=[{"any_of": ["psychology"]}], room=None),
        ),
        patients=[patient(name) for name in ("both", "one", "two")],
        providers=[
            provider("ana", shifts=[shift("MO 08:00", "09:00", "wang"), shift("MO 11:00", "12:00", "wang")]),
            provider("dee", "psychology", shifts=[shift("MO 08:00", "12:00", "wang")]),
        ],
        policy=policy(waiting=3),
    )
    parts = found(asked, clock)
    incumbent = Incumbent(parts.problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    search_network(parts, incumbent, search_exactly)
    best = solve(asked, Limits(SECONDS, 1, deterministic=True))
    assert best.status == "optimal"
    assert len(best.visits) == 5
    assert incumbent.bound <= best.cost < incumbent.bound + parts.joint_cost


def test_what_parts_count_twice_is_left_out_of_the_bound(clock: Clock) -> None:
    asked = ask("MO TU WE")
    parts = found(asked, clock)
    incumbent = Incumbent(parts.problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    search_network(parts, incumbent, search_exactly)
    assert parts.joint_cost == 2 * asked.policy.extra_trip
    assert incumbent.bound + parts.joint_cost > solve(asked, Limits(SECONDS, 1, deterministic=True)).cost


@pytest.mark.parametrize(
    ("sizes", "workers", "lanes"),
    [
        ((4, 4, 4, 4), 2, [[0, 2], [1, 3]]),
        ((5, 3, 2), 2, [[0], [1, 2]]),
        ((9, 3, 3), 2, [[0, 1, 2]]),
        ((4, 4, 4), 2, [[0, 1, 2]]),
        ((5, 4, 3), 1, [[0, 1, 2]]),
    ],
)
def test_each_worker_has_parts_of_its_own_unless_one_had_much_more_to_do(
    sizes: tuple[int, ...], workers: int, lanes: list[list[int]]
) -> None:
    assert share_out(sizes, workers) == lanes


@pytest.mark.parametrize(("seconds", "planned"), [(SECONDS, 6), (0.0, 5)], ids=["others make room", "nobody has the time to"])
def test_a_joint_patient_who_would_be_at_two_places_at_once_changes_places_with_another(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, seconds: float, planned: int
) -> None:
    """Both physicians are busy from their first minute to their last."""
    monkeypatch.setattr(network, "RECONCILE_SECONDS", seconds)
    busy = [provider(name, shifts=[shift("MO 08:00", "11:00", where)]) for name, where in (("ana", "wang"), ("dee", "west"))]
    parts = found(ask("MO", providers=busy), clock)
    incumbent = Incumbent(parts.problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    for number, part in enumerate(parts.parts):
        options = {key: parts.problem.domains.options[key] for key in part}
        alone = parts.problem.subproblems.solve({}, options, SearchLimits(SECONDS, 1, 0)).placements
        assert alone is not None
        take_over(parts, number, first_of_all("both", alone), incumbent)
    assert not check(parts.problem.scenario, make_plan(parts.problem.domains, incumbent.placements)).violations
    assert len(incumbent.placements) == planned


def first_of_all(patient: str, placements: Placements) -> Placements:
    """Return placements of visits of one length with a patient's visit before all others."""
    slots = sorted(place.slot for place in placements.values())
    ordered = sorted(placements, key=lambda key: not key[1].endswith(patient))
    return {key: replace(placements[key], slot=slot) for key, slot in zip(ordered, slots, strict=True)}


def test_a_part_without_any_place_takes_no_time(clock: Clock) -> None:
    """Nobody can work on what the second clinic asks for."""
    nobody = {"providers": [provider("ana", shifts=[shift("MO 08:00", "13:00", "wang")]), provider("dee", shifts=[])]}
    problem = posed(ask("MO", **nobody), clock)
    keys = [[task.key for task in problem.domains.tasks if task.id.startswith(kind)] for kind in PLACES]
    incumbent = Incumbent(problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    search_network(Network(problem, keys, ("both",), 0), incumbent, search_exactly)
    assert len(incumbent.placements) == 3
    assert incumbent.bound == incumbent.cost > 0


@pytest.mark.heavy
def test_ten_clinics_weeks_are_planned_as_one_with_a_bound() -> None:
    """The figures are those of ``tests/benchmarks/bench_network.py``; here the machine may be busy."""
    asked = join_clinics([generate("week", seed + 1) for seed in range(10)], joint=20)
    told: list[Progress] = []
    plan = solve(asked, Limits(seconds=180.0, workers=2), on_progress=told.append)
    assert not check(asked, plan).violations
    assert told[0].seconds < 30
    assert plan.bound is not None
    assert 0.5 * plan.cost < plan.bound <= plan.cost


FEW = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
MANY = settings(FEW, max_examples=300)


@FEW
@given(scenarios())
def test_whatever_two_clinics_ask_the_plan_keeps_every_rule_and_its_bound_holds(asked: Scenario) -> None:
    expect_valid_plan_and_bound(join_clinics([asked, asked], joint=1))


@pytest.mark.heavy
@MANY
@given(scenarios())
def test_whatever_many_clinics_ask_the_plan_keeps_every_rule_and_its_bound_holds(asked: Scenario) -> None:
    expect_valid_plan_and_bound(join_clinics([asked, asked, asked], joint=2))


def expect_valid_plan_and_bound(asked: Scenario) -> None:
    """Search a network part by part, each to the end; compare its plan and bound with the best plan of the whole."""
    clock = Clock(SECONDS)
    try:
        problem = posed(asked, clock)
        parts, best = find_network(problem), optimum(asked)
        assume(parts is not None and best is not None and not problem.conflicts)
        assert parts is not None
        assert best is not None
        incumbent = Incumbent(problem.domains, 0, 0.0, clock, None)
        construct_first_plan(problem, incumbent, {})
        search_network(parts, incumbent, search_exactly)
        assert not check(asked, make_plan(problem.domains, incumbent.placements)).violations
        assert incumbent.bound <= best <= incumbent.cost
    finally:
        clock.end()
