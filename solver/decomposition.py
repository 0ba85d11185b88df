"""The search of what is too large for an exact model: a bound by the master problem, annealing, neighbourhoods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

from solver.bound.master import Master
from solver.bound.relaxation import LinearRelaxation
from solver.gc_pause import GC_PAUSE
from solver.parameters import BoundParameters
from solver.problem import PlanningProblem
from solver.search.construct import construct
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import Placements, SearchLimits
from solver.search.neighbourhoods import Neighbourhoods
from solver.search.ruin import STEPS, CoolingSchedule, KernelCompilation, RuinAndRecreate
from solver.state.domains import ReducedCosts, ShiftId

RELAX_SECONDS = 1.0 / 31_592
"""Deterministic seconds that the master's relaxation counts for, for each option (a week has 31,592)."""

STEP_SECONDS = 0.0001
"""Deterministic seconds that one ruin and recreation counts for."""


@dataclass(frozen=True)
class Relaxation:
    """What the master's linear relaxation says; nothing when it was not solved in time.

    Attributes
    ----------
    reduced_costs
        The reduced costs of options.
    shift_at
        Where shifts with several locations are best spent.
    master, solution
        The master problem and its relaxation's solution, from which a better bound is sought.
    seconds
        How long that took.
    """

    reduced_costs: ReducedCosts
    shift_at: Mapping[ShiftId, str]
    master: Master | None = None
    solution: LinearRelaxation | None = None
    seconds: float = 0.0


def relax(problem: PlanningProblem, incumbent: Incumbent) -> Relaxation:
    """Solve the master's relaxation, which raises the bound; where the time is too short for that, estimate it."""
    clock, begun = problem.clock, monotonic()
    with GC_PAUSE:
        master = Master(problem.domains)
    share = problem.parameters.bound.simplex_share
    solution = master.program.solve_relaxation(1e6 if clock.deterministic else clock.left * share)
    if clock.deterministic:
        clock.spend(RELAX_SECONDS * problem.option_count)
    elif solution is None and not clock.over:
        solution = master.program.estimate_relaxation(clock.left)
    if solution is None:
        return Relaxation({}, {})
    incumbent.raise_bound(solution.bound)
    prices, shifts = master.get_reduced_costs(solution.reduced_costs), master.spend_shifts(solution.values)
    return Relaxation(prices, shifts, master, solution, monotonic() - begun)


def tighten(
    problem: PlanningProblem,
    incumbent: Incumbent,
    relaxed: Relaxation,
    time_share: float,
    whole: Future[Relaxation] | None = None,
) -> None:
    """Raise the bound: by rows that the relaxation broke, then by cuts.

    Between them, where there is time for it, ``whole`` is given prices at which a good solution in whole numbers is cheapest.
    """
    clock, parameters, solution = problem.clock, problem.parameters.bound, relaxed.solution
    if relaxed.master is None or solution is None:
        return
    left_at_end, program = clock.left * (1 - time_share), relaxed.master.program
    is_narrow = problem.is_small or incumbent.cost - incumbent.bound <= parameters.small_gap * incumbent.cost
    for number in range(int(program.is_large) if is_narrow else parameters.max_rounds):
        wants_all = program.is_large and (is_narrow or number > 0)
        if incumbent.is_done or clock.deterministic or not program.add_broken_rows(solution.values, wants_all):
            break
        again = program.solve_relaxation(clock.left - left_at_end)
        if again is None:
            return
        solution = again
        incumbent.raise_bound(solution.bound)
    if whole is not None and not is_narrow and not clock.deterministic and clock.left > parameters.alone_seconds:
        seconds = min(parameters.whole_seconds, (clock.left - left_at_end) * parameters.whole_share)
        search_whole(relaxed.master, solution, parameters, seconds, whole)
    seconds = clock.left - left_at_end
    if not incumbent.is_done and not clock.deterministic and seconds > 1:
        incumbent.raise_bound(program.branch_and_cut(seconds, nodes=None if is_narrow else 1))


