"""From a scenario to the best plan that the time allows, with a proven bound: :func:`solve`, and the phases that it composes.

The phases share a :class:`PlanningProblem` (what is asked), an :class:`~solver.search.incumbent.Incumbent` (the best so far)
and a clock. Each takes the incumbent, and leaves it better or as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from threading import Event

from ortools.sat.python import cp_model

from scheduling.check import check
from scheduling.errors import ModelInvalid, RuleBroken
from scheduling.plan import Plan, Reason, Status
from scheduling.scenario import Scenario
from solver.bound.master import Master
from solver.bound.relaxation import LinearProgram, LinearRelaxation
from solver.clock import Clock
from solver.limits import Limits
from solver.model.exact import exact_model
from solver.model.variables import Variables
from solver.parameters import DEFAULTS, SolverParameters
from solver.problem import PlanningProblem, construct_first_plan, keep_what_stands, offer_warm_start, pose, read_warm_start
from solver.search.construct import construct
from solver.search.explain import reasons_left_out
from solver.search.incumbent import Incumbent, OnProgress, Snapshot
from solver.search.large_neighbourhoods import LEAST_SECONDS, Placements, SearchLimits
from solver.search.neighbourhoods import Guide, Neighbourhoods
from solver.search.parts import find_parts
from solver.search.rooms import keep_standing_rooms
from solver.search.ruin import STEPS, CoolingSchedule, KernelCompilation, RuinAndRecreate
from solver.search.standing import keep_standing
from solver.state.domains import ShiftId
from solver.state.placements import make_plan

RELAX_SECONDS = 1.0 / 31_592
"""Deterministic seconds that the master's relaxation counts for, for each option (a week has 31,592)."""

LARGEST_PART = 0.6
"""Share of all options that the largest of a scenario's parts may have, for the parts to be solved by themselves (ours)."""

STEP_SECONDS = 0.0001
"""Deterministic seconds that one ruin and recreation counts for."""


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
            decompose(problem, incumbent, relaxation)
        return report(problem, incumbent, incumbent_at_start, warm_start)
    finally:
        clock.end()


# --- the exact model -------------------------------------------------------------------------------------------------


def solve_exactly(problem: PlanningProblem, incumbent: Incumbent) -> None:
    """Solve everything in one exact model."""
    clock, limits = problem.clock, problem.limits
    incumbent.phase = "exact"
    model, x = exact_model(problem.domains)
    x.hint(incumbent.placements)
    seconds = clock.left * problem.parameters.exact_time_share
    solver = SearchLimits(seconds, limits.workers, limits.seed).solver(clock)
    solver.parameters.subsolvers.clear()
    with clock.running(solver):
        status = solver.solve(model, SolutionCallback(incumbent, x))
    if clock.deterministic:
        clock.spend(solver.response_proto.deterministic_time)
    if status == cp_model.MODEL_INVALID:
        raise ModelInvalid(model.validate())
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        incumbent.offer(x.extract(solver))
        incumbent.raise_bound(solver.best_objective_bound)


def solve_parts(problem: PlanningProblem, incumbent: Incumbent) -> None:
    """Solve the parts of what falls apart in exact models of their own, the smallest first; each gets its share of the time.

    Nothing is done where a part is too large for an exact model, or holds nearly everything and works in teams, which is what
    :func:`solve_exactly` is for. Beside ``max_lp`` runs ``core``: they prove a day of 100 chained visits in 0.1 s of processor
    time, where the default subsolvers take 0.5 s.
    """
    parts, clock, limits = find_parts(problem.domains), problem.clock, problem.limits
    sizes = [sum(len(problem.domains.options[key]) for key in part) for part in parts]
    is_split = sizes[-1] <= LARGEST_PART * sum(sizes) or not any(task.service.team for task in problem.domains.tasks)
    if sizes[-1] > problem.parameters.exact_max_options or not is_split:
        return
    incumbent.phase = "exact"
    bound = 0
    for number, part in enumerate(parts):
        if incumbent.is_done:
            break
        model, x = exact_model(problem.domains, {key: problem.domains.options[key] for key in part})
        seconds = clock.left * sizes[number] / max(1, sum(sizes[number:]))
        solver = SearchLimits(seconds, limits.workers, limits.seed).solver(clock)
        solver.parameters.subsolvers.append("core")
        with clock.running(solver):
            status = solver.solve(model)
        if clock.deterministic:
            clock.spend(LEAST_SECONDS + solver.response_proto.deterministic_time)
        if status == cp_model.MODEL_INVALID:
            raise ModelInvalid(model.validate())
        if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            others = {key: placement for key, placement in incumbent.placements.items() if key not in set(part)}
            incumbent.offer(others | x.extract(solver))
            bound += max(0, ceil(solver.best_objective_bound - 1e-6))
    incumbent.raise_bound(bound)


