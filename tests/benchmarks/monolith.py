"""Baseline: the whole scenario as one CP-SAT model with an optional interval for each visit and provider, and a time limit.

It is the exact model that Clinicweave searches neighbourhoods with, over everything at once, without decomposition, start
or hints. Building it counts, as it does in practice.
"""

from __future__ import annotations

from marks import ROUNDING, Clock
from ortools.sat.python import cp_model

from scheduling.plan import Plan
from scheduling.scenario import Scenario
from solver.model.exact import exact_model
from solver.model.solutions import extract
from solver.state.domains import Domains
from solver.state.placements import make_plan


class _Marks(cp_model.CpSolverSolutionCallback):
    """Marks the cost of every solution."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def on_solution_callback(self) -> None:
        self._clock.mark(round(self.objective_value), self.best_objective_bound)


def plan_monolith(scenario: Scenario, seconds: float, workers: int, seed: int, clock: Clock) -> Plan | None:
    """Return the best plan found in some seconds, None when there was none."""
    domains = Domains(scenario)
    model, x = exact_model(domains)
    left = seconds - clock.seconds
    if left <= 0:
        return None
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = left
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    solver.best_bound_callback = lambda bound: clock.mark(None, bound)
    status = solver.solve(model, _Marks(clock))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    bound = int(-(-(solver.best_objective_bound - ROUNDING) // 1))
    plan = make_plan(domains, extract(x, solver), "optimal" if status == cp_model.OPTIMAL else "feasible", bound)
    clock.mark(plan.cost, plan.bound)
    return plan