def search_whole(
    master: Master, solution: LinearRelaxation, parameters: BoundParameters, seconds: float, whole: Future[Relaxation]
) -> None:
    """Give ``whole`` the prices and shifts of a good solution in whole numbers, if there is one in time."""
    values = master.program.search_integers(solution, parameters.whole_reach, parameters.whole_gap, seconds)
    if values is not None:
        prices = master.price_others(solution.reduced_costs, values, parameters.whole_price)
        whole.set_result(Relaxation(master.get_reduced_costs(prices), master.spend_shifts(values)))


# --- decomposition ---------------------------------------------------------------------------------------------------


def decompose(problem: PlanningProblem, incumbent: Incumbent, relaxation: Relaxation | None = None) -> Relaxation:
    """Bound by the master problem, and anneal: once where the time is brief, else anew with the reduced costs.

    Returns the relaxation, so that the same problem may be searched again without solving it again.
    """
    clock, limits, compilation = problem.clock, problem.limits, KernelCompilation()
    with ThreadPoolExecutor(max(1, limits.workers - 1)) as pool:
        has_company = limits.workers > 1 and not clock.deterministic and compilation.is_done
        ruin = begin_annealing(problem, incumbent, 0) if has_company else None  # before the master takes the interpreter
        relaxing = pool.submit(lambda: relax(problem, incumbent) if relaxation is None else relaxation)
        annealing = problem.parameters.annealing
        brief = max(annealing.brief_seconds, annealing.brief_seconds_per_task * len(problem.domains.tasks))
        is_brief = clock.left <= brief
        if ruin is not None and is_brief and not problem.has_standing:
            cool_once(problem, incumbent, pool, relaxing, ruin)
        else:
            cool_anew(problem, incumbent, pool, relaxing, ruin, compilation)
        return relaxing.result()


def cool_once(
    problem: PlanningProblem,
    incumbent: Incumbent,
    pool: ThreadPoolExecutor,
    relaxing: Future[Relaxation],
    ruin: RuinAndRecreate,
) -> None:
    """Anneal along one cooling from the first plan; the worker that bounds joins in with a plan at the reduced costs."""
    cooling = share_cooling(problem)

    def join(worker: int) -> None:
        relaxed = relaxing.result() if worker == 1 else Relaxation({}, {})
        work(problem, incumbent, cooling, relaxed.reduced_costs, worker, construct_guided(problem, incumbent, relaxed))

    helpers = [pool.submit(join, worker) for worker in (*range(2, problem.limits.workers), 1)]
    anneal(problem, incumbent, cooling, ruin)
    search_neighbourhoods(problem, incumbent, relaxing.result().reduced_costs if relaxing.done() else {}, 0)
    for helper in helpers:
        helper.result()


def cool_anew(
    problem: PlanningProblem,
    incumbent: Incumbent,
    pool: ThreadPoolExecutor,
    relaxing: Future[Relaxation],
    ruin: RuinAndRecreate | None,
    compilation: KernelCompilation,
) -> None:
    """Anneal from a plan at the reduced costs, all workers along one cooling; then neighbourhoods.

    The first helper joins when the bound is as good as it gets; the first worker goes over to a solution of the master in whole
    numbers when there is one. While the kernel is compiled, neighbourhoods need none.
    """
    meanwhile = search_meanwhile(problem, incumbent, relaxing, ruin)
    relaxed = relaxing.result()
    guided = construct_guided(problem, incumbent, relaxed) if meanwhile.progress < 1 else None
    helpers: list[Future[None]] = []
    bound, whole = problem.parameters.bound, Future[Relaxation]()
    if relaxed.seconds * bound.least_solutions < problem.clock.left * bound.time_share:
        if problem.limits.workers > 1:
            helpers.append(pool.submit(tighten, problem, incumbent, relaxed, bound.time_share, whole))
        elif not problem.clock.deterministic and problem.clock.left > bound.alone_seconds:
            tighten(problem, incumbent, relaxed, bound.alone_share)
    if not compilation.is_done and not problem.clock.deterministic:
        search_neighbourhoods(problem, incumbent, relaxed.reduced_costs, 0, lambda: compilation.is_done)
    cooling = share_cooling(problem)
    for worker in range(1, problem.limits.workers):
        helpers.append(pool.submit(work, problem, incumbent, cooling, relaxed.reduced_costs, worker))
    work(problem, incumbent, cooling, relaxed.reduced_costs, 0, guided, whole)
    for helper in helpers:
        helper.result()


