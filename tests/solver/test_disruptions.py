"""Weeks that are upset and planned again: whatever happens, the answer keeps every rule and its bound is true.

Each week is planned, published, upset and planned again, whole by the exact model or by decomposition. The checker judges
both plans, and their bounds are held against every other valid plan that is known: what still stands of the earlier plan, one
that is constructed, one that is annealed, and the exact model's optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ortools.sat.python import cp_model
from support.strategies import scenarios

from scheduling.additions import Addition
from scheduling.check import check
from scheduling.disruptions import Disruption, ExtraShift, PlaceClosure, ProviderAbsence, apply_disruptions
from scheduling.errors import RuleBroken
from scheduling.generate import generate
from scheduling.plan import Plan, Violation
from scheduling.publishing import publish, rebase, upcoming
from scheduling.requests import Visit
from scheduling.scenario import Scenario
from scheduling.timegrid import stamp
from solver import Limits, cancel_visit, solve
from solver.model import exact
from solver.model.constraints import CONSTRAINTS
from solver.model.exact import exact_model
from solver.model.solutions import extract
from solver.parameters import DEFAULTS, AnnealingParameters, SolverParameters
from solver.search import ruin
from solver.search.construct import construct
from solver.search.encoding import KernelEncoding
from solver.search.incumbent import Incumbent
from solver.search.large_neighbourhoods import SubproblemResult, SubproblemSolver
from solver.search.ruin import RuinAndRecreate
from solver.state.domains import Domains
from solver.state.placements import Placement, make_plan
from solver.state.tasks import Key

HOT = DEFAULTS.annealing.initial_temperature
DECOMPOSING = SolverParameters(exact_max_options=0, annealing=AnnealingParameters(time_share=0.5))
"""Parameters that decompose whatever the size, with time for neighbourhoods."""
"""The module, whose name in the package is taken by its function."""

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
"""A week that fails is shown whole, large as it is."""

FEW = settings(max_examples=30, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=1500)
SECONDS = 1.6
"""Deterministic ones, of which the master's relaxation counts for one."""

NEIGHBOURHOOD_SECONDS = 0.1
"""What a neighbourhood is made to count for at least, so that there are a few of them and not dozens."""


@dataclass(frozen=True)
class Upset:
    """A week, what happens to it once its plan is published, and whether the exact model solves it whole."""

    asked: Scenario
    minute: int | None
    extra: Visit | None
    cancelled: str | None
    disruptions: tuple[Disruption, ...]
    budget: int | None
    whole: bool
    seed: int


@dataclass(frozen=True)
class Planned:
    """A scenario, the plan that it began with, and its answer."""

    asked: Scenario
    start: Plan | None
    plan: Plan


# --- what happens ----------------------------------------------------------------------------------------------------


