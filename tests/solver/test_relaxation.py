"""While the relaxation is not there the search goes on, and one that is not finished bounds all the same."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

from scheduling.generate import generate
from solver import Limits
from solver.bound.master import Master
from solver.bound.relaxation import LinearProgram
from solver.clock import Clock
from solver.decomposition import Relaxation, begin_annealing, decompose, follow, relax, search_meanwhile, tighten
from solver.parameters import AnnealingParameters, BoundParameters, SolverParameters
from solver.problem import PlanningProblem, construct_first_plan, pose
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import SubproblemResult, SubproblemSolver
from solver.search.ruin import CoolingSchedule
from solver.state.domains import Domains

SECONDS = 600.0
"""Far longer than anything here takes: nothing depends on it."""


@pytest.fixture
def posed() -> Iterator[tuple[PlanningProblem, Incumbent]]:
    clock = Clock(SECONDS)
    parameters = SolverParameters(bound=BoundParameters(wait_seconds=0, seconds_per_task=0))
    problem = pose(generate("tiny", 3), Limits(seconds=SECONDS, workers=2), clock, parameters)
    incumbent = Incumbent(problem.domains, problem.forced_cost, 0.0, clock, None)
    construct_first_plan(problem, incumbent, {})
    yield problem, incumbent
    clock.end()


def test_any_multipliers_bound_and_the_best_bound_most() -> None:
    program = Master(Domains(generate("tiny", 3))).program
    best, estimated = program.solve_relaxation(SECONDS), program.estimate_relaxation(SECONDS)
    assert best is not None
    assert estimated is not None
    assert 0 < estimated.bound <= best.bound
    assert len(estimated.reduced_costs) == len(best.reduced_costs)


def test_a_relaxation_that_is_not_solved_in_time_is_estimated(
    monkeypatch: pytest.MonkeyPatch, posed: tuple[PlanningProblem, Incumbent]
) -> None:
    monkeypatch.setattr(LinearProgram, "solve_relaxation", lambda *_: None)
    problem, incumbent = posed
    before = incumbent.bound
    relaxed = relax(problem, incumbent)
    assert before < incumbent.bound <= incumbent.cost
    assert relaxed.reduced_costs


@pytest.mark.parametrize("is_compiled", [False, True])
def test_neighbourhoods_are_searched_until_the_relaxation_is_there(
    monkeypatch: pytest.MonkeyPatch, posed: tuple[PlanningProblem, Incumbent], is_compiled: bool
) -> None:
    problem, incumbent = posed
    relaxing: Future[Relaxation] = Future()
    searched: list[int] = []

    def search(_: object, placements: object, freed: dict[object, object], limits: object) -> SubproblemResult:
        searched.append(len(freed))
        if len(searched) == 3:
            relaxing.set_result(Relaxation({}, {}))
        return SubproblemResult(None, False, 0.0)

    monkeypatch.setattr(SubproblemSolver, "solve", search)
    ruin = begin_annealing(problem, incumbent, 0) if is_compiled else None
    longer = search_meanwhile(problem, incumbent, relaxing, ruin)
    assert len(searched) == 3
    assert longer.progress == 1


@pytest.mark.parametrize(("brief_seconds", "per_task", "begun_by_first"), [(SECONDS, 0, 1), (0, SECONDS, 1), (0, 0, 2)])
def test_a_search_begins_anew_with_reduced_costs_unless_it_is_brief(
    monkeypatch: pytest.MonkeyPatch,
    posed: tuple[PlanningProblem, Incumbent],
    brief_seconds: float,
    per_task: float,
    begun_by_first: int,
) -> None:
    problem, incumbent = posed
    annealing = AnnealingParameters(brief_seconds=brief_seconds, brief_seconds_per_task=per_task)
    parameters = problem.parameters.model_copy(update={"annealing": annealing})
    decomposition, workers = import_module("solver.decomposition"), list[int]()

    def begin(_: PlanningProblem, __: Incumbent, worker: int, *___: object) -> object:
        workers.append(worker)
        return object()

    monkeypatch.setattr(decomposition, "KernelCompilation", lambda: SimpleNamespace(is_done=True))
    monkeypatch.setattr(decomposition, "begin_annealing", begin)
    monkeypatch.setattr(decomposition, "anneal", lambda *_: None)
    monkeypatch.setattr(decomposition, "search_neighbourhoods", lambda *_: None)
    relaxed = Relaxation({}, {})
    monkeypatch.setattr(decomposition, "search_meanwhile", lambda *_: CoolingSchedule(problem.clock, SECONDS, annealing))
    decompose(replace(problem, parameters=parameters), incumbent, relaxed)
    assert (workers.count(0), workers.count(1)) == (begun_by_first, 1)


def test_rows_that_only_refine_a_large_program_come_in_later_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    domains = Domains(generate("tiny", 1))
    whole = Master(domains).program
    monkeypatch.setattr(import_module("solver.bound.master"), "MANY_OPTIONS", 0)
    program = Master(domains).program
    assert len(program.lazy_rows) > len(whole.lazy_rows)
    assert len(program.lows) + len(program.lazy_rows) == len(whole.lows) + len(whole.lazy_rows)
    relaxed, best = program.solve_relaxation(60), whole.solve_relaxation(60)
    assert relaxed is not None
    assert best is not None
    assert relaxed.bound < best.bound
    assert program.add_broken_rows(relaxed.values, wants_all=True)
    assert not program.lazy_rows
    again = program.solve_relaxation(60)
    assert again is not None
    assert again.bound >= best.bound - 1


def test_a_large_programs_bound_is_tightened_by_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, clock = generate("tiny", 1), Clock(SECONDS)
    best = Master(Domains(asked)).program.solve_relaxation(60)
    monkeypatch.setattr(import_module("solver.bound.master"), "MANY_OPTIONS", 0)
    problem = pose(asked, Limits(seconds=SECONDS), clock, SolverParameters(exact_max_options=0))
    incumbent = Incumbent(problem.domains, 0, 0.0, clock, None)
    incumbent.offer({})
    relaxed = relax(problem, incumbent)
    assert relaxed.master is not None
    assert best is not None
    assert incumbent.bound < best.bound - 1
    tighten(problem, incumbent, relaxed, 0.5)
    assert not relaxed.master.program.lazy_rows
    assert incumbent.bound >= best.bound - 1
    clock.end()


@pytest.mark.parametrize(("seconds", "is_sought"), [(1.0, True), (0.3 * SECONDS, False)])
def test_a_better_bound_is_sought_where_there_is_time_for_it(
    monkeypatch: pytest.MonkeyPatch, posed: tuple[PlanningProblem, Incumbent], seconds: float, is_sought: bool
) -> None:
    problem, incumbent = posed
    relaxed = replace(relax(problem, incumbent), seconds=seconds)
    problem = replace(problem, parameters=SolverParameters(annealing=AnnealingParameters(brief_seconds=0)))
    decomposition, sought = import_module("solver.decomposition"), list[float]()
    monkeypatch.setattr(decomposition, "tighten", lambda *arguments: sought.append(arguments[-1]))
    monkeypatch.setattr(decomposition, "KernelCompilation", lambda: SimpleNamespace(is_done=True))
    for name in ("begin_annealing", "anneal", "search_neighbourhoods", "construct_guided"):
        monkeypatch.setattr(decomposition, name, lambda *_: None)
    monkeypatch.setattr(
        decomposition, "search_meanwhile", lambda *_: CoolingSchedule(problem.clock, SECONDS, AnnealingParameters())
    )
    decompose(problem, incumbent, relaxed)
    assert bool(sought) == is_sought


def test_a_solution_in_whole_numbers_costs_no_less_than_the_bound_and_keeps_every_row() -> None:
    program = Master(Domains(generate("tiny", 3))).program
    relaxed = program.solve_relaxation(SECONDS)
    assert relaxed is not None
    values = program.search_integers(relaxed, reach=1e9, gap=0.0, seconds=SECONDS)
    assert values is not None
    assert np.abs(values - np.rint(values)).max() < 1e-6
    for columns, weights, low, high in zip(program.columns, program.coefficients, program.lows, program.highs, strict=True):
        assert low - 1e-6 <= float(values[list(columns)] @ np.array(weights)) <= high + 1e-6
    assert float(values @ np.array(program.costs)) + program.offset >= relaxed.bound - 1e-6


def test_options_out_of_reach_are_not_in_a_solution_in_whole_numbers() -> None:
    program = LinearProgram()
    cheap, dear = program.add_column(1, upper=2), program.add_column(7)
    program.add_row([cheap, dear], [1, 1], low=1)
    relaxed = program.solve_relaxation(SECONDS)
    assert relaxed is not None
    program.add_row([cheap], [1], high=0)
    assert program.search_integers(relaxed, reach=5.0, gap=0.0, seconds=SECONDS) is None
    near = program.search_integers(relaxed, reach=6.0, gap=0.0, seconds=SECONDS)
    assert near is not None
    assert near.tolist() == [0.0, 1.0]


def test_a_search_follows_a_solution_in_whole_numbers(posed: tuple[PlanningProblem, Incumbent]) -> None:
    problem, incumbent = posed
    bound = BoundParameters(whole_gap=0.05, whole_seconds=SECONDS, small_gap=0, alone_seconds=0)
    changed = {"bound": bound, "annealing": AnnealingParameters(time_share=0.0005), "exact_max_options": 0}
    problem = replace(problem, parameters=problem.parameters.model_copy(update=changed))
    relaxed, whole = relax(problem, incumbent), Future[Relaxation]()
    tighten(problem, incumbent, relaxed, 0.5, whole)
    assert whole.done()
    dear = [[price >= bound.whole_price for price in prices.values()] for prices in whole.result().reduced_costs.values()]
    assert any(any(some) and not all(some) for some in dear)
    before = incumbent.cost
    follow(problem, incumbent, whole.result())
    assert incumbent.bound <= incumbent.cost <= before
