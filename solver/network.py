"""The search of a scenario that falls apart into large parts, such as the clinics of a network: each part by itself.

Parts share patients at most, and few of them. What must not meet is then looked after when a part's plan is taken over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import or_
from threading import Lock
from time import monotonic

from scheduling.costs import QUARTER_MINUTES
from scheduling.scenario import Scenario
from scheduling.timegrid import get_first_slot
from solver.clock import Clock
from solver.gc_pause import GC_PAUSE
from solver.problem import PlanningProblem
from solver.search.construct import insert, retain_feasible
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import Placements, SearchLimits, SubproblemSolver
from solver.search.parts import find_parts
from solver.state.domains import Domains, Option
from solver.state.occupancy import Occupancy
from solver.state.tasks import Key

Search = Callable[[PlanningProblem, Incumbent], None]

LARGEST_PART_OF_NETWORK = 0.9
"""Share of all options that the largest of a scenario's parts may have, for the parts to be searched by themselves (ours)."""

FEW_PATIENTS = 0.05
"""Share of all patients that the parts may have in common (ours)."""

FIRST_SHARE = 0.08
"""Share of the time of a first round over the parts, so that all have a good plan and a bound soon (ours)."""

LEAST_FIRST_SECONDS = 5.0
"""Seconds that a part is searched at least, for there to be a first round (ours)."""

UNEVEN = 1.15
"""How much more than their mean the worker with the most to do may have (ours)."""

SHORTEST_SECONDS = 0.1
"""Seconds for a part that has no option at all, or only a few among very many (ours)."""

RECONCILE_SECONDS = 2.0
"""Seconds for what a part's plan has against those of the other parts, when they have patients in common (ours)."""

RECONCILE_SHARE = 0.2
"""Share of a part's time that is kept for that, at most (ours)."""

ANOTHER_VERSION = -1
"""Stands for the version of no plan: what is found beside it is checked before it is taken over."""


@dataclass(frozen=True)
class Network:
    """A scenario's parts: their tasks, the one with the most options first.

    Attributes
    ----------
    joint_cost : int
        What the parts may count too much together, because a patient who comes to several on one date makes one trip, and
        spends between the items of one part some time with the other.
    """

    problem: PlanningProblem
    parts: Sequence[Sequence[Key]]
    joint_patients: Collection[str]
    joint_cost: int

    @cached_property
    def sizes(self) -> Sequence[int]:
        """How many options each part has."""
        return [sum(len(self.problem.domains.options[key]) for key in part) for part in self.parts]


def find_network(problem: PlanningProblem) -> Network | None:
    """Return the large parts of a scenario, None when it is one or small, or its parts have too much in common."""
    if problem.option_count < problem.parameters.network_min_options:
        return None
    parts = find_parts(problem.domains, joint_patients=True)[::-1]
    tasks: dict[str, dict[int, list[Key]]] = defaultdict(lambda: defaultdict(list))
    for number, part in enumerate(parts):
        for key in part:
            task = problem.domains.by_key[key]
            for patient in problem.domains.list_patients(task):
                tasks[patient][number].append(key)
    joint = {patient: list(keys.values()) for patient, keys in tasks.items() if len(keys) > 1}
    network = Network(problem, parts, joint.keys(), sum(get_joint_cost(problem, keys) for keys in joint.values()))
    if network.sizes[0] > LARGEST_PART_OF_NETWORK * sum(network.sizes) or len(joint) > FEW_PATIENTS * len(tasks):
        return None
    return network


