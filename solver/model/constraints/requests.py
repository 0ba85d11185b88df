"""The rules of what is asked for together: links between visits, and the sizes of groups."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ortools.sat.python import cp_model

from scheduling.requests import Link
from scheduling.scenario import Scenario
from solver.model.variables import Literal, Variables, sum_literals
from solver.state.tasks import Key, visit_key

Choices = Mapping[str, cp_model.LinearExpr]


def link(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A visit that follows another is planned only with it, at the asked distance, place and team."""
    for wanted in scenario.links:
        before, after = visit_key(wanted.before), visit_key(wanted.after)
        if not x.is_free(before) and not x.is_free(after):
            continue
        if not x.has(after):
            if x.has(before) and wanted.together:
                model.add(x.present(before) == 0)
            continue
        if not x.has(before):
            model.add(x.present(after) == 0)
            continue
        model.add_implication(x.present(after), x.present(before))
        if wanted.together:
            model.add_implication(x.present(before), x.present(after))
        if wanted.any_order:
            leads = model.new_bool_var(f"comes first: {wanted.before} of {wanted.before} and {wanted.after}")
            _in_order(model, x, wanted, (before, after), [leads, x.present(after)])
            _in_order(model, x, wanted, (after, before), [leads.negated(), x.present(after)])
        else:
            _in_order(model, x, wanted, (before, after), [x.present(after)])
        if wanted.same_location:
            _alike(model, x, x.present(after), x.locations(before), x.locations(after))
        if wanted.same_provider:
            for seat in range(max(len(x.domains.service(before).team), len(x.domains.service(after).team))):
                _alike(model, x, x.present(after), _by_provider(model, x, before, seat), _by_provider(model, x, after, seat))


def _in_order(model: cp_model.CpModel, x: Variables, wanted: Link, visits: tuple[Key, Key], when: list[Literal]) -> None:
    """Keep the distance in days of a link between the visit that comes first and the other one, and the gap on one day."""
    first, second = visits
    days = x.day(second) - x.day(first)
    model.add(days >= wanted.min_days).only_enforce_if(when)
    if wanted.max_days is not None:
        model.add(days <= wanted.max_days).only_enforce_if(when)
    if wanted.min_days:
        return
    together = model.new_bool_var(f"on one day: {first[1]} and {second[1]}")
    gap = x.start_minute(second) - x.start_minute(first) - x.domains.service(first).minutes
    model.add(gap >= wanted.min_gap_minutes).only_enforce_if(together, *when)
    if wanted.max_gap_minutes is not None:
        model.add(gap <= wanted.max_gap_minutes).only_enforce_if(together, *when)
    model.add(days > 0).only_enforce_if(together.negated(), *when)


def _alike(model: cp_model.CpModel, x: Variables, when: Literal, choices: Choices, other_choices: Choices) -> None:
    """Let two visits make the same choice while a literal holds."""
    for choice in choices.keys() | other_choices.keys():
        model.add(choices.get(choice, 0) == other_choices.get(choice, 0)).only_enforce_if(when)


def _by_provider(model: cp_model.CpModel, x: Variables, key: Key, seat: int) -> Choices:
    """Return, for each provider, the sum of the literals that they fill a seat; nothing where the team has no such seat."""
    fills: dict[str, list[Literal]] = defaultdict(list)
    for taken in x.team(key):
        if taken.option.seat == seat and taken.option.provider is not None:
            fills[taken.option.provider].append(taken.literal)
    return {provider: sum_literals(literals) for provider, literals in fills.items()}


def group_size(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """A group's attendees are candidates, at least its minimum, and no more than its capacity and its room's seats."""
    for task in x.tasks:
        if task.group is not None:
            group, runs = task.group, x.present(task.key)
            attendees = sum_literals(x.attends(group.id, patient) for patient in x.members(task))
            model.add(attendees >= group.min_attendees * runs)
            model.add(attendees <= group.capacity * runs)
            for kind, literal in x.rooms(task.key).items():
                if kind.seats < group.capacity:
                    model.add(attendees <= kind.seats).only_enforce_if(literal)