class SolutionCallback(cp_model.CpSolverSolutionCallback):
    """CP-SAT's callback: takes over the solutions of the exact model as they are found."""

    def __init__(self, incumbent: Incumbent, x: Variables) -> None:
        super().__init__()
        self.incumbent = incumbent
        self.x = x

    def on_solution_callback(self) -> None:
        self.incumbent.offer(self.x.extract(self))
        self.incumbent.raise_bound(self.best_objective_bound)
        if self.incumbent.is_done:
            self.stop_search()


# --- the master problem ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Relaxation:
    """What the master's linear relaxation says; nothing when it was not solved in time.

    Attributes
    ----------
    guide
        The reduced costs of options.
    shift_at
        Where shifts with several locations are best spent.
    program, solution
        The linear program and its solution, from which a better bound is sought.
    """

    guide: Guide
    shift_at: Mapping[ShiftId, str]
    program: LinearProgram | None = None
    solution: LinearRelaxation | None = None


def relax(problem: PlanningProblem, incumbent: Incumbent) -> Relaxation:
    """Solve the master's relaxation, which raises the bound; where the time is too short for that, estimate it."""
    clock, master = problem.clock, Master(problem.domains)
    share = problem.parameters.bound.simplex_share
    solution = master.program.solve_relaxation(1e6 if clock.deterministic else clock.left * share)
    if clock.deterministic:
        clock.spend(RELAX_SECONDS * problem.option_count)
    elif solution is None and not clock.over:
        solution = master.program.estimate_relaxation(clock.left)
    if solution is None:
        return Relaxation({}, {})
    incumbent.raise_bound(solution.bound)
    best: dict[ShiftId, tuple[float, str]] = {}
    for (shift, location), column in master.shift_at.items():
        value = float(solution.values[column])
        if value > best.get(shift, (-1.0, ""))[0]:
            best[shift] = (value, location)
    shift_at = {shift: location for shift, (_, location) in best.items()}
    return Relaxation(master.guide(solution.reduced_costs), shift_at, master.program, solution)


def tighten(problem: PlanningProblem, incumbent: Incumbent, program: LinearProgram, solution: LinearRelaxation) -> None:
    """Raise the bound: by rows that the relaxation broke, then by cuts."""
    clock, parameters = problem.clock, problem.parameters.bound
    left_at_end = clock.left * (1 - parameters.time_share)
    is_narrow = problem.is_small or incumbent.cost - incumbent.bound <= parameters.small_gap * incumbent.cost
    for _ in range(0 if is_narrow else parameters.max_rounds):
        if incumbent.is_done or clock.deterministic or not program.add_broken_rows(solution.values):
            break
        again = program.solve_relaxation(clock.left - left_at_end)
        if again is None:
            return
        solution = again
        incumbent.raise_bound(solution.bound)
    seconds = clock.left - left_at_end
    if not incumbent.is_done and not clock.deterministic and seconds > 1:
        incumbent.raise_bound(program.branch_and_cut(seconds, nodes=None if is_narrow else 1))


# --- decomposition ---------------------------------------------------------------------------------------------------


def decompose(problem: PlanningProblem, incumbent: Incumbent, relaxation: Relaxation | None) -> None:
    """Bound by the master problem; anneal from a plan at its reduced costs, all workers along one cooling; then neighbourhoods.

    The first helper joins when the bound is as good as it gets. While the kernel is compiled, neighbourhoods need none.
    """
    clock, limits, compilation = problem.clock, problem.limits, KernelCompilation()
    with ThreadPoolExecutor(max(1, limits.workers - 1)) as pool:
        has_company = limits.workers > 1 and not clock.deterministic and compilation.is_done
        ruin = begin_annealing(problem, incumbent, 0) if has_company else None  # before the master takes the interpreter
        relaxing = pool.submit(lambda: relax(problem, incumbent) if relaxation is None else relaxation)
        meanwhile = search_meanwhile(problem, incumbent, relaxing, ruin)
        relaxed = relaxing.result()
        guided = construct_guided(problem, incumbent, relaxed) if meanwhile.progress < 1 else None
        helpers: list[Future[None]] = []
        if relaxed.program is not None and relaxed.solution is not None and limits.workers > 1:
            helpers.append(pool.submit(tighten, problem, incumbent, relaxed.program, relaxed.solution))
        if not compilation.is_done and not clock.deterministic:
            search_neighbourhoods(problem, incumbent, relaxed.guide, 0, lambda: compilation.is_done)
        annealing = problem.parameters.annealing
        coolings = annealing.budget_coolings if problem.has_calls_to_share else 1
        cooling = CoolingSchedule(clock, clock.left * annealing.time_share, annealing, coolings)
        for number in range(1, limits.workers):
            helpers.append(pool.submit(work, problem, incumbent, cooling, relaxed.guide, number))
        work(problem, incumbent, cooling, relaxed.guide, 0, guided)
        for helper in helpers:
            helper.result()


