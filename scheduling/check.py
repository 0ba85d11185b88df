"""The judge of plans: every broken rule, and the cost by component."""

from __future__ import annotations

from dataclasses import dataclass

from scheduling.costs import calculate_costs
from scheduling.plan import Costs, Plan, Violation
from scheduling.rules import find_violations
from scheduling.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of a plan found."""

    violations: tuple[Violation, ...]
    costs: Costs

    @property
    def cost(self) -> int:
        """The plan's cost, whatever the plan says of it."""
        return self.costs.total


def check(scenario: Scenario, plan: Plan) -> Verdict:
    """Judge a plan: all violations of all rules, and its true cost. Needs no solver."""
    return Verdict(tuple(find_violations(scenario, plan)), calculate_costs(scenario, plan))
