"""How a simulated clinic plans: by the solver, or first come, first served."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from scheduling.plan import Plan
from scheduling.publishing import rebase
from scheduling.scenario import Scenario
from solver import Limits, place_expiring_visits, plan_first_come, solve

PolicyName = Literal["optimised", "first-come", "first-come-holding"]
POLICIES: tuple[PolicyName, ...] = get_args(PolicyName)

CHANGE_SHARE = 0.3
"""Share of the seconds for a week's plan that a change of it gets."""


@dataclass(frozen=True)
class PlanningPolicy:
    """A way of planning.

    ``optimised``: by the solver; nobody who has been told of a place is moved, but for a last chance.
    ``first-come``: each in turn, in the order in which they were referred, at the earliest free time; what is left is held for
    referrals to come (:func:`solver.plan_first_come`). ``first-come-holding``: the same, but the time that the solver would
    hold is held first.

    Attributes
    ----------
    seconds
        The solver's time for a week; ``deterministic`` counts work instead.
    """

    name: PolicyName
    seconds: float = 10.0
    seed: int = 0
    workers: int = 2
    deterministic: bool = False

    def plan(self, scenario: Scenario, standing: Plan | None, whole: bool) -> Plan:
        """Return a plan beside what stands; ``whole``: of a week that is planned for the first time."""
        if self.name != "optimised":
            return plan_first_come(scenario, standing if self.name == "first-come" else _held(scenario, standing))
        bound = scenario.changed(policy=scenario.policy.changed(max_notified_moves=0))
        plan = solve(bound, self.limits(whole), start=standing)
        # Whoever has just lost a place has new dates only once that is known: others give way to them after it.
        waiting = {visit.id for visit in scenario.visits if visit.current is None}
        return place_expiring_visits(scenario, rebase(plan, scenario), self.limits(whole=False), waiting)

    def limits(self, whole: bool) -> Limits:
        """Return the limits of a search: of a whole week, or of a change of one."""
        seconds = self.seconds if whole else CHANGE_SHARE * self.seconds
        return Limits(seconds, self.workers, self.seed, deterministic=self.deterministic)


def restrict_to_standing(scenario: Scenario, visits: Collection[str] = ()) -> Scenario:
    """Return a scenario that asks for what stands, and for some visits with those that have to come with them."""
    stands = {visit.id for visit in scenario.visits if visit.current is not None}
    return scenario.restrict_to(stands.union(*(scenario.find_bundle(visit) for visit in visits)))


def _held(scenario: Scenario, standing: Plan | None) -> Plan:
    """Return what stands, with the groups and what is held for referrals to come: nobody else gets that time."""
    return rebase(plan_first_come(restrict_to_standing(scenario), standing), scenario)
