"""Why a visit is left out, what is offered for it, what an insert does and what a new plan brings: they agree."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from support.strategies import scenarios

from scheduling.additions import Addition
from scheduling.check import check
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario
from solver import Limits, explain, find_offers, insert_visits, solve
from solver.search.explain import LONGER_SHIFT, lengthen_shifts
from solver.search.first_come import plan_first_come

FEW = settings(max_examples=12, derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(FEW, max_examples=400)
LIMITS = Limits(2, 1, deterministic=True)
SECONDS = 20.0
"""Long enough for any of these searches."""


def left_out(asked: Scenario, plan: Plan) -> Iterator[frozenset[str]]:
    """Yield the visits that a plan leaves out, each with those that it has to come with; these are left out too."""
    waiting = {left.visit for left in plan.unscheduled}
    bundles = {asked.find_bundle(visit) for visit in waiting}
    yield from sorted((bundle for bundle in bundles if bundle <= waiting), key=sorted)


def parted(asked: Scenario, plan: Plan, bundle: frozenset[str]) -> tuple[Scenario, Plan, Addition]:
    """Return a scenario and its plan without some visits that are left out, and these as an addition."""
    without = asked.restrict_to(asked.visits_by_id.keys() - bundle)
    others = tuple(left for left in plan.unscheduled if left.visit not in bundle)
    links = tuple(link for link in asked.links if not bundle.isdisjoint((link.before, link.after)))
    added = Addition(visits=tuple(asked.visit(visit) for visit in sorted(bundle)), links=links)
    return without, Plan.parse(plan.changed(unscheduled=others).model_dump_json(), without), added


def is_fitting(reasons: tuple[Reason, ...]) -> bool:
    """Return whether it is said that the visits fit as it is, at whatever cost."""
    return any(reason.rule in ("not-found", "cost") for reason in reasons)


def is_making_room(reasons: tuple[Reason, ...]) -> bool:
    """Return whether it is said that others can make room."""
    return any(reason.rule == "making-room" and " changes " in reason.detail for reason in reasons)


def is_cheaper(reasons: tuple[Reason, ...]) -> bool:
    """Return whether something is said to cost less as it is, whoever moves."""
    return any(reason.rule == "not-found" or "changes by -" in reason.detail for reason in reasons)


def judge(asked: Scenario) -> None:
    """Hold everything that is said of a plan as it is made by hand against each other."""
    plan = plan_first_come(asked)
    if check(asked, plan).violations:
        return
    best = solve(asked, LIMITS)
    for bundle in left_out(asked, plan):
        reasons = explain(asked, plan, min(bundle), SECONDS)
        assert best.status != "optimal" or best.cost < plan.cost or not is_cheaper(reasons)
        if any(reason.detail.startswith("with shifts") for reason in reasons):
            longer = asked.changed(providers=tuple(lengthen_shifts(person, LONGER_SHIFT) for person in asked.providers))
            assert solve(longer, LIMITS).cost < plan.cost
        without, given_plan, added = parted(asked, plan, bundle)
        if check(without, given_plan).violations:
            continue
        offers = find_offers(without, given_plan, added, 5, SECONDS, deterministic=True).offers
        inserted = insert_visits(without, given_plan, added, SECONDS, deterministic=True)[1]
        assert bool(offers) == (min(bundle) in inserted.visits_by_id)
        if offers and offers[0].is_free:
            assert is_fitting(reasons)
        elif offers:
            assert is_fitting(reasons) or is_making_room(reasons)
        else:
            assert not is_fitting(reasons)


@FEW
@given(scenarios())
def test_why_offers_inserts_and_plans_agree(asked: Scenario) -> None:
    judge(asked)


@pytest.mark.heavy
@MANY
@given(scenarios())
def test_why_offers_inserts_and_plans_agree_on_hundreds(asked: Scenario) -> None:
    judge(asked)


@FEW
@given(scenarios())
def test_a_proven_plan_missed_nothing(asked: Scenario) -> None:
    plan = solve(asked, LIMITS)
    if plan.status == "optimal":
        told = {left.visit: left.reasons for left in plan.unscheduled}
        assert not any(is_cheaper((*reasons, *explain(asked, plan, visit, SECONDS))) for visit, reasons in told.items())
