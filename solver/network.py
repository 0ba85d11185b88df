"""The search of a scenario that falls apart into large parts, such as the clinics of a network: each part by itself.

Parts share patients at most, and few of them. What must not meet is then looked after when a part's plan is taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

from scheduling.scenario import Scenario
from solver.clock import Clock
from solver.problem import PlanningProblem
from solver.search.construct import insert
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import Placements, SubproblemSolver
from solver.search.parts import find_parts
from solver.state.domains import Domains
from solver.state.occupancy import Occupancy
from solver.state.tasks import Key

Search = Callable[[PlanningProblem, Incumbent], None]

LARGEST_PART = 0.6
"""Share of all options that the largest of a scenario's parts may have, for the parts to be searched by themselves (ours)."""

FEW_PATIENTS = 0.05
"""Share of all patients that the parts may have in common (ours)."""

FIRST_SHARE = 0.15
"""Share of the time of a first round over the parts, so that all have a good plan soon (ours)."""

LEAST_SECONDS = 5.0
"""Seconds that a part is searched at least, for there to be a first round (ours)."""

ANOTHER_VERSION = -1
"""Stands for the version of no plan: what is found beside it is checked before it is taken over."""


@dataclass(frozen=True)
class Network:
    """A scenario's parts: their tasks, the one with the most options first.

    Attributes
    ----------
    joint_trips : int
        What the parts may count too much together, because a patient who comes to several on one date makes one trip.
    """

    problem: PlanningProblem
    parts: Sequence[Sequence[Key]]
    joint_patients: Collection[str]
    joint_trips: int

    @cached_property
    def sizes(self) -> Sequence[int]:
        """How many options each part has."""
        return [sum(len(self.problem.domains.options[key]) for key in part) for part in self.parts]


def find_network(problem: PlanningProblem) -> Network | None:
    """Return the large parts of a scenario, None when it is one or small, or its parts have too much in common."""
    if problem.option_count < problem.parameters.network_min_options:
        return None
    parts = find_parts(problem.domains, joint_patients=True)[::-1]
    visits: dict[str, list[int]] = defaultdict(lambda: [0] * len(parts))
    for number, part in enumerate(parts):
        for key in part:
            task = problem.domains.by_key[key]
            for patient in (task.patient,) if task.patient else problem.domains.list_members(task):
                visits[patient][number] += 1
    joint = {patient: counts for patient, counts in visits.items() if sum(map(bool, counts)) > 1}
    policy = problem.scenario.policy
    over = sum(sum(map(_without_first, counts)) - _without_first(max(counts)) for counts in joint.values())
    network = Network(problem, parts, joint.keys(), policy.extra_trip * over)
    depends_on_order = policy.waiting or policy.patient_site_change
    if network.sizes[0] > LARGEST_PART * sum(network.sizes) or len(joint) > FEW_PATIENTS * len(visits):
        return None
    return None if joint and depends_on_order else network


def _without_first(count: int) -> int:
    return max(0, count - 1)


def search_network(network: Network, incumbent: Incumbent, search: Search) -> None:
    """Search each part by itself, several at once, with its share of the time; twice, where there is time for it."""
    problem, bounds = network.problem, [0] * len(network.parts)
    workers, clock = problem.limits.workers, problem.clock
    share, first = 1 / measure_longest(network.sizes, workers), clock.left * FIRST_SHARE
    rounds = [first] if first * share * network.sizes[0] > LEAST_SECONDS else []
    incumbent.phase = "parts"

    def search_part(number: int, seconds: float) -> None:
        if not clock.over:
            bound = _search_part(network, number, min(clock.left, seconds), incumbent, search)
            bounds[number] = max(bounds[number], bound)
            incumbent.raise_bound(sum(bounds) - network.joint_trips)

    with ThreadPoolExecutor(workers) as pool:
        for seconds in (*rounds, None):
            left = clock.left if seconds is None else seconds
            turns = [(number, left * share * size) for number, size in enumerate(network.sizes)]
            list(pool.map(lambda turn: search_part(*turn), turns))


def measure_longest(sizes: Sequence[int], workers: int) -> int:
    """Return how much the worker with the most to do has of tasks of some sizes, each given to whoever has the least yet."""
    loads = [0] * workers
    for size in sizes:
        loads[loads.index(min(loads))] += size
    return max(1, *loads)


def _search_part(network: Network, number: int, seconds: float, incumbent: Incumbent, search: Search) -> int:
    """Search one part from what the incumbent has of it, offer the result, and return a bound on the part's cost."""
    problem, part = network.problem, set(network.parts[number])
    scenario = restrict(problem.domains, part)
    clock = Clock(seconds, cancel=problem.clock.cancel)
    try:
        domains = Domains(scenario, without=problem.domains.without, staying=problem.domains.staying)
        limits = replace(problem.limits, seconds=seconds, workers=1)
        alone = PlanningProblem(
            scenario, scenario, limits, clock, problem.parameters, {}, domains, SubproblemSolver(domains, clock)
        )
        best = Incumbent(domains, alone.forced_cost, problem.limits.gap, clock, None)
        best.offer({key: place for key, place in incumbent.get_version()[1].items() if key in part})
        if not best.is_done:
            search(alone, best)
        take_over(network, number, best.placements, incumbent)
        return min(best.bound, best.cost)
    finally:
        clock.end()


def restrict(domains: Domains, part: Collection[Key]) -> Scenario:
    """Return the scenario of some tasks alone, with everybody who may work on them."""
    scenario, tasks = domains.scenario, [domains.by_key[key] for key in part]
    patients = {patient for task in tasks for patient in ((task.patient,) if task.patient else domains.list_members(task))}
    providers = {option.provider for key in part for option in domains.options[key]}
    providers |= {option.provider for task in tasks if task.service.team for option in domains.seat(task.service, None)}
    return scenario.changed(
        visits=tuple(visit for visit in scenario.visits if ("visit", visit.id) in part),
        groups=tuple(group for group in scenario.groups if ("group", group.id) in part),
        reserves=tuple(reserve for reserve in scenario.reserves if ("hold", reserve.id) in part),
        links=tuple(link for link in scenario.links if ("visit", link.before) in part),
        patients=tuple(patient for patient in scenario.patients if patient.id in patients),
        providers=tuple(provider for provider in scenario.providers if provider.id in providers),
    )


def take_over(network: Network, number: int, placements: Placements, incumbent: Incumbent) -> None:
    """Offer a part's placements; where they meet other items of joint patients, those of the part are placed anew."""
    part, domains = network.parts[number], network.problem.domains
    if incumbent.offer(placements, ANOTHER_VERSION, part) or not network.joint_patients:
        return
    joint = [domains.by_key[key] for key in part if domains.by_key[key].patient in network.joint_patients]
    rest = set(part) | {key for task in joint for key in domains.get_linked(task.key)}
    others = {key: place for key, place in incumbent.get_version()[1].items() if key not in rest}
    moving = {key for task in joint for key in domains.get_linked(task.key)}
    occupancy = Occupancy(domains, others | {key: place for key, place in placements.items() if key not in moving})
    for task in joint:
        if task.key not in occupancy.placements:
            insert(occupancy, task)
    incumbent.offer(occupancy.placements, ANOTHER_VERSION, part)
