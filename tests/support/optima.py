"""Best plans of small scenarios by the exact model, and the master's bounds on them."""

from __future__ import annotations

from hypothesis import assume, currently_in_test_context
from ortools.sat.python import cp_model

from scheduling.check import check
from scheduling.scenario import Scenario
from solver.bound.master import Master
from solver.bound.relaxation import LinearProgram
from solver.model.exact import exact_model
from solver.model.solutions import extract
from solver.state.domains import Domains
from solver.state.placements import make_plan


def optimum(asked: Scenario) -> int | None:
    """Return the cost of the best plan of the exact model, judged by the checkers; None when no plan keeps the pins.

    A drawn scenario of which no plan is proven to be the best is drawn again.
    """
    domains = Domains(asked)
    model, x = exact_model(domains)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = 20
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        return None
    if status != cp_model.OPTIMAL:
        assert currently_in_test_context(), solver.status_name(status)
        assume(False)
    verdict = check(asked, make_plan(domains, extract(x, solver)))
    assert verdict.violations == ()
    assert verdict.cost == round(solver.objective_value)
    return verdict.cost


def bounds(asked: Scenario, pooled: bool = True) -> tuple[int, int]:
    """Return the master's bounds by linear relaxation and by branch and cut."""
    program = whole_program(asked, pooled)
    relaxed, cut = program.solve_relaxation(60), program.branch_and_cut(60)
    assert relaxed is not None
    assert cut is not None
    return relaxed.bound, cut


def whole_program(asked: Scenario, pooled: bool = True) -> LinearProgram:
    """Return the master's program with the rows that else count only once broken."""
    program = Master(Domains(asked), pooled=pooled).program
    for columns, coefficients, high in program.lazy_rows:
        program.add_row(columns, coefficients, high=high)
    program.lazy_rows.clear()
    return program
