"""Large parts that share a few patients are searched by themselves, and nothing that they share is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from support.factories import clinic, link, patient, policy, provider, scenario, service, shift, visit

from scheduling.check import check
from scheduling.requests import Link, Visit
from scheduling.scenario import Scenario
from solver import Limits, network, solve
from solver.clock import Clock
from solver.network import Network, find_network, restrict, search_network, share_out
from solver.parameters import SolverParameters
from solver.problem import PlanningProblem, pose
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import SearchLimits
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
        {"policy": policy(waiting=3)},
        {"policy": policy(patient_site_change=3)},
        {"policy": policy(max_notified_moves=3)},
    ],
    ids=["a physician", "waiting", "journeys", "a budget"],
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


@pytest.mark.parametrize("days", ["MO", "MO TU WE"])
def test_no_bound_is_above_the_best_plan_and_nobody_is_at_two_places_at_once(clock: Clock, days: str) -> None:
    asked = ask(days)
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


def test_what_parts_count_twice_is_left_out_of_the_bound(clock: Clock) -> None:
    asked = ask("MO TU WE")
    parts = found(asked, clock)
    incumbent = Incumbent(parts.problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    search_network(parts, incumbent, search_exactly)
    assert parts.joint_trips == 2 * asked.policy.extra_trip
    assert incumbent.bound + parts.joint_trips > solve(asked, Limits(SECONDS, 1, deterministic=True)).cost


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
