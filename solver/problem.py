"""What is asked of a search, and with what means; the plans that a search begins with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from scheduling.check import check
from scheduling.costs import get_omission_cost
from scheduling.plan import Plan, Reason
from scheduling.scenario import Scenario
from solver.clock import Clock
from solver.limits import Limits
from solver.parameters import SolverParameters
from solver.search.budget import find_staying, raise_budget, restore_current
from solver.search.construct import construct
from solver.search.incumbent import Incumbent, Snapshot
from solver.search.large_neighbourhoods import Placements, SearchLimits, SubproblemSolver
from solver.search.pins import pin_conflicts
from solver.search.shift_locations import choose_shift_locations
from solver.state.domains import Domains
from solver.state.occupancy import Occupancy
from solver.state.placements import get_current_placements, get_placements, make_plan
from solver.state.tasks import Key
from solver.state.unary import get_current


@dataclass(frozen=True)
class PlanningProblem:
    """What is asked, and with what means.

    Attributes
    ----------
    asked, scenario : Scenario
        As it was given, and with a notification budget that can be kept.
    domains : Domains
        The options that are open: those of pins that conflict are none, what stays has one.
    conflicts : dict
        The pinned visits that cannot be kept, and why.
    subproblems : SubproblemSolver
        Exact re-optimisation over ``domains``.
    """

    asked: Scenario
    scenario: Scenario
    limits: Limits
    clock: Clock
    parameters: SolverParameters
    conflicts: Mapping[Key, Sequence[Reason]]
    domains: Domains
    subproblems: SubproblemSolver

    @property
    def option_count(self) -> int:
        """How many options the tasks have."""
        return sum(map(len, self.domains.options.values()))

    @property
    def is_small(self) -> bool:
        """Whether the exact model may hold everything."""
        return self.option_count <= self.parameters.exact_max_options

    @property
    def has_calls_to_share(self) -> bool:
        """Whether a notification budget bounds who may be called, and something is left of it."""
        return self.scenario.policy.max_notified_moves is not None and not self.domains.staying

    @property
    def has_standing(self) -> bool:
        """Whether anything stands in a plan that people live by."""
        return any(get_current(task) is not None for task in self.domains.tasks)

    @property
    def forced_cost(self) -> int:
        """What must be paid for visits that fit nowhere at all."""
        visits = (task.visit for task in self.domains.tasks if not self.domains.options[task.key])
        return sum(get_omission_cost(self.scenario, visit) for visit in visits if visit is not None)

    def reopened(self, staying: Collection[Key], conflicts: Mapping[Key, Sequence[Reason]]) -> PlanningProblem:
        """Return the problem in which all but what stays, and what pins forbid, may be wherever the rules allow."""
        domains = Domains(self.scenario, without=conflicts.keys(), staying=staying)
        return replace(self, conflicts=conflicts, domains=domains, subproblems=SubproblemSolver(domains, self.clock))


def pose(scenario: Scenario, limits: Limits, clock: Clock, parameters: SolverParameters) -> PlanningProblem:
    """Return the problem of a scenario: pins that conflict given up, the budget raised to what every plan needs."""
    conflicts = pin_conflicts(scenario)
    domains = Domains(scenario, without=conflicts.keys())
    budgeted = raise_budget(scenario, domains)
    subproblems = SubproblemSolver(domains, clock)
    problem = PlanningProblem(scenario, budgeted, limits, clock, parameters, conflicts, domains, subproblems)
    return problem.reopened(find_staying(budgeted, domains), conflicts)


# --- first plans -----------------------------------------------------------------------------------------------------


def read_warm_start(problem: PlanningProblem, start: Plan | None) -> Placements:
    """Return where a plan, or else what people have been told, has the tasks, as far as everybody is still on a shift."""
    scenario = problem.scenario
    known = get_current_placements(scenario) if start is None else get_placements(scenario, start)
    return {
        key: placement
        for key, placement in known.items()
        if all(shift.number >= 0 for shift in (*placement.team, *placement.supervisors))
    }


def offer_warm_start(problem: PlanningProblem, incumbent: Incumbent, warm_start: Placements) -> Snapshot | None:
    """Offer a warm start that breaks no rule; return it with its score, else None."""
    if not warm_start or check(problem.scenario, make_plan(problem.domains, warm_start)).violations:
        return None
    incumbent.offer(warm_start)
    return incumbent.get_snapshot()


def construct_first_plan(problem: PlanningProblem, incumbent: Incumbent, warm_start: Placements) -> PlanningProblem:
    """Offer a constructed plan that holds every pin; give up the pins that no plan can hold beside the others."""
    domains = problem.domains
    shift_at = choose_shift_locations(domains, warm_start)
    placements = construct(domains, warm_start, shift_at)
    pinned = [t for t in domains.tasks if t.visit is not None and t.visit.pinned and t.key not in problem.conflicts]
    missing = [task.key for task in pinned if task.key not in placements]
    if missing:
        needed = {step.key for task in pinned for step in Occupancy(domains).chain(task)}
        limits = SearchLimits(problem.parameters.pin_seconds, problem.limits.workers, problem.limits.seed)
        options = {key: domains.options[key] for key in sorted(needed)}
        held = problem.subproblems.solve({}, options, limits).placements
        if held is None:
            reason = Reason(rule="pinned", detail="the pin leaves no plan beside the other pins and what they ask for")
            problem = problem.reopened(domains.staying, {**problem.conflicts, **dict.fromkeys(missing, (reason,))})
        placements = construct(problem.domains, warm_start if held is None else held, shift_at)
    incumbent.offer(placements)
    return problem


def keep_what_stands(problem: PlanningProblem, incumbent: Incumbent) -> PlanningProblem:
    """Offer a plan from all that can stand at once, its supervisors found together; that alone stays."""
    limits = SearchLimits(problem.parameters.standing_seconds, problem.limits.workers, problem.limits.seed)
    standing = restore_current(problem.domains, problem.subproblems, limits)
    problem = problem.reopened(problem.domains.staying & standing.keys(), problem.conflicts)
    incumbent.offer(construct(problem.domains, standing))
    return problem