def share_cooling(problem: PlanningProblem) -> CoolingSchedule:
    """Return the cooling of all workers: most of the time left."""
    clock, annealing = problem.clock, problem.parameters.annealing
    coolings = annealing.budget_coolings if problem.has_calls_to_share else 1
    return CoolingSchedule(clock, clock.left * annealing.time_share, annealing, coolings)


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
        anneal(problem, incumbent, cool(max(bound.wait_seconds / 2, bound.wait_seconds - clock.elapsed)), ruin)
    longer = cool(bound.seconds_per_task * len(problem.domains.tasks))
    if ruin is not None and not relaxing.done() and not incumbent.is_done:
        again = begin_annealing(problem, incumbent, 0)
        anneal(problem, incumbent, longer, again, lambda: relaxing.done() and longer.progress < bound.restart_share)
    search_neighbourhoods(problem, incumbent, {}, 0, relaxing.done)
    return longer


def construct_guided(problem: PlanningProblem, incumbent: Incumbent, relaxation: Relaxation) -> Placements | None:
    """Offer a plan at the master's reduced costs, and return it; None without any."""
    if not relaxation.reduced_costs or incumbent.is_done:
        return None
    incumbent.phase = "prices"
    staying = {key: placement for key, placement in incumbent.placements.items() if key in problem.domains.staying}
    weight = problem.parameters.bound.guide_weight
    with GC_PAUSE:
        guided = construct(problem.domains, staying, relaxation.shift_at, relaxation.reduced_costs, weight)
    incumbent.offer(guided)
    return guided


def follow(problem: PlanningProblem, incumbent: Incumbent, whole: Relaxation) -> None:
    """Anneal, not too warm, near a solution of the master problem in whole numbers."""
    begin = construct_guided(problem, incumbent, whole)
    if begin is None:
        return
    annealing = problem.parameters.annealing
    warm = min(annealing.initial_temperature, max(annealing.guided_temperature, annealing.final_temperature))
    cooler = annealing.model_copy(update={"initial_temperature": warm})
    cooling = CoolingSchedule(problem.clock, problem.clock.left * annealing.time_share, cooler)
    ruin = RuinAndRecreate(problem.domains, begin, problem.limits.seed * 64, annealing, whole.reduced_costs)
    anneal(problem, incumbent, cooling, ruin)


def work(
    problem: PlanningProblem,
    incumbent: Incumbent,
    cooling: CoolingSchedule,
    reduced_costs: ReducedCosts,
    worker: int,
    begin: Placements | None = None,
    whole: Future[Relaxation] | None = None,
) -> None:
    """Do what each worker does: anneal to the end of the cooling or until there is ``whole`` to follow; then neighbourhoods."""
    if not incumbent.is_done:
        ruin = begin_annealing(problem, incumbent, worker, begin)
        anneal(problem, incumbent, cooling, ruin, lambda: whole is not None and whole.done())
    if whole is not None and whole.done():
        follow(problem, incumbent, whole.result())
    incumbent.phase = "neighbourhoods"
    search_neighbourhoods(problem, incumbent, reduced_costs, worker)


def begin_annealing(
    problem: PlanningProblem, incumbent: Incumbent, worker: int, begin: Placements | None = None
) -> RuinAndRecreate:
    """Return ruin and recreate from a plan, which may call too many patients, or from the best."""
    _, placements = incumbent.get_version()
    seed = problem.limits.seed * 64 + worker
    with GC_PAUSE:
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
    problem: PlanningProblem,
    incumbent: Incumbent,
    reduced_costs: ReducedCosts,
    worker: int,
    is_enough: Callable[[], bool] = lambda: False,
) -> None:
    """Solve one neighbourhood after another exactly."""
    limits, parameters = problem.limits, problem.parameters.neighbourhoods
    neighbourhoods = Neighbourhoods(problem.domains, reduced_costs, limits.seed * 64 + worker, parameters)
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