def search_meanwhile(
    problem: PlanningProblem, incumbent: Incumbent, relaxing: Future[Relaxation], ruin: RuinAndRecreate | None
) -> CoolingSchedule:
    """Search without reduced costs for as long as they take to come; return the longer cooling, as far as it came.

    First a quick cooling, so that there is a good plan soon; then a longer one; then, or without a kernel, neighbourhoods.
    """
    clock, bound, annealing = problem.clock, problem.parameters.bound, problem.parameters.annealing

    def cool(seconds: float) -> CoolingSchedule:
        return CoolingSchedule(clock, min(seconds, clock.left * annealing.time_share), annealing)

    if problem.limits.workers == 1 or clock.deterministic:
        return cool(clock.left)
    if ruin is not None:
        anneal(problem, incumbent, cool(bound.wait_seconds), ruin, relaxing.done)
    longer = cool(bound.seconds_per_task * len(problem.domains.tasks))
    if ruin is not None and not relaxing.done() and not incumbent.is_done:
        again = begin_annealing(problem, incumbent, 0)
        anneal(problem, incumbent, longer, again, lambda: relaxing.done() and longer.progress < bound.restart_share)
    search_neighbourhoods(problem, incumbent, {}, 0, relaxing.done)
    return longer


def construct_guided(problem: PlanningProblem, incumbent: Incumbent, relaxation: Relaxation) -> Placements | None:
    """Offer a plan at the master's reduced costs, and return it; None without any."""
    if not relaxation.guide or incumbent.is_done:
        return None
    incumbent.phase = "prices"
    staying = {key: placement for key, placement in incumbent.placements.items() if key in problem.domains.staying}
    weight = problem.parameters.bound.guide_weight
    guided = construct(problem.domains, staying, relaxation.shift_at, relaxation.guide, weight)
    incumbent.offer(guided)
    return guided


def work(
    problem: PlanningProblem,
    incumbent: Incumbent,
    cooling: CoolingSchedule,
    guide: Guide,
    worker: int,
    begin: Placements | None = None,
) -> None:
    """Do what each worker does: anneal to the end of the cooling, then search neighbourhoods."""
    if not incumbent.is_done:
        anneal(problem, incumbent, cooling, begin_annealing(problem, incumbent, worker, begin))
    incumbent.phase = "neighbourhoods"
    search_neighbourhoods(problem, incumbent, guide, worker)


def begin_annealing(
    problem: PlanningProblem, incumbent: Incumbent, worker: int, begin: Placements | None = None
) -> RuinAndRecreate:
    """Return ruin and recreate from a plan, which may call too many patients, or from the best."""
    _, placements = incumbent.get_version()
    seed = problem.limits.seed * 64 + worker
    return RuinAndRecreate(problem.domains, placements if begin is None else begin, seed, problem.parameters.annealing)


def anneal(
    problem: PlanningProblem,
    incumbent: Incumbent,
    cooling: CoolingSchedule,
    ruin: RuinAndRecreate,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Ruin and recreate, as warm as the cooling is now."""
    clock = problem.clock
    incumbent.phase = "ruin and recreate"

    def temperature() -> float:
        if clock.deterministic:
            clock.spend(STEP_SECONDS * STEPS)
        return 0.0 if incumbent.is_done or cooling.progress >= 1 or is_enough() else cooling.temperature

    ruin.run(temperature, incumbent.offer, lambda: cooling.is_ending)


def search_neighbourhoods(
    problem: PlanningProblem, incumbent: Incumbent, guide: Guide, worker: int, is_enough: Callable[[], bool] = lambda: False
) -> None:
    """Solve one neighbourhood after another exactly."""
    limits, parameters = problem.limits, problem.parameters.neighbourhoods
    neighbourhoods = Neighbourhoods(problem.domains, guide, limits.seed * 64 + worker, parameters)
    turn = 0
    while not incumbent.is_done and not is_enough():
        turn += 1
        base, placements = incumbent.get_version()
        freed = neighbourhoods.next(placements)
        seconds = max(0.1, min(parameters.seconds, problem.clock.left))
        result = problem.subproblems.solve(placements, freed, SearchLimits(seconds, 1, limits.seed + turn))
        neighbourhoods.learn(result.optimal, result.seconds)
        if result.placements is not None:
            incumbent.offer(result.placements, base, list(freed))


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
