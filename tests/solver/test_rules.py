"""Every encoder against the checkers' cases: the model fixed to a plan says of it what the checkers say."""

from __future__ import annotations

from collections import Counter

import pytest
from support.cases import CASES, COST_CASES, Case, CostCase
from support.fixed_model import solve_fixed

from scheduling.check import check
from scheduling.costs import COSTS
from scheduling.rules import RULES, get_rule_name
from solver.model.capacity import REDUNDANT
from solver.model.constraints import CONSTRAINTS
from solver.model.objectives import OBJECTIVES
from solver.state.unary import DOMAINS


def test_domains_and_constraints_together_are_the_rules() -> None:
    assert {get_rule_name(one) for one in (*DOMAINS, *CONSTRAINTS)} == {get_rule_name(rule) for rule in RULES}


def test_objectives_are_the_costs() -> None:
    assert Counter(map(get_rule_name, OBJECTIVES)) == Counter(map(get_rule_name, COSTS))


def test_redundant_rows_are_no_rules() -> None:
    assert {get_rule_name(rows) for rows in REDUNDANT}.isdisjoint(get_rule_name(rule) for rule in RULES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_model_fixed_to_a_plan_that_keeps_every_rule_is_optimal_at_its_cost(case: Case) -> None:
    assert solve_fixed(case.scenario, case.keeps) == ("OPTIMAL", check(case.scenario, case.keeps).cost)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_model_fixed_to_a_plan_that_breaks_a_rule_is_infeasible(case: Case) -> None:
    assert solve_fixed(case.scenario, case.breaks) == ("INFEASIBLE", None)


@pytest.mark.parametrize("case", COST_CASES, ids=str)
def test_a_model_fixed_to_a_plan_of_a_cost_case_has_its_cost(case: CostCase) -> None:
    assert solve_fixed(case.scenario, case.plan) == ("OPTIMAL", check(case.scenario, case.plan).cost)
