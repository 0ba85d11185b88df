"""Every rule in every place that is said to know it: what keeps the rule is allowed there, and what breaks it is not."""

from __future__ import annotations

import pytest
from support.cases import CASES, Case
from support.coverage import ALLOWS, kernel_allows, occupancy_allows

from scheduling import rules
from scheduling.rules import RULES, Rule, get_rule_name
from solver import Limits, SolverParameters, solve
from solver.coverage import COVERAGE, KEPT_OTHERWISE, Place
from solver.model import exact
from solver.model.constraints import CONSTRAINTS
from solver.search.explain import NEVER_NAMED, SHARED
from solver.state.unary import DOMAINS

CELLS = [(rule, place) for rule, places in COVERAGE.items() for place in places]

BY_ROOM_OR_SUPERVISOR = (rules.room, rules.room_overlap, rules.closure, rules.supervision, rules.begun)
"""Rules of which a place is told by its room and supervisors: at the same start another room might be free."""

STRICTER: dict[tuple[Rule, Place], str] = {
    (rules.travel, "kernel"): "it leaves time to travel before the first and after the last minute of a shift",
    (rules.begun, "kernel"): "it leaves what has begun under several supervisors where it is",
}
"""Places that refuse some plans that keep a rule: the search loses these, and no rule is broken."""

REFUSED_TWICE: dict[Rule, str] = {
    rules.team: "somebody in two seats at once is in two places of the provider's time too",
    rules.shift: "where a shift is spent is a variable, and the plan that is read back says another location",
}
"""Rules whose breaking plans the model cannot say even without their constraint."""


NEEDED = [rule for rule, places in COVERAGE.items() if "constraint" in places and rule not in REFUSED_TWICE]


def cases_of(rule: Rule) -> list[Case]:
    return [case for case in CASES if case.rule == get_rule_name(rule)]


def cell(rule: Rule, place: Place) -> str:
    return f"{get_rule_name(rule)}: {place}"


def test_every_rule_has_a_row_and_every_row_is_a_rule() -> None:
    assert {get_rule_name(rule) for rule in COVERAGE} == {get_rule_name(rule) for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=get_rule_name)
def test_a_rule_is_checked_and_is_a_domain_or_a_constraint(rule: Rule) -> None:
    places = COVERAGE.get(rule, ())
    assert "checker" in places, f"{get_rule_name(rule)} needs a row in solver/coverage.py"
    assert cases_of(rule), f"{get_rule_name(rule)} needs a case in tests/support/judgements"
    assert ("domain" in places) == (get_rule_name(rule) in set(map(get_rule_name, DOMAINS)))
    assert ("constraint" in places) == (get_rule_name(rule) in set(map(get_rule_name, CONSTRAINTS)))
    assert {"domain", "constraint"} & set(places)


@pytest.mark.parametrize("rule", RULES, ids=get_rule_name)
@pytest.mark.parametrize("place", ["occupancy", "kernel"])
def test_whatever_places_tasks_knows_each_rule_between_them(rule: Rule, place: Place) -> None:
    if "constraint" in COVERAGE.get(rule, ()):
        is_excused = (rule, place) in KEPT_OTHERWISE
        assert (place in COVERAGE[rule]) != is_excused, f"{place} keeps {get_rule_name(rule)}, or KEPT_OTHERWISE says why not"


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _ in KEPT_OTHERWISE)), ids=get_rule_name)
def test_what_another_part_keeps_is_kept_without_the_exact_model(rule: Rule) -> None:
    """Whether an excuse is true: a plan that breaks the rule would raise an error."""
    never_exact = SolverParameters(exact_max_options=0)
    for case in cases_of(rule):
        solve(case.scenario, Limits(seconds=0.2, workers=1, deterministic=True), parameters=never_exact)


@pytest.mark.parametrize("rule", RULES, ids=get_rule_name)
def test_a_rule_between_tasks_can_be_told_as_what_keeps_a_visit_out(rule: Rule) -> None:
    places = COVERAGE.get(rule, ())
    if "occupancy" in places and "domain" not in places:
        assert (rule in SHARED) != (rule in NEVER_NAMED), f"put {get_rule_name(rule)} into SHARED, or into NEVER_NAMED with why"


@pytest.mark.parametrize(("rule", "place"), CELLS, ids=[cell(*pair) for pair in CELLS])
def test_a_place_allows_what_keeps_a_rule_and_refuses_what_breaks_it(rule: Rule, place: Place) -> None:
    allows, cases = ALLOWS[place], cases_of(rule)
    for case in cases if (rule, place) not in STRICTER else ():
        assert allows(case.scenario, case.keeps), case
    if rule in BY_ROOM_OR_SUPERVISOR and place in ("occupancy", "kernel"):
        exact_place = occupancy_allows if place == "occupancy" else kernel_allows
        assert any(exact_place(case.scenario, case.keeps, exactly=True) for case in cases)
        assert not all(exact_place(case.scenario, case.breaks, exactly=True) for case in cases)
    else:
        assert not all(allows(case.scenario, case.breaks) for case in cases), (
            f"{place} allows what breaks {get_rule_name(rule)}"
        )


@pytest.mark.parametrize("rule", NEEDED, ids=get_rule_name)
def test_a_constraint_that_is_missing_is_missed(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: without the constraint the model accepts a plan that breaks the rule."""
    monkeypatch.setattr(exact, "CONSTRAINTS", tuple(encoder for encoder in CONSTRAINTS if encoder.__name__ != rule.__name__))
    monkeypatch.setattr(exact, "REDUNDANT", ())
    assert any(ALLOWS["constraint"](case.scenario, case.breaks) for case in cases_of(rule))
