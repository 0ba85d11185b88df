"""Redundant rows of the exact model: what a shift can hold in minutes, own and supervised, for a stronger relaxation."""

from __future__ import annotations

from collections import defaultdict

from ortools.sat.python import cp_model

from scheduling.rules.providers import FULL_ATTENTION
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on
from solver.model.heads import find_start_windows
from solver.model.scarcity import PlacedTask, chvatal_gomory_rows, list_scarce_rows
from solver.model.variables import Literal, Variables
from solver.state.domains import Domains, ShiftId


def capacity(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Bound the minutes of each shift, own and supervised, and their roundings."""
    own: dict[ShiftId, list[tuple[Literal, int]]] = defaultdict(list)
    attended: dict[ShiftId, list[tuple[Literal, int]]] = defaultdict(list)
    undivided: dict[ShiftId, list[tuple[Literal, int]]] = defaultdict(list)
    load: dict[ShiftId, list[tuple[Literal, int]]] = defaultdict(list)
    for task in x.tasks:
        minutes, attention = task.service.minutes, task.service.attention
        for taken in x.team(task.key):
            if taken.option.shift is not None:
                own[taken.option.shift].append((taken.literal, minutes))
                if attention:
                    attended[taken.option.shift].append((taken.literal, minutes))
        for taken in x.commitments(task.key):
            if taken.option.shift is not None:
                load[taken.option.shift].append((taken.literal, minutes * attention))
        for taken in x.supervisors(task.key) if attention == FULL_ATTENTION else ():
            if taken.option.shift is not None:
                undivided[taken.option.shift].append((taken.literal, minutes))
    for shift, uses in own.items():
        free = count_free_minutes(x.domains, shift)
        for weights, most in chvatal_gomory_rows([amount for _, amount in uses], free):
            model.add(cp_model.LinearExpr.weighted_sum([use for use, _ in uses], weights) <= most)
        if not scenario.providers_by_id[shift.provider].trainee:
            mine = [*attended[shift], *undivided[shift]]
            model.add(cp_model.LinearExpr.weighted_sum([use for use, _ in mine], [amount for _, amount in mine]) <= free)
            total = cp_model.LinearExpr.weighted_sum([use for use, _ in load[shift]], [amount for _, amount in load[shift]])
            model.add(total <= FULL_ATTENTION * free)


def count_free_minutes(domains: Domains, shift: ShiftId, since: int = 0) -> int:
    """Return the minutes of a shift, from a minute of its day on, that its provider is not busy elsewhere."""
    times = domains.shift(shift)
    on = times.start.date()
    begin, end = max(since, minutes_on(times.start, on)), minutes_on(times.end, on)
    free, reached = 0, begin
    busy = ((minutes_on(b.start, on), minutes_on(b.end, on)) for b in domains.scenario.providers_by_id[shift.provider].busy)
    for starts, ends in sorted((max(a, begin), min(b, end)) for a, b in busy if a < end and b > begin):
        free += max(0, starts - reached)
        reached = max(reached, ends)
    return free + max(0, end - reached)


def scarce_places(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Bound the minutes of rooms, devices and bays of a day where tasks without a team use them."""
    if all(task.service.team for task in x.tasks):
        return
    windows = find_start_windows(x.domains, {task.key: [taken.option for taken in x.seat(task.key, 0)] for task in x.tasks})
    literals: list[Literal] = []
    uses: list[PlacedTask] = []
    for task in x.tasks:
        for (day, location), here in x.places(task.key).items():
            window = windows[task.key, day]
            uses.append(PlacedTask(len(literals), task, day, location, window.first, window.last))
            literals.append(here)
    for row in list_scarce_rows(x.domains, uses):
        model.add(cp_model.LinearExpr.weighted_sum([literals[use] for use in row.uses], row.weights) <= row.most)


REDUNDANT = (capacity, scarce_places)
"""What follows from the rules, and is added beside :data:`solver.model.constraints.CONSTRAINTS`."""
