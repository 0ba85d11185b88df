"""Whatever is asked: plans keep every rule, bounds hold, and places that are said to be free are, at the cost that is said."""

from __future__ import annotations

from itertools import islice

from hypothesis import HealthCheck, given, settings
from support.optima import optimum
from support.strategies import scenarios

from scheduling.check import check
from scheduling.scenario import Scenario
from solver import Limits, solve
from solver.search.construct import construct
from solver.state.domains import Domains
from solver.state.ledger import Ledger
from solver.state.occupancy import Occupancy
from solver.state.placements import make_plan

FEW = settings(max_examples=30, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
MOST_PLACES = 12
"""Places of each task that are tried: each costs a whole check."""


@FEW
@given(scenarios())
def test_a_plan_keeps_every_rule_and_its_bound_holds(asked: Scenario) -> None:
    plan = solve(asked, Limits(1, 1, deterministic=True))
    if plan.status == "unknown":
        return
    assert check(asked, plan).violations == ()
    best = optimum(asked)
    assert best is not None
    assert plan.bound is not None
    assert plan.bound <= best <= plan.cost or plan.cost == plan.bound == best


@FEW
@given(scenarios())
def test_a_free_place_breaks_no_rule_and_costs_what_the_ledger_says(asked: Scenario) -> None:
    domains = Domains(asked)
    placements = construct(domains)
    before = check(asked, make_plan(domains, placements))
    if before.violations:
        return
    tied = {visit for link in asked.links for visit in (link.before, link.after)}
    for task in domains.tasks:
        if task.group is not None or task.id in tied:
            continue
        occupancy = Occupancy(domains, placements)
        ledger = Ledger(occupancy)
        ledger.place(task.key, None)
        without = ledger.mark
        for place in islice(occupancy.places(task), MOST_PLACES):
            ledger.place(task.key, place.placement)
            after = check(asked, make_plan(domains, occupancy.placements))
            assert {violation.rule for violation in after.violations} <= {"notification-budget"}
            assert after.cost - before.cost == ledger.change
            ledger.undo_to(without)
