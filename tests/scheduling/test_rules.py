"""Every rule's checker against the cases, and the registry against the list of the format."""

from __future__ import annotations

from collections import Counter

import pytest
from support.cases import CASES, Case
from support.factories import booking, link, plan, scenario, visit

from scheduling.check import check
from scheduling.plan import find_plan_faults
from scheduling.rules import RULES, Rule, find_violations, get_rule_name

CONTRACT = (
    *("start-grid", "horizon", "service-location", "opens", "closes", "recovery-closes", "closure"),
    *("team", "qualified", "shift", "busy", "provider-overlap", "travel", "supervision", "attention", "daily-limit"),
    *("room", "room-overlap", "equipment", "recovery", "block", "block-reserved"),
    *("patient-overlap", "patient-travel", "patient-available", "patient-site"),
    *("earliest", "deadline", "same-day", "required-provider", "pinned", "link"),
    *("group-size", "group-month", "group-cadence", "not-past", "frozen", "begun", "notice"),
    *("notification-budget", "reserve-window"),
)
"""The rules of the scenario format's table, in its order."""


def test_the_rules_are_those_of_the_contract() -> None:
    assert Counter(map(get_rule_name, RULES)) == Counter(CONTRACT)


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {case.rule for case in CASES} == set(CONTRACT)


def test_no_two_cases_share_a_name() -> None:
    assert [found for found, times in Counter(map(str, CASES)).items() if times > 1] == []


@pytest.mark.parametrize("rule", RULES, ids=get_rule_name)
def test_a_rule_begins_with_a_sentence(rule: Rule) -> None:
    sentence = (rule.__doc__ or "").splitlines()[0]
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence.split()) > 3


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_plan_that_keeps_every_rule_has_no_violation(case: Case) -> None:
    assert list(find_violations(case.scenario, case.keeps)) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_plan_one_step_further_breaks_exactly_its_rule(case: Case) -> None:
    assert {violation.rule for violation in find_violations(case.scenario, case.breaks)} == {case.rule, *case.also}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_plans_of_a_case_are_complete_answers(case: Case) -> None:
    for made in (case.keeps, case.breaks):
        assert list(find_plan_faults(case.scenario, made)) == []
        assert made.cost == check(case.scenario, made).cost


@pytest.mark.parametrize("case", CASES, ids=str)
def test_violations_name_what_the_scenario_has_and_no_patient_by_name(case: Case) -> None:
    asked = case.scenario
    known = {*asked.visits_by_id, *asked.groups_by_id, *asked.reserves_by_id, *asked.providers_by_id, *asked.patients_by_id}
    names = {patient.name for patient in asked.patients}
    for violation in find_violations(asked, case.breaks):
        assert violation.ids
        assert {part for identifier in violation.ids for part in identifier.split("/")} <= known
        assert violation.detail
        assert not any(patient in violation.detail for patient in names)


@pytest.mark.parametrize("rule", RULES, ids=get_rule_name)
def test_a_rule_accepts_the_empty_plan(rule: Rule) -> None:
    asked = scenario(visit("v1"), visit("v2", "quin", "evaluation"))
    assert list(rule(asked, plan(asked))) == []


def test_a_location_chosen_for_an_unused_shift_is_flagged() -> None:
    asked = scenario(visit("v1"))
    unused = {"provider": "dee", "start": "2026-12-01T08:00", "location": "wang"}
    made = plan(asked, booking("v1", "MO 09:00"))
    made = plan(asked, booking("v1", "MO 09:00"), shifts=[*made.shifts, unused])
    assert [(found.rule, found.ids) for found in find_violations(asked, made)] == [("shift", ("dee",))]


def test_every_violation_of_a_plan_is_found_at_once() -> None:
    asked = scenario(visit("v1", deadline="MO"), visit("v2", "quin", required_provider="dee"))
    made = plan(asked, booking("v1", "TU 09:05"), booking("v2", "TU 09:30"))
    assert sorted((found.rule, found.ids) for found in check(asked, made).violations) == [
        ("deadline", ("v1",)),
        ("provider-overlap", ("v1", "v2", "ana")),
        ("required-provider", ("v2", "dee")),
        ("room-overlap", ("v1", "v2")),
        ("start-grid", ("v1",)),
    ]


@pytest.mark.parametrize(
    ("limits", "start", "detail"),
    [
        ({"min_days": 2}, "TU 09:00", "1 days apart, not 2 to any"),
        ({"max_days": 3}, "FR 09:00", "4 days apart, not 0 to 3"),
        ({"min_gap_minutes": 30}, "MO 10:00", "20 minutes apart, not 30 to any"),
        ({"max_gap_minutes": 10}, "MO 10:00", "20 minutes apart, not 0 to 10"),
    ],
)
def test_a_link_says_how_far_apart_its_visits_are(limits: dict[str, int], start: str, detail: str) -> None:
    asked = scenario(visit("v1"), visit("v2"), link("v1", "v2", **limits))
    made = plan(asked, booking("v1", "MO 09:00"), booking("v2", start))
    assert [(found.ids, found.detail) for found in find_violations(asked, made)] == [(("v1", "v2"), detail)]
