"""The exact model: every rule and every cost over some tasks, with start times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ortools.sat.python import cp_model

from solver.model.capacity import REDUNDANT
from solver.model.constraints import CONSTRAINTS
from solver.model.objectives import OBJECTIVES
from solver.model.variables import Variables
from solver.state.domains import Domains, Option
from solver.state.placements import Placement
from solver.state.tasks import Key


def exact_model(
    domains: Domains,
    options: Mapping[Key, Sequence[Option]] | None = None,
    fixed: Mapping[Key, Placement] | None = None,
    notified_elsewhere: int = 0,
    worth: Mapping[Key, int] | None = None,
) -> tuple[cp_model.CpModel, Variables]:
    """Return the model of some tasks, and its variables; the parameters are those of :class:`Variables`."""
    model = cp_model.CpModel()
    x = Variables(model, domains, options, fixed, notified_elsewhere, worth)
    add_rules_and_costs(x)
    return model, x


def add_rules_and_costs(x: Variables) -> None:
    """Add every constraint and every cost to the model of some variables."""
    scenario = x.domains.scenario
    for constrain in (*CONSTRAINTS, *REDUNDANT):
        constrain(x.model, scenario, x)
    x.model.minimize(sum(cost(x.model, scenario, x) for cost in OBJECTIVES))
