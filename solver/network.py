"""The search of a scenario that falls apart into large parts, such as the clinics of a network: each part by itself.

Parts share patients at most, and few of them. What must not meet is then looked after when a part's plan is taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock

from scheduling.scenario import Scenario
from solver.clock import Clock
from solver.collection import HOLD
from solver.problem import PlanningProblem
from solver.search.construct import insert
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import Placements, SubproblemSolver
from solver.search.parts import find_parts
from solver.state.domains import Domains
from solver.state.occupancy import Occupancy
from solver.state.tasks import Key

Search = Callable[[PlanningProblem, Incumbent], None]

LARGEST_PART = 0.9
"""Share of all options that the largest of a scenario's parts may have, for the parts to be searched by themselves (ours)."""

FEW_PATIENTS = 0.05
"""Share of all patients that the parts may have in common (ours)."""

FIRST_SHARE = 0.08
"""Share of the time of a first round over the parts, so that all have a good plan and a bound soon (ours)."""

LEAST_SECONDS = 5.0
"""Seconds that a part is searched at least, for there to be a first round (ours)."""

UNEVEN = 1.15
"""How much more than their mean the worker with the most to do may have (ours)."""

SHORTEST_SECONDS = 0.1
"""Seconds for a part that has no option at all, or only a few among very many (ours)."""

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


@dataclass
class Part:
    """A part of a network as a scenario of its own, and the bound on its cost that is known so far."""

    number: int
    size: int
    domains: Domains
    bound: int = 0


class NetworkSearch:
    """The search of a network's parts.

    Each worker has parts of its own, unless one of them would then have much more to do than the others: all workers then
    search one part after the other together.
    """

    def __init__(self, network: Network, incumbent: Incumbent, search: Search) -> None:
        self.network = network
        self.problem = network.problem
        self.incumbent = incumbent
        self.search = search
        self._lock = Lock()
        self._parts: list[Part] = []

    def run(self) -> None:
        """Search every part, twice where there is time for it, so that all have a good plan and a bound soon."""
        workers, clock = self.problem.limits.workers, self.problem.clock
        self.incumbent.phase = "parts"
        with HOLD:
            self._parts = [self._separate(number) for number in range(len(self.network.parts))]
        lanes = share_out(self.network.sizes, workers)
        each = workers // len(lanes)
        with ThreadPoolExecutor(len(lanes)) as pool:
            list(pool.map(lambda lane: self._search_lane(lane, clock.left, each), lanes))

    def _separate(self, number: int) -> Part:
        domains, keys = self.problem.domains, set(self.network.parts[number])
        alone = Domains(restrict(domains, keys), without=domains.without, staying=domains.staying)
        return Part(number, self.network.sizes[number], alone)

    def _search_lane(self, lane: Sequence[int], seconds: float, workers: int) -> None:
        """Search some parts one after the other, each with its share of the time."""
        parts, clock = [self._parts[number] for number in lane], self.problem.clock
        first = seconds * FIRST_SHARE
        is_long = first * max(part.size for part in parts) > LEAST_SECONDS * sum(part.size for part in parts)
        for left_at_end in (clock.left - first, 0.0) if is_long else (0.0,):
            for position, part in enumerate(parts):
                share = part.size / max(1, sum(other.size for other in parts[position:]))
                if not clock.over:
                    self._search_part(part, max(SHORTEST_SECONDS, share * (clock.left - left_at_end)), workers)

    def _search_part(self, part: Part, seconds: float, workers: int) -> None:
        """Search one part from what the incumbent has of it, and offer the result."""
        problem, scenario, keys = self.problem, part.domains.scenario, set(self.network.parts[part.number])
        clock = Clock(seconds, cancel=problem.clock.cancel)
        try:
            limits = replace(problem.limits, seconds=seconds, workers=workers)
            subproblems = SubproblemSolver(part.domains, clock)
            alone = PlanningProblem(scenario, scenario, limits, clock, problem.parameters, {}, part.domains, subproblems)
            bound = max(part.bound, alone.forced_cost)
            best = Incumbent(part.domains, bound, limits.gap, clock, lambda progress: self._raise_bound(part, progress.bound))
            best.offer({key: place for key, place in self.incumbent.get_version()[1].items() if key in keys})
            if not best.is_done:
                self.search(alone, best)
            take_over(self.network, part.number, best.placements, self.incumbent)
            self._raise_bound(part, min(best.bound, best.cost))
        finally:
            clock.end()

    def _raise_bound(self, part: Part, bound: int | None) -> None:
        """Take a better bound on a part's cost; the bounds of all parts add up, less the trips that they count too much."""
        with self._lock:
            part.bound = max(part.bound, bound or 0)
            self.incumbent.raise_bound(sum(other.bound for other in self._parts) - self.network.joint_trips)


def search_network(network: Network, incumbent: Incumbent, search: Search) -> None:
    """Search each part by itself, with its share of the time."""
    NetworkSearch(network, incumbent, search).run()


def share_out(sizes: Sequence[int], workers: int) -> list[list[int]]:
    """Return whose parts are whose, by their numbers, each given to whoever has the least yet; one list if that is unfair."""
    lanes, loads = [list[int]() for _ in range(workers)], [0] * workers
    for number, size in enumerate(sizes):
        worker = loads.index(min(loads))
        lanes[worker].append(number)
        loads[worker] += size
    if max(loads, default=0) * workers > UNEVEN * sum(loads):
        return [list(range(len(sizes)))]
    return [lane for lane in lanes if lane]


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
