"""The notification budget: who has to be called again whatever is planned, and a budget that can be kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from scheduling.requests import Current, CurrentGroup
from scheduling.scenario import Scenario
from solver.search.large_neighbourhoods import Placements, SearchLimits, SubproblemSolver
from solver.state.domains import Domains, Option
from solver.state.placements import get_current_placements
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, start_mask


def raise_budget(scenario: Scenario, domains: Domains) -> Scenario:
    """Return a scenario with a notification budget of at least what every plan needs; the same one when it is enough.

    A smaller budget cannot be kept, so every such budget asks for the same: the best plan with no call beyond those.
    """
    budget = scenario.policy.max_notified_moves
    if budget is None or budget >= (forced := count_forced_calls(domains)):
        return scenario
    return scenario.changed(policy=scenario.policy.changed(max_notified_moves=forced))


def find_staying(scenario: Scenario, domains: Domains) -> frozenset[Key]:
    """Return the notified visits that stay in every plan that keeps the budget: all that can, when nothing is left of it.

    The search then has only the others to move. Of three days' changes of weeks with some 400 told visits, 0.6 deterministic
    seconds came to 13,686, 17,345 and 11,118 (bounds 11,742, 16,629 and 10,958); among all visits to 18,361, 27,550 and 16,349.
    """
    budget = scenario.policy.max_notified_moves
    if budget is None or budget != count_forced_calls(domains):
        return frozenset()
    told = ((task, task.visit.current) for task in domains.tasks if task.visit is not None)
    return frozenset(task.key for task, current in told if current is not None and current.notified and can_stay(domains, task))


def count_forced_calls(domains: Domains) -> int:
    """Return how many notified patients have to be called again in every plan, as nothing can stay where they were told."""
    forced = 0
    for task in domains.tasks:
        current = get_current(task)
        if current is not None and current.notified and not can_stay(domains, task):
            forced += 1 if task.group is None or task.group.current is None else len(task.group.current.attendees)
    return forced


def can_stay(domains: Domains, task: Task) -> bool:
    """Return whether a task has an option in each seat where it stands: a visit with its team, a group with anybody."""
    current = get_current(task)
    if current is None:
        return False
    there = _there(domains, task, current)
    if task.group is not None:
        return bool(there)
    seats = {(option.seat, option.provider) for option in there}
    team = current.team or (None,)
    return len(current.team) == len(task.service.team) and all((seat, provider) in seats for seat, provider in enumerate(team))


def restore_current(domains: Domains, subproblems: SubproblemSolver, limits: SearchLimits) -> Placements:
    """Return as much as can be of what stands, where it stands, supervisors being chosen for all of it at once.

    Nobody has been told who supervises. Chosen one by one, those of one visit are in the way of another: on a week of 623
    told visits of which 11 cannot stay, 21 more had to give way.
    """
    options: dict[Key, Sequence[Option]] = {}
    placements = get_current_placements(domains.scenario)
    for task in domains.tasks:
        if (current := get_current(task)) is not None:
            told = placements[task.key].options(task)
            options[task.key] = [option for option in _there(domains, task, current) if option in told]
    return subproblems.solve({}, options, limits).placements or {}


def _there(domains: Domains, task: Task, current: Current | CurrentGroup) -> list[Option]:
    """Return a task's options, whoever does it, of the start and location where it stands; that start alone is left of them."""
    start, day = start_mask(domains.scenario, current.start), domains.scenario.grid.day_index(current.start.date())
    options = (option for option in domains.options[task.key] if (option.day, option.location) == (day, current.location))
    return [replace(option, starts=start) for option in options if option.starts & start]