def get_joint_cost(problem: PlanningProblem, keys_of_parts: Sequence[Sequence[Key]]) -> int:
    """Return how much more a patient of several parts may cost in the parts together than in the whole, at most.

    What is a trip, or a journey from site to site, in one part may be one of another part too. Who waits between two items of
    one part may have one of another part then; they wait from the first possible start to the last one, at most.
    """
    policy, grid = problem.scenario.policy, problem.scenario.grid
    counts = [len(keys) for keys in keys_of_parts]
    alike = sum(count - 1 for count in counts) - (max(counts) - 1)
    quarters = 0
    for keys in keys_of_parts:
        starts = reduce(or_, (option.starts for key in keys for option in problem.domains.options[key]), 0)
        slots = starts.bit_length() - 1 - get_first_slot(starts)
        quarters += len(keys) // 2 * (slots * grid.grid_minutes // QUARTER_MINUTES)
    return (policy.extra_trip + policy.patient_site_change) * alike + policy.waiting * quarters


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
        self._taking_over = Lock()
        self._parts: list[Part] = []

    def run(self) -> None:
        """Search every part, twice where there is time for it, so that all have a good plan and a bound soon."""
        workers, clock = self.problem.limits.workers, self.problem.clock
        self.incumbent.phase = "parts"
        with GC_PAUSE:
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
        is_long = first * max(part.size for part in parts) > LEAST_FIRST_SECONDS * sum(part.size for part in parts)
        for left_at_end in (clock.left - first, 0.0) if is_long else (0.0,):
            for position, part in enumerate(parts):
                share = part.size / max(1, sum(other.size for other in parts[position:]))
                if not clock.over:
                    self._search_part(part, max(SHORTEST_SECONDS, share * (clock.left - left_at_end)), workers)

    def _search_part(self, part: Part, seconds: float, workers: int) -> None:
        """Search one part from what the incumbent has of it, and offer the result."""
        problem, scenario, keys = self.problem, part.domains.scenario, set(self.network.parts[part.number])
        kept = min(RECONCILE_SECONDS, RECONCILE_SHARE * seconds) if self.network.joint_patients else 0.0
        clock = Clock(seconds - kept, cancel=problem.clock.cancel)
        try:
            limits = replace(problem.limits, seconds=seconds, workers=workers)
            subproblems = SubproblemSolver(part.domains, clock)
            alone = PlanningProblem(scenario, scenario, limits, clock, problem.parameters, {}, part.domains, subproblems)
            bound = max(part.bound, alone.forced_cost)
            best = Incumbent(part.domains, bound, limits.gap, clock, lambda progress: self._raise_bound(part, progress.bound))
            best.offer({key: place for key, place in self.incumbent.get_version()[1].items() if key in keys})
            if not best.is_done:
                self.search(alone, best)
            with self._taking_over:
                take_over(self.network, part.number, best.placements, self.incumbent)
            self._raise_bound(part, min(best.bound, best.cost))
        finally:
            clock.end()

    def _raise_bound(self, part: Part, bound: int | None) -> None:
        """Take a better bound on a part's cost; the bounds of all parts add up, less what they count too much."""
        with self._lock:
            part.bound = max(part.bound, bound or 0)
            self.incumbent.raise_bound(sum(other.bound for other in self._parts) - self.network.joint_cost)


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
    patients = {patient for task in tasks for patient in domains.list_patients(task)}
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
    """Offer a part's placements; what has something against the other parts is reconciled with them."""
    part = network.parts[number]
    if incumbent.offer(placements, ANOTHER_VERSION, part) or not network.joint_patients:
        return
    own = set(part)
    others = {key: place for key, place in incumbent.get_version()[1].items() if key not in own}
    incumbent.offer(reconcile(network.problem, placements, others), ANOTHER_VERSION, part)


def reconcile(problem: PlanningProblem, placements: Placements, others: Placements) -> Placements:
    """Return a part's placements beside those of other parts: what breaks a rule there is placed anew, chain by chain.

    Whoever is in the shifts that it had may make room, on the same days.
    """
    domains, ends = problem.domains, monotonic() + RECONCILE_SECONDS
    staying = retain_feasible(domains, placements, others)
    chains = {frozenset(domains.get_linked(key)) for key in placements.keys() - staying.keys()}
    moving = {key for chain in chains for key in chain}
    kept = {key: place for key, place in staying.items() if key not in moving}
    occupancy = Occupancy(domains, {**others, **kept})
    for chain in chains:
        insert(occupancy, domains.by_key[min(chain)])
    whole: Placements = occupancy.placements
    for chain in sorted(chains, key=lambda chain: len(chain & whole.keys())):
        had = [placements[key] for key in chain & placements.keys()]
        days, shifts = {place.day for place in had}, {shift for place in had for shift in place.team}
        near = [key for key, place in whole.items() if key in placements and not shifts.isdisjoint(place.team)]
        freed: dict[Key, Sequence[Option]] = {
            key: [option for option in domains.options[key] if option.day in days] for key in near
        }
        freed |= {key: domains.options[key] for key in chain}
        seconds = ends - monotonic()
        if seconds > 0:
            whole = problem.subproblems.solve(whole, freed, SearchLimits(seconds, 1, problem.limits.seed)).placements or whole
    return whole
