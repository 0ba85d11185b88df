"""The judge of plans: every broken rule, and the cost by component."""

from __future__ import annotations

from dataclasses import dataclass

from scheduling.costs import calculate_costs
from scheduling.errors import InvalidFile
from scheduling.plan import Costs, Plan, Violation, find_plan_faults
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
    """Judge a plan: all violations of all rules, and its true cost. Needs no solver.

    Raises
    ------
    InvalidFile
        When it is no plan of the scenario: it names something that the scenario does not have, or misses a visit.
    """
    if faults := tuple(find_plan_faults(scenario, plan)):
        raise InvalidFile("plan", faults)
    return Verdict(tuple(find_violations(scenario, plan)), calculate_costs(scenario, plan))
