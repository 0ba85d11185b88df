"""The incumbent: the best placements so far, what they cost, and the proven bound; shared by all threads of a search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from threading import Lock

from scheduling.check import check
from solver.clock import Clock
from solver.limits import Progress
from solver.state.domains import Domains
from solver.state.placements import Placement, count_notified_changes, make_plan
from solver.state.tasks import Key

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Placements and their score at one moment: calls above the budget, and cost."""

    placements: Mapping[Key, Placement]
    score: tuple[int, int]


class Incumbent:
    """The best placements of a scenario's tasks, and the lower bound on the cost of every plan.

    A score is compared by its calls above the notification budget first, then by cost.

    Parameters
    ----------
    domains
        The scenario's tasks; which of their options are open does not matter here.
    bound
        A first lower bound.
    max_gap
        Relative gap at which the plan is good enough.
    clock
        When the search ends.
    on_progress
        Called with every better cost or bound, from the thread that found it.

    Attributes
    ----------
    phase : str
        What the search is doing, for those who are told.
    version : int
        Number of the placements, above 0 once there are some.
    """

    def __init__(self, domains: Domains, bound: int, max_gap: float, clock: Clock, on_progress: OnProgress | None) -> None:
        self.domains = domains
        self.bound = bound
        self.max_gap = max_gap
        self.clock = clock
        self.phase = "first plan"
        self.placements: dict[Key, Placement] = {}
        self.score = (0, 0)
        self.version = 0
        self._on_progress = on_progress
        self._lock = Lock()

    @property
    def cost(self) -> int:
        """What the placements cost as a plan."""
        return self.score[1]

    @property
    def keeps_budget(self) -> bool:
        """Whether no more notified patients have to be called again than may be, or must be in any plan."""
        return self.score[0] == 0

    @property
    def is_done(self) -> bool:
        """Whether time is over, or the plan good enough."""
        return self.clock.over or (self.keeps_budget and self.cost - self.bound <= self.max_gap * self.cost)

    def get_version(self) -> tuple[int, Mapping[Key, Placement]]:
        """Return the placements with their number."""
        with self._lock:
            return self.version, self.placements

    def get_snapshot(self) -> Snapshot:
        """Return the placements with their score."""
        with self._lock:
            return Snapshot(self.placements, self.score)

    def offer(self, placements: Mapping[Key, Placement], base: int | None = None, freed: Sequence[Key] = ()) -> bool:
        """Take placements that are no worse than the best; return whether they were better.

        Placements of ``freed`` that were found beside an older version ``base`` are carried over to the present one.
        """
        with self._lock:
            if base is not None and base != self.version:
                rest = {key: placement for key, placement in self.placements.items() if key not in freed}
                placements = rest | {key: placements[key] for key in freed if key in placements}
                if check(self.domains.scenario, make_plan(self.domains, placements)).violations:
                    return False
            score = (self._count_over_budget(placements), make_plan(self.domains, placements).cost)
            if self.version and score > self.score:
                return False
            is_better = self.version == 0 or score < self.score
            self.placements, self.score = dict(placements), score
            self.version += 1
        if is_better:
            self.tell()
        return is_better

    def raise_bound(self, bound: float | None) -> None:
        """Take a better bound."""
        if bound is not None and ceil(bound - 1e-6) > self.bound:
            self.bound = ceil(bound - 1e-6)
            self.tell()

    def tell(self) -> None:
        """Report where the search stands."""
        if self._on_progress is not None:
            version, placements = self.get_version()
            bound, late = min(self.bound, self.cost), self._count_late(placements)
            planned = sum(kind == "visit" for kind, _ in placements)
            made = partial(make_plan, self.domains, placements, bound=bound)
            self._on_progress(Progress(self.clock.elapsed, self.cost, bound, self.phase, planned, late, version, made))

    def _count_late(self, placements: Mapping[Key, Placement]) -> int:
        grid, asked = self.domains.scenario.grid, self.domains.scenario.visits_by_id
        days = ((asked[name].target, grid.date(place.day)) for (kind, name), place in placements.items() if kind == "visit")
        return sum(target is not None and day > target for target, day in days)

    def _count_over_budget(self, placements: Mapping[Key, Placement]) -> int:
        budget = self.domains.scenario.policy.max_notified_moves
        if budget is None:
            return 0
        changes = (count_notified_changes(self.domains, task, placements.get(task.key)) for task in self.domains.tasks)
        return max(0, sum(changes) - budget)
