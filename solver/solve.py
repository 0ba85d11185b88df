"""From a scenario to the best plan that the time allows, with a proven bound: :func:`solve`, and the phases that it composes.

The phases share a :class:`PlanningProblem` (what is asked), an :class:`~solver.search.incumbent.Incumbent` (the best so far)
and a clock. Each takes the incumbent, and leaves it better or as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from threading import Event

from ortools.sat.python import cp_model

from scheduling.check import check
from scheduling.errors import RuleBroken
from scheduling.plan import Plan, Reason, Status
from scheduling.scenario import Scenario
from solver.clock import Clock
from solver.decomposition import Relaxation, decompose, relax
from solver.gc_pause import GC_PAUSE
from solver.limits import Limits
from solver.model.exact import exact_model
from solver.model.solutions import extract, hint
from solver.model.variables import Variables
from solver.network import find_network, search_network
from solver.parameters import DEFAULTS, SolverParameters
from solver.problem import PlanningProblem, construct_first_plan, keep_what_stands, offer_warm_start, pose, read_warm_start
from solver.search.explain import reasons_left_out
from solver.search.incumbent import Incumbent, OnProgress, Snapshot
from solver.search.large_neighbourhoods import Placements, SearchLimits
from solver.search.parts import find_parts
from solver.search.rooms import keep_standing_rooms
from solver.search.standing import keep_standing
from solver.state.domains import Domains
from solver.state.placements import make_plan

LARGEST_EXACT_PART = 0.6
"""Share of all options that the largest part may have, for each to be solved in an exact model of its own (ours)."""


def solve(
    scenario: Scenario,
    limits: Limits,
    start: Plan | None = None,
    on_progress: OnProgress | None = None,
    cancel: Event | None = None,
    parameters: SolverParameters = DEFAULTS,
) -> Plan:
    """Return the best plan found, checked, with a proven lower bound on the cost of every plan.

    Parameters
    ----------
    scenario
        What to plan.
    limits
        Time, workers, seed and gap.
    start
        A plan to start from: whatever of it still stands is kept at first.
    on_progress
        Called with every better cost or bound, from the solving threads.
    cancel
        Set it, from any thread, to get the best plan so far.
    parameters
        How the time is shared out, and how the searches go.

    Returns
    -------
    Plan
        ``optimal`` when its cost equals the bound, else ``feasible``; ``unknown`` when the scenario's pins or its
        notification budget cannot be kept: then the visits concerned say so in their reasons.

    Raises
    ------
    RuleBroken
        A rule is broken by what the search made: a defect, never a plan.
    """
    clock = Clock(limits.seconds, limits.deterministic, cancel)
    try:
        with GC_PAUSE:
            problem = pose(scenario, limits, clock, parameters)
            incumbent = Incumbent(problem.domains, problem.forced_cost, limits.gap, clock, on_progress)
            warm_start = read_warm_start(problem, start)
            incumbent_at_start = offer_warm_start(problem, incumbent, warm_start)
            problem = construct_first_plan(problem, incumbent, warm_start)
        if not incumbent.keeps_budget:
            problem = keep_what_stands(problem, incumbent)
        relaxation: Relaxation | None = None
        if not incumbent.is_done:
            solve_parts(problem, incumbent)
        if problem.is_small and not incumbent.is_done:
            relaxation = relax(problem, incumbent)
            if not incumbent.is_done:
                solve_exactly(problem, incumbent)
        if not incumbent.is_done:
            network = None if clock.deterministic else find_network(problem)
            if network is None:
                decompose(problem, incumbent, relaxation)
            else:
                search_network(network, incumbent, PartSearch())
        return report(problem, incumbent, incumbent_at_start, warm_start)
    finally:
        clock.end()


class PartSearch:
    """The search of a part, as often as it is asked for: its relaxation is solved once."""

    def __init__(self) -> None:
        self._relaxations: dict[Domains, Relaxation] = {}

    def __call__(self, problem: PlanningProblem, incumbent: Incumbent) -> None:
        """Search a part: whole by the exact model where it is small, else by decomposition."""
        if problem.is_small:
            solve_exactly(problem, incumbent)
        if not incumbent.is_done:
            relaxation = decompose(problem, incumbent, self._relaxations.get(problem.domains))
            if relaxation.solution is not None:
                self._relaxations[problem.domains] = relaxation


# --- the exact model -------------------------------------------------------------------------------------------------


def solve_exactly(problem: PlanningProblem, incumbent: Incumbent) -> None:
    """Solve everything in one exact model."""
    clock, limits = problem.clock, problem.limits
    incumbent.phase = "exact"
    model, x = exact_model(problem.domains)
    hint(x, incumbent.placements)
    seconds = clock.left * problem.parameters.exact_time_share
    exact_limits = SearchLimits(seconds, limits.workers, limits.seed)
    solver, status = exact_limits.solve(model, clock, subsolvers=(), callback=SolutionCallback(incumbent, x))
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        incumbent.offer(extract(x, solver))
        incumbent.raise_bound(solver.best_objective_bound)


def solve_parts(problem: PlanningProblem, incumbent: Incumbent) -> None:
    """Solve the parts of what falls apart in exact models of their own, the smallest first; each gets its share of the time.

    Nothing is done where a part is too large for an exact model, or holds nearly everything and works in teams, which is what
    :func:`solve_exactly` is for. Beside ``max_lp`` runs ``core``: they prove a day of 100 chained visits in 0.1 s of processor
    time, where the default subsolvers take 0.5 s.
    """
    parts, clock, limits = find_parts(problem.domains), problem.clock, problem.limits
    sizes = [sum(len(problem.domains.options[key]) for key in part) for part in parts]
    is_split = sizes[-1] <= LARGEST_EXACT_PART * sum(sizes) or not any(task.service.team for task in problem.domains.tasks)
    if sizes[-1] > problem.parameters.exact_max_options or not is_split:
        return
    incumbent.phase = "exact"
    bound = 0
    for number, part in enumerate(parts):
        if incumbent.is_done:
            break
        model, x = exact_model(problem.domains, {key: problem.domains.options[key] for key in part})
        seconds = clock.left * sizes[number] / max(1, sum(sizes[number:]))
        solver, status = SearchLimits(seconds, limits.workers, limits.seed).solve(model, clock, ("max_lp", "core"))
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            others = {key: placement for key, placement in incumbent.placements.items() if key not in set(part)}
            incumbent.offer(others | extract(x, solver))
            bound += max(0, ceil(solver.best_objective_bound - 1e-6))
    incumbent.raise_bound(bound)


class SolutionCallback(cp_model.CpSolverSolutionCallback):
    """CP-SAT's callback: takes over the solutions of the exact model as they are found."""

    def __init__(self, incumbent: Incumbent, x: Variables) -> None:
        super().__init__()
        self.incumbent = incumbent
        self.x = x

    def on_solution_callback(self) -> None:
        self.incumbent.offer(extract(self.x, self))
        self.incumbent.raise_bound(self.best_objective_bound)
        if self.incumbent.is_done:
            self.stop_search()


