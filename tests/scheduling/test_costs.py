"""Every cost against plans of known amounts, and the registry against the plan's components."""

from __future__ import annotations

from collections import Counter

import pytest
from support.cases import COST_CASES, CostCase
from support.factories import booking, current, group, patient, plan, reserve, scenario, session, visit

from scheduling.check import check
from scheduling.costs import COSTS, Cost, calculate_costs
from scheduling.plan import COMPONENTS, Costs
from scheduling.rules import find_violations, get_rule_name

CONTRACT = (
    *("unscheduled", "late", "delay", "continuity", "site", "half", "trips"),
    *("moved", "group", "reserve", "waiting", "journeys", "site-change"),
)
"""The components of the scenario format's table, in its order."""


def test_the_costs_are_those_of_the_contract() -> None:
    assert Counter(map(get_rule_name, COSTS)) == Counter(CONTRACT) == Counter(COMPONENTS)


def test_every_cost_has_a_case_and_every_case_a_cost() -> None:
    assert {case.cost for case in COST_CASES} == set(CONTRACT)


@pytest.mark.parametrize("cost", COSTS, ids=get_rule_name)
def test_a_cost_begins_with_a_sentence(cost: Cost) -> None:
    sentence = (cost.__doc__ or "").splitlines()[0]
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize("case", COST_CASES, ids=str)
def test_a_component_has_the_amount_of_the_contract(case: CostCase) -> None:
    assert calculate_costs(case.scenario, case.plan).components()[case.cost] == case.amount


@pytest.mark.parametrize("case", COST_CASES, ids=str)
def test_the_plan_of_a_cost_case_keeps_every_rule(case: CostCase) -> None:
    assert list(find_violations(case.scenario, case.plan)) == []


@pytest.mark.parametrize("cost", COSTS, ids=get_rule_name)
def test_a_cost_of_nothing_asked_is_nothing(cost: Cost) -> None:
    asked = scenario()
    assert cost(asked, plan(asked)) == 0


def test_a_plan_costs_the_sum_of_its_components() -> None:
    asked = scenario(
        visit("v1", target="TU", preferred_providers=["dee"], current=current("MO 09:00")),
        visit("v2", earliest="TU"),
        visit("v3", "quin", deadline="FR"),
        group("g1", "rae", "sol"),
        reserve("r1", "TH"),
        patients=[patient("pat", preferred_site="waltham", prefers="afternoon")],
    )
    made = plan(
        asked,
        booking("v1", "WE 09:00"),
        booking("v2", "TH 13:00", "west-exam", location="west"),
        session("g1", "FR 09:00", "rae"),
    )
    expected = {
        "unscheduled": 3 * 101,
        "late": 7,
        "delay": 2 * 2 + 2 * 2,
        "continuity": 23,
        "site": 29,
        "half": 31,
        "trips": 37,
        "moved": 47 + 2 * 53,
        "group": 59,
        "reserve": 307,
        "waiting": 0,
        "journeys": 0,
        "site-change": 0,
    }
    verdict = check(asked, made)
    assert verdict.violations == ()
    assert verdict.costs.components() == expected
    assert verdict.cost == made.cost == sum(expected.values())


def test_the_check_judges_the_cost_itself_whatever_the_plan_says() -> None:
    asked = scenario(visit("v1"))
    made = plan(asked, cost=7, costs=Costs.from_components({"late": 7}))
    assert made.cost == 7
    assert check(asked, made).cost == 101
