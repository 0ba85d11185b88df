"""Large neighbourhood search: free some tasks, solve them exactly while the others stay, keep what is better.

References: Shaw, Using constraint programming and local search methods to solve vehicle routing problems (1998),
doi:10.1007/3-540-49481-2_30; Perron, Shaw and Furnon, Propagation guided large neighborhood search (2004),
doi:10.1007/978-3-540-30201-8_35.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from scheduling.errors import ModelInvalid
from solver.clock import Clock
from solver.model.exact import exact_model
from solver.model.solutions import extract, hint
from solver.state.domains import Domains, Option, ShiftId
from solver.state.occupancy import Occupancy
from solver.state.placements import Placement, count_notified_changes
from solver.state.tasks import Key

Placements = Mapping[Key, Placement]

LEAST_COUNTED_SECONDS = 0.01
"""Deterministic seconds of a search beside what CP-SAT counts: 0 for what presolve settles, which might go on for ever."""

FORCED = 10**6
"""What leaving out a visit costs that must come in, when the cheapest way to make room for it is searched."""


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How much one exact search may take: seconds (deterministic ones with a deterministic clock), workers, seed."""

    seconds: float
    workers: int
    seed: int

    def solve(
        self,
        model: cp_model.CpModel,
        clock: Clock,
        subsolvers: Sequence[str] = ("max_lp",),
        callback: cp_model.CpSolverSolutionCallback | None = None,
    ) -> tuple[cp_model.CpSolver, cp_model.CpSolverStatus]:
        """Solve a model, tell the clock what it took, and return the solver and how it ended.

        ``max_lp`` alone is best on neighbourhoods (of the default, ``reduced_costs``, ``max_lp`` and ``quick_restart`` on a
        day of 165 visits with 2 workers, 8 s: cost 3,903, 4,325, 3,819, 3,939). No subsolvers: the default ones.
        """
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = self.workers
        parameters.random_seed = self.seed
        parameters.catch_sigint_signal = False
        parameters.subsolvers.extend(subsolvers)
        if clock.deterministic:
            parameters.max_deterministic_time = self.seconds
            parameters.interleave_search = self.workers > 1
        else:
            parameters.max_time_in_seconds = self.seconds
        with clock.running(solver):
            status = solver.solve(model, callback)
        if clock.deterministic:
            clock.spend(LEAST_COUNTED_SECONDS + solver.response_proto.deterministic_time)
        if status == cp_model.MODEL_INVALID:
            raise ModelInvalid(model.validate())
        return solver, status


@dataclass(frozen=True, slots=True)
class SubproblemResult:
    """The placements found (None: none), whether it is proven that none are better (or none exist), and seconds of search."""

    placements: dict[Key, Placement] | None
    optimal: bool
    seconds: float


class SubproblemSolver:
    """Exact re-optimisation of parts of a plan."""

    def __init__(self, domains: Domains, clock: Clock) -> None:
        self.domains = domains
        self.clock = clock
        self.shift_at: Mapping[ShiftId, str] = {}
        self.relatives: dict[Key, set[Key]] = defaultdict(set)
        by_patient: dict[str, set[Key]] = defaultdict(set)
        for task in domains.tasks:
            for patient in domains.list_patients(task):
                by_patient[patient].add(task.key)
        for keys in by_patient.values():
            for key in keys:
                self.relatives[key] |= keys
        for link in domains.scenario.links:
            self.relatives["visit", link.before].add(("visit", link.after))
            self.relatives["visit", link.after].add(("visit", link.before))

    def solve(
        self,
        placements: Placements,
        options: Mapping[Key, Sequence[Option]],
        limits: SearchLimits,
        worth: Mapping[Key, int] | None = None,
    ) -> SubproblemResult:
        """Solve the tasks of ``options`` exactly, all others staying where they are.

        Tasks elsewhere matter only when they share a day with an option, or a patient or link with a free task. What those
        that stay take is cut from the options before the model is made, which makes it several times smaller. Rooms that
        are alike may change hands on the days of the options, where the model knows of everybody; on others nothing changes.
        """
        days = {option.day for some in options.values() for option in some}
        related = {relative for key in options for relative in self.relatives[key]}
        fixed = {
            key: placement
            for key, placement in placements.items()
            if key not in options and (placement.day in days or key in related)
        }
        around = Occupancy(self.domains, fixed)
        narrowed = {key: around.narrow_options(self.domains.by_key[key], some, options.keys()) for key, some in options.items()}
        elsewhere = self._notified_elsewhere(placements, options.keys() | fixed.keys())
        model, x = exact_model(self.domains, narrowed, fixed, elsewhere, worth=worth)
        for (shift, location), literal in x.shift_locations().items():
            if self.shift_at.get(shift, location) != location:
                model.add(literal == 0)
        hint(x, {key: placement for key, placement in placements.items() if key in options})
        solver, status = limits.solve(model, self.clock)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return SubproblemResult(None, status == cp_model.INFEASIBLE, solver.wall_time)
        solution = {key: placement for key, placement in extract(x, solver).items() if key in options or placement.day in days}
        others = {key: placement for key, placement in placements.items() if key not in options and key not in solution}
        return SubproblemResult(others | solution, status == cp_model.OPTIMAL, solver.wall_time)

    def _notified_elsewhere(self, placements: Placements, inside: Collection[Key]) -> int:
        if self.domains.scenario.policy.max_notified_moves is None:
            return 0
        outside = (task for task in self.domains.tasks if task.key not in inside)
        return sum(count_notified_changes(self.domains, task, placements.get(task.key)) for task in outside)
