"""From the master's linear relaxation to an assignment: dive, fixing what is nearly decided and solving again.

Each round fixes every task that the linear program gives to one choice whole, and an eighth of the others to their largest
choice. Infeasible rounds are halved until the culprit is found and excluded. On the week of 682 visits the dive ends within
2 % of the relaxation in about 6 s; CP-SAT on the same program, without it, is 6 % away after 40 s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from solver.domains import ShiftId
from solver.linear import Relaxed
from solver.master import Choice, Master
from solver.tasks import Key

WHOLE = 1 - 1e-6

UNDECIDED = 0.15
"""Share of the tasks at which the dive ends: the last ones are better placed by the exact search."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """What a dive decided: a choice for most tasks, and where the shifts with several locations are spent."""

    choices: Mapping[Key, Choice]
    shift_at: Mapping[ShiftId, str]
    left_out: frozenset[Key]


def dive(master: Master, relaxed: Relaxed, stop: Callable[[], bool]) -> Rounded:
    """Round a relaxation; what the dive had not decided when it ended or was stopped is in none of its answers."""
    return _Dive(master, relaxed).run(stop)


class _Dive:
    def __init__(self, master: Master, relaxed: Relaxed) -> None:
        self.columns = {key: [c.column for c in choices] + [master.left_out[key]] for key, choices in master.choices.items()}
        self.master = master
        self.values = relaxed.values
        self.open_at = set(master.shift_at.values())
        self.undecided = set(self.columns)
        self.model = mathopt.Model.from_model_proto(master.program.proto())
        self.variables = list(self.model.variables())
        self.solver = mathopt.IncrementalSolver(self.model, mathopt.SolverType.GLOP)

    def run(self, stop: Callable[[], bool]) -> Rounded:
        enough = UNDECIDED * len(self.columns)
        while len(self.undecided) > enough and not stop():
            for key in sorted(self.undecided):
                best = self._largest(key)
                if self.values[best] > WHOLE:
                    self.variables[best].lower_bound = 1
                    self.undecided.discard(key)
            if not self._next():
                break
        chosen: dict[Key, Choice] = {}
        out: set[Key] = set()
        for key in self.columns.keys() - self.undecided:
            best = self._largest(key)
            if best == self.master.left_out[key]:
                out.add(key)
            for choice in self.master.choices[key]:
                if choice.column == best:
                    chosen[key] = choice
        at = {shift: place for (shift, place), column in self.master.shift_at.items() if self.values[column] > 0.5}
        return Rounded(chosen, at, frozenset(out))

    def _largest(self, key: Key) -> int:
        return max(self.columns[key], key=lambda column: self.values[column])

    def _next(self) -> bool:
        """Fix the next columns: where shifts are spent first, then tasks."""
        places = sorted((c for c in self.open_at if self.values[c] > 1e-6), key=lambda c: (-self.values[c], c))
        if places:
            some = places[: max(2, len(places) // 2)]
            self.open_at -= set(some)
        else:
            largest = sorted((self._largest(key) for key in self.undecided), key=lambda c: (-self.values[c], c))
            some = largest[: max(2, len(largest) // 8)]
        return bool(some) and self._fix(some)

    def _fix(self, columns: Sequence[int]) -> bool:
        free = [column for column in columns if self.variables[column].upper_bound > 0]
        for column in free:
            self.variables[column].lower_bound = 1
        answer = self.solver.solve()
        if answer.termination.reason == mathopt.TerminationReason.OPTIMAL:
            values = answer.variable_values()
            self.values = np.array([values[variable] for variable in self.variables])
            return True
        for column in free:
            self.variables[column].lower_bound = 0
        if len(free) <= 1:
            for column in free:
                self.variables[column].upper_bound = 0
            return bool(free) and self._fix(())
        half = len(free) // 2
        self._fix(free[:half])
        self._fix(free[half:])
        return True