# --- the end ---------------------------------------------------------------------------------------------------------


def report(problem: PlanningProblem, incumbent: Incumbent, incumbent_at_start: Snapshot | None, warm_start: Placements) -> Plan:
    """Return the incumbent as a checked plan, with its bound and the reasons of what is left out.

    What stood at the start is preferred to another plan of the same score: as a whole, else its rooms, supervisors and holds.
    """
    incumbent.phase = "reasons"
    best = incumbent.get_snapshot()
    if incumbent_at_start is not None and incumbent_at_start.score == best.score:
        best = incumbent_at_start
    is_impossible = bool(problem.conflicts) or not incumbent.keeps_budget or problem.scenario is not problem.asked
    bound = None if is_impossible else min(incumbent.bound, incumbent.cost)
    status: Status = "unknown" if is_impossible else "optimal" if bound == incumbent.cost else "feasible"
    seconds = min(10.0, max(1.0, problem.limits.seconds * problem.parameters.explain_time_share))
    if status == "optimal":
        seconds = max(seconds, problem.clock.left)
    reasons: dict[str, Sequence[Reason]] = {key[1]: list(why) for key, why in problem.conflicts.items()}
    reasons |= reasons_left_out(problem.domains, best.placements, problem.clock.deterministic, seconds, skip=reasons)
    kept = keep_standing(problem.domains, keep_standing_rooms(problem.domains, best.placements), warm_start)
    plan = make_plan(problem.domains, kept, status, bound, reasons)
    excused = {("pinned", key[1]) for key in problem.conflicts}
    for violation in check(problem.asked, plan).violations:
        is_known = (violation.rule, violation.ids[0]) in excused
        if not is_known and not (is_impossible and violation.rule == "notification-budget"):
            raise RuleBroken(violation.rule, violation.ids, violation.detail)
    return plan