@st.composite
def upsets(draw: st.DrawFn) -> Upset:
    """Draw a week of few people, now and then a larger one, and some of all that can happen to it."""

    def pick(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    small = pick(True, True, True, True, False)
    asked = draw(scenarios()) if small else generate("tiny", draw(st.integers(0, 99)))
    if pick(True, True, False):
        asked = asked.changed(visits=tuple(visit.changed(pinned=None) for visit in asked.visits))
    minute = pick(None, draw(st.integers(7 * 60, (asked.grid.days - 1) * 24 * 60 + 11 * 60)))
    return Upset(
        asked=asked,
        minute=minute,
        extra=pick(None, _extra(pick, asked, minute or 0)),
        cancelled=pick(None, pick(*asked.visits).id),
        disruptions=tuple(_disruption(pick, draw, asked) for _ in range(draw(st.integers(0, 3)))),
        budget=pick(None, 0, 1, 3),
        whole=small and pick(True, False),
        seed=draw(st.integers(0, 2**20)),
    )


def _extra(pick: Callable[..., Any], asked: Scenario, minute: int) -> Visit:
    like, day = pick(*asked.visits), asked.grid.date(minute // (24 * 60))
    fields: dict[str, Any] = {"id": "extra", "patient": pick(*asked.patients).id, "pinned": None, "current": None}
    fields |= pick({}, {"same_day": True, "earliest": day, "target": day, "deadline": None, "priority": "cancer"})
    changed: Visit = like.changed(**fields)
    return changed


def _disruption(pick: Callable[..., Any], draw: st.DrawFn, asked: Scenario) -> Disruption:
    provider, day = pick(*asked.providers), pick(*asked.grid.dates())
    start = stamp(day, draw(st.integers(7 * 60, 13 * 60)))
    end = start + timedelta(minutes=draw(st.integers(1, 8 * 60)))
    overlaps = any(start < shift.end and shift.start < end for shift in provider.shifts)
    kind = pick(ProviderAbsence, PlaceClosure, ProviderAbsence if overlaps else ExtraShift)
    if kind is ProviderAbsence:
        return ProviderAbsence(provider=provider.id, start=start, end=end)
    if kind is PlaceClosure:
        return PlaceClosure(place=pick(*asked.rooms, *asked.locations), start=start, end=end)
    return ExtraShift(provider=provider.id, start=start, end=end, locations=(pick(*asked.locations),))


def _only_once(disruptions: Sequence[Disruption]) -> Iterator[Disruption]:
    """Yield all but further extra shifts of one provider, which may overlap."""
    opened: set[str] = set()
    for disruption in disruptions:
        if not isinstance(disruption, ExtraShift):
            yield disruption
        elif disruption.provider not in opened:
            opened.add(disruption.provider)
            yield disruption


def again(upset: Upset, earlier: Plan) -> tuple[Scenario, Plan]:
    """Publish a plan, let happen what happens, and return what is asked for then with what is left of the plan."""
    grid = upset.asked.grid
    now = None if upset.minute is None else stamp(grid.date(0), 0) + timedelta(minutes=upset.minute)
    asked = publish(upset.asked, earlier, now)
    stands = upcoming(asked, rebase(earlier, asked))
    if upset.cancelled is not None and not check(asked, stands).violations:
        asked, stands = cancel_visit(asked, stands, upset.cancelled)
    if upset.extra is not None:
        asked = Addition(visits=(upset.extra,)).add_to(asked)
    asked = apply_disruptions(asked, _only_once(upset.disruptions))
    asked = asked.changed(policy=asked.policy.changed(max_notified_moves=upset.budget))
    return asked, rebase(stands, asked)


# --- what is judged --------------------------------------------------------------------------------------------------


def planned(upset: Upset) -> Iterator[Planned]:
    """Yield the first plan of a week, and the one that is made when it is upset."""
    with pytest.MonkeyPatch.context() as patch:
        if not upset.whole:
            count_neighbourhoods(patch)
        parameters = SolverParameters() if upset.whole else DECOMPOSING
        limits = Limits(SECONDS, workers=1, seed=upset.seed, deterministic=True)
        first = solve(upset.asked, limits, parameters=parameters)
        yield Planned(upset.asked, None, first)
        asked, start = again(upset, first)
        yield Planned(asked, start, solve(asked, limits, start, parameters=parameters))


def count_neighbourhoods(patch: pytest.MonkeyPatch) -> None:
    """Let each neighbourhood count as time, so that there are few of them."""
    solve_subproblem = SubproblemSolver.solve

    def counted(self: SubproblemSolver, *given: Any) -> SubproblemResult:
        result = solve_subproblem(self, *given)
        self.clock.spend(NEIGHBOURHOOD_SECONDS)
        return result

    patch.setattr(SubproblemSolver, "solve", counted)


def faults(made: Planned) -> Iterator[str]:
    """Yield what is wrong with an answer: with its plan alone, then beside others."""
    verdict = check(made.asked, made.plan)
    for violation in verdict.violations:
        if not excused(made.plan, violation):
            yield f"{violation.rule}: {violation.ids} {violation.detail}"
    if (made.plan.cost, made.plan.costs) != (verdict.cost, verdict.costs):
        yield f"states cost {made.plan.cost}, costs {verdict.cost}"
    if (made.plan.status == "unknown") != (made.plan.bound is None):
        yield f"is {made.plan.status} with bound {made.plan.bound}"
    if made.plan.bound is not None and (made.plan.status == "optimal") != (made.plan.bound == made.plan.cost):
        yield f"is {made.plan.status} with cost {made.plan.cost} and bound {made.plan.bound}"
    yield from faults_beside_others(made)


def excused(plan: Plan, violation: Violation) -> bool:
    """Return whether an answer may break a rule: the budget, or a pin that it names, and only when it says ``unknown``."""
    named = {left.visit for left in plan.unscheduled if any(reason.rule == "pinned" for reason in left.reasons)}
    return plan.status == "unknown" and (
        violation.rule == "notification-budget" or (violation.rule == "pinned" and violation.ids[0] in named)
    )


def faults_beside_others(made: Planned) -> Iterator[str]:
    """Yield what other plans of the same scenario show to be wrong with an answer."""
    for name, other in others(made):
        verdict = check(made.asked, other)
        if verdict.violations:
            continue
        if made.plan.status == "unknown":
            yield f"is unknown, but the {name} plan keeps every rule"
        elif made.plan.bound is not None and made.plan.bound > verdict.cost:
            yield f"states bound {made.plan.bound}, but the {name} plan costs {verdict.cost}"
        if name == "earlier" and made.plan.cost > verdict.cost:
            yield f"costs {made.plan.cost}, but the earlier plan {verdict.cost}"


def others(made: Planned) -> Iterator[tuple[str, Plan]]:
    """Yield other plans of the same scenario, valid or not, by how they are made."""
    if made.start is not None:
        yield "earlier", made.start
    domains = Domains(made.asked)
    placements = construct(domains)
    yield "constructed", make_plan(domains, placements)
    if domains.tasks:
        yield "annealed", make_plan(domains, annealed(domains, placements))
    if len(made.asked.providers) < 8:
        best = optimum(domains)
        if best is not None:
            yield "best", make_plan(domains, best)


def annealed(domains: Domains, placements: dict[Key, Placement]) -> dict[Key, Placement]:
    """Return the best placements after some ruins."""
    temperatures, found = iter([HOT, HOT / 4]), [placements]
    RuinAndRecreate(domains, placements, 1).run(lambda: next(temperatures, 0.0), lambda better: found.append(dict(better)))
    return found[-1]


def optimum(domains: Domains) -> dict[Key, Placement] | None:
    """Return the best placements, by a search that shares no settings with the package's; None when there are none."""
    model, x = exact_model(domains)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.presolve_inclusion_work_limit = 0
    status = solver.solve(model)
    return extract(x, solver) if status == cp_model.OPTIMAL else None


def expect_no_fault(upset: Upset) -> None:
    found = [fault for made in planned(upset) for fault in faults(made)]
    assert found == []


@FEW
@given(upsets())
def test_whatever_happens_every_rule_is_kept_and_no_plan_is_below_the_bound(upset: Upset) -> None:
    expect_no_fault(upset)


@pytest.mark.heavy
@MANY
@given(upsets())
def test_thousands_of_plans_keep_every_rule_and_their_bounds(upset: Upset) -> None:
    expect_no_fault(upset)


# --- and that it would be seen ---------------------------------------------------------------------------------------


def forgets(rule: str) -> Callable[[pytest.MonkeyPatch], None]:
    """Return a defect: the exact model lacks a rule."""
    kept = tuple(encoder for encoder in CONSTRAINTS if encoder.__name__ != rule)
    assert len(kept) == len(CONSTRAINTS) - 1
    return lambda patch: patch.setattr(exact, "CONSTRAINTS", kept)


def too_roomy(patch: pytest.MonkeyPatch) -> None:
    """Let the kernel take one more of everything that has a capacity."""

    class Roomy(KernelEncoding):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.tables.lists[: len(self.state.used)] += 1

    patch.setattr(ruin, "KernelEncoding", Roomy)


def boasts(patch: pytest.MonkeyPatch) -> None:
    """State bounds that are twice as high, which ends the search too soon."""
    honest = Incumbent.raise_bound
    patch.setattr(Incumbent, "raise_bound", lambda self, bound: honest(self, bound and 2 * bound))


QUIET = Upset(generate("tiny", 0), None, None, None, (), None, whole=False, seed=0)
WHOLE = replace(QUIET, whole=True)
HARDER = replace(QUIET, asked=generate("tiny", 6))


@pytest.mark.parametrize(
    ("defect", "upset"),
    [
        pytest.param(forgets("link"), WHOLE, id="a rule of the exact model"),
        pytest.param(too_roomy, HARDER, id="capacities of the kernel"),
        pytest.param(boasts, QUIET, id="bounds"),
    ],
)
def test_a_defect_of_the_solver_is_seen(
    defect: Callable[[pytest.MonkeyPatch], None], upset: Upset, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_no_fault(upset)
    defect(monkeypatch)
    with pytest.raises((AssertionError, RuleBroken)):
        expect_no_fault(upset)
