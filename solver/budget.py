"""The notification budget: who has to be called again whatever is planned, and a budget that can be kept."""

from __future__ import annotations

from scheduling.scenario import Scenario
from solver.domains import Domains, current_of, start_mask
from solver.tasks import Task


def with_budget(scenario: Scenario, domains: Domains) -> Scenario:
    """Return a scenario with a notification budget of at least what every plan needs; the same one when it is enough.

    A smaller budget cannot be kept, so every such budget asks for the same: the best plan with no call beyond those.
    """
    budget, forced = scenario.policy.max_notified_moves, forced_calls(domains)
    if budget is None or budget >= forced:
        return scenario
    return scenario.changed(policy=scenario.policy.changed(max_notified_moves=forced))


def forced_calls(domains: Domains) -> int:
    """Return how many notified patients have to be called again in every plan, as nothing can stay where they were told."""
    forced = 0
    for task in domains.tasks:
        current = current_of(task)
        if current is not None and current.notified and not can_stay(domains, task):
            forced += 1 if task.group is None or task.group.current is None else len(task.group.current.attendees)
    return forced


def can_stay(domains: Domains, task: Task) -> bool:
    """Say whether a task has an option in each seat where it stands: a visit with its team, a group with anybody."""
    current = current_of(task)
    if current is None:
        return False
    start, day = start_mask(domains.scenario, current.start), domains.scenario.grid.day_index(current.start.date())
    there = [o for o in domains.options[task.key] if (o.day, o.location) == (day, current.location) and o.starts & start]
    if task.group is not None:
        return bool(there)
    seats = {(option.seat, option.provider) for option in there}
    team = current.team or (None,)
    return len(current.team) == len(task.service.team) and all((seat, one) in seats for seat, one in enumerate(team))
