"""A small integer program as plain lists, solved as a linear program, with a bound that needs no trust in the solver.

Every column is an integer in ``[0, upper]``, every row reads ``low <= sum(coefficient * column) <= high``, and the cost is
to be minimised. All numbers are integers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil, inf, isfinite
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

UNBOUNDED = 10**9
"""Stands for no limit on a row; sums of rows stay far below."""

BROKEN = 0.05
"""By how much a row must be broken to be added later."""

TOLERANCE = 0.01
"""How far a bound in floating point may be off: costs are integers, so a hundredth is generous."""

INTEGER_TOLERANCE = 1e-6
"""Values below this are none."""

DUAL_SCALE = 10_000
"""Multipliers are rounded to this part of a point of cost before the bound is computed, in integers."""


@dataclass(frozen=True, slots=True)
class LinearRelaxation:
    """The answer of the linear relaxation: the columns' values, the rows' multipliers, and a bound on the integer program."""

    values: NDArray[np.float64]
    duals: NDArray[np.float64]
    reduced_costs: NDArray[np.float64]
    bound: int


@dataclass
class LinearProgram:
    """Columns and rows, added one by one."""

    costs: list[int] = field(default_factory=list)
    uppers: list[int] = field(default_factory=list)
    offset: int = 0
    columns: list[Sequence[int]] = field(default_factory=list)
    coefficients: list[Sequence[int]] = field(default_factory=list)
    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)
    lazy_rows: list[tuple[Sequence[int], Sequence[int], int]] = field(default_factory=list)
    """Rows with their upper limits that count only once they are broken: :meth:`add_broken_rows`."""
    is_large: bool = False
    """Whether rows that only refine the bound count once they are broken, not from the beginning."""

    def add_column(self, cost: int = 0, upper: int = 1) -> int:
        """Add a column; return its number."""
        self.costs.append(cost)
        self.uppers.append(upper)
        return len(self.costs) - 1

    def add_row(
        self, columns: Sequence[int], coefficients: Sequence[int], low: int = -UNBOUNDED, high: int = UNBOUNDED
    ) -> None:
        """Add a row."""
        self.columns.append(columns)
        self.coefficients.append(coefficients)
        self.lows.append(low)
        self.highs.append(high)

    def add_refining_row(self, columns: Sequence[int], coefficients: Sequence[int], high: int) -> None:
        """Add a row without which the program is nearly as good, and solved sooner."""
        if self.is_large:
            self.lazy_rows.append((columns, coefficients, high))
        else:
            self.add_row(columns, coefficients, high=high)

    def add_broken_rows(self, values: NDArray[np.float64], wants_all: bool = False) -> int:
        """Add the later rows that some values break, or all of them; return how many they are."""
        kept, before = [], len(self.lows)
        for columns, coefficients, high in self.lazy_rows:
            if wants_all or float(values[list(columns)] @ np.array(coefficients)) > high + BROKEN:
                self.add_row(columns, coefficients, high=high)
            else:
                kept.append((columns, coefficients, high))
        self.lazy_rows = kept
        return len(self.lows) - before

    def add_implication(self, column: int, any_of: Sequence[int]) -> None:
        """Let a column be at most the sum of others."""
        self.add_row([column, *any_of], [1] + [-1] * len(any_of), high=0)

    def to_proto(self, integer: bool = False, closed: Sequence[int] = ()) -> model_pb2.ModelProto:
        """Return the program as a MathOpt model, some columns of it being 0."""
        model, count = model_pb2.ModelProto(), len(self.costs)
        model.variables.ids.extend(range(count))
        model.variables.lower_bounds.extend([0.0] * count)
        model.variables.upper_bounds.extend(map(float, self.uppers))
        for column in closed:
            model.variables.upper_bounds[column] = 0.0
        model.variables.integers.extend([integer] * count)
        priced = [column for column, cost in enumerate(self.costs) if cost]
        model.objective.linear_coefficients.ids.extend(priced)
        model.objective.linear_coefficients.values.extend(float(self.costs[column]) for column in priced)
        model.objective.offset = self.offset
        rows = model.linear_constraints
        rows.ids.extend(range(len(self.lows)))
        rows.lower_bounds.extend(-inf if low <= -UNBOUNDED else float(low) for low in self.lows)
        rows.upper_bounds.extend(inf if high >= UNBOUNDED else float(high) for high in self.highs)
        matrix = model.linear_constraint_matrix
        for row, (columns, coefficients) in enumerate(zip(self.columns, self.coefficients, strict=True)):
            entries: dict[int, int] = defaultdict(int)
            for column, coefficient in zip(columns, coefficients, strict=True):
                entries[column] += coefficient
            kept = sorted(column for column, coefficient in entries.items() if coefficient)
            matrix.row_ids.extend([row] * len(kept))
            matrix.column_ids.extend(kept)
            matrix.coefficients.extend(float(entries[column]) for column in kept)
        return model

    def solve_relaxation(self, seconds: float) -> LinearRelaxation | None:
        """Solve the linear relaxation; None when the time runs out.

        HiGHS takes half of GLOP's time on a month (33 s and 64 s, dual simplex, 129,773 columns); PDLP is as fast but its
        multipliers give a bound 0.3 % lower.
        """
        model, answer = self._solve(seconds, integer=False)
        if answer.termination.reason != mathopt.TerminationReason.OPTIMAL:
            return None
        duals = answer.dual_values() if answer.has_dual_feasible_solution() else {}
        return self._relaxation(model, answer.variable_values(), duals)

    def _relaxation(
        self,
        model: mathopt.Model,
        values: Mapping[mathopt.Variable, float],
        duals: Mapping[mathopt.LinearConstraint, float],
    ) -> LinearRelaxation:
        prices = np.array([duals.get(row, 0.0) for row in model.linear_constraints()])
        bound, reduced = self.lagrangian_bound(prices)
        return LinearRelaxation(np.array([values[column] for column in model.variables()]), prices, reduced, bound)

    def estimate_relaxation(self, seconds: float) -> LinearRelaxation | None:
        """Return multipliers that some seconds of a first-order method find, their bound and reduced costs; None without any.

        Any multipliers bound the program, so those that are not the best yet are worth something where the simplex method is
        not done in time: on a week 10,770 of 12,854 after 3 s. PDLP: Applegate et al., Practical large-scale linear
        programming using primal-dual hybrid gradient (2021), arXiv:2106.04756.
        """
        model, answer = self._solve(seconds, integer=False, solver=mathopt.SolverType.PDLP)
        solution = answer.solutions[0] if answer.solutions else None
        if solution is None or solution.dual_solution is None or solution.primal_solution is None:
            return None
        duals, values = solution.dual_solution.dual_values, solution.primal_solution.variable_values
        return self._relaxation(model, values, duals)

    def branch_and_cut(self, seconds: float, nodes: int | None = None) -> int | None:
        """Return a bound by branch and cut (HiGHS), better than the linear relaxation's; None when there is none in time.

        Of a week, the first node's cuts add 95 points to 12,854 in 9 s; branching adds 2 in the next 60 s.
        """
        _, answer = self._solve(seconds, integer=True, nodes=nodes)
        bound = answer.termination.objective_bounds.dual_bound
        return None if not isfinite(bound) else ceil(bound - TOLERANCE)

    def search_integers(
        self, relaxed: LinearRelaxation, reach: float, gap: float, seconds: float
    ) -> NDArray[np.float64] | None:
        """Return a solution in whole numbers that costs at most a relative gap more than it could; None without any in time.

        Columns that a relaxation does not use, and of which the reduced cost is above ``reach``, are 0. Of a week a solution of
        13,092 is there after 18 s with a reach of 10, after 24 s with all columns.
        """
        closed = np.flatnonzero((relaxed.values < INTEGER_TOLERANCE) & (relaxed.reduced_costs > reach))
        model, answer = self._solve(seconds, integer=True, closed=closed.tolist(), gap=gap)
        if answer.termination.reason != mathopt.TerminationReason.OPTIMAL:
            return None
        values = answer.variable_values()
        return np.array([values[column] for column in model.variables()])

    def _solve(
        self,
        seconds: float,
        integer: bool,
        nodes: int | None = None,
        closed: Sequence[int] = (),
        gap: float | None = None,
        solver: mathopt.SolverType = mathopt.SolverType.HIGHS,
    ) -> tuple[mathopt.Model, mathopt.SolveResult]:
        """Solve by HiGHS, or another solver; making the model counts, seconds on a month."""
        ends = monotonic() + seconds
        model = mathopt.Model.from_model_proto(self.to_proto(integer, closed))
        limits = mathopt.SolveParameters(time_limit=timedelta(seconds=max(0.01, ends - monotonic())))
        if gap is not None:
            limits.relative_gap_tolerance = gap
        elif integer:
            limits.node_limit, limits.heuristics = nodes, mathopt.Emphasis.OFF
        return model, mathopt.solve(model, solver, params=limits)

    def lagrangian_bound(self, duals: NDArray[np.float64]) -> tuple[int, NDArray[np.float64]]:
        """Return a lower bound that holds for any multipliers, computed in integers, and the reduced costs.

        For multipliers ``l`` (sign by the side of the row that they price) every solution costs at least
        ``l.b + sum_j min(0, c_j - l.A_j) * upper_j``: Geoffrion, Lagrangean relaxation for integer programming (1974),
        doi:10.1007/BFb0120690. So a rounding error of the linear solver can weaken the bound, never falsify it.
        """
        prices = np.rint(duals * DUAL_SCALE).astype(np.int64)
        lows, highs = np.array(self.lows, dtype=np.int64), np.array(self.highs, dtype=np.int64)
        prices[(prices > 0) & (lows <= -UNBOUNDED)] = 0
        prices[(prices < 0) & (highs >= UNBOUNDED)] = 0
        total = int(np.where(prices > 0, lows * prices, np.where(prices < 0, highs * prices, 0)).sum())
        lengths = [len(columns) for columns in self.columns]
        flat = np.array([column for columns in self.columns for column in columns], dtype=np.int64)
        weights = np.array([weight for weights in self.coefficients for weight in weights], dtype=np.int64)
        priced = np.zeros(len(self.costs), dtype=np.int64)
        np.add.at(priced, flat, weights * np.repeat(prices, np.array(lengths, dtype=np.int64)))
        reduced = np.array(self.costs, dtype=np.int64) * DUAL_SCALE - priced
        total += int(np.minimum(reduced, 0) @ np.array(self.uppers, dtype=np.int64))
        return ceil(total / DUAL_SCALE) + self.offset, reduced / DUAL_SCALE
