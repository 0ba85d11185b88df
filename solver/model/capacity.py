"""Redundant rows of the exact model: what a shift can hold in minutes, own and supervised, for a stronger relaxation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from scheduling.rules.providers import FULL_ATTENTION
from scheduling.scenario import Scenario
from scheduling.timegrid import minutes_on
from solver.model.heads import find_start_windows
from solver.model.variables import Literal, Variables
from solver.state.domains import Domains, ShiftId
from solver.state.tasks import Task


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


def chvatal_gomory_rows(amounts: Sequence[int], capacity: int) -> Iterator[tuple[Sequence[int], int]]:
    """Yield the rows that every packing of one resource keeps: its minutes, and their roundings by each duration.

    Dividing ``sum(a_j * n_j) <= C`` by a duration and rounding down both sides keeps every integer packing (Chvatal-Gomory),
    and cuts off the fractional ones: 240 minutes hold 5 visits of 45, not 5.33.
    """
    yield amounts, capacity
    for divisor in sorted(set(amounts)):
        exact = capacity % divisor == 0 and all(amount % divisor == 0 for amount in amounts)
        if not exact:
            yield [amount // divisor for amount in amounts], capacity // divisor


@dataclass(frozen=True, slots=True)
class TimedUse:
    """What a task takes of a resource of a day if a literal holds: minutes, all of them within ``[begin, end)``."""

    literal: Literal
    minutes: int
    begin: int
    end: int


def scarce_places(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Bound the minutes of rooms, devices and bays of a day where tasks without a team use them.

    What a team's shifts bound for others, nothing bounds for these: they are as many as the rooms can hold. Of the minutes
    after each first start, tasks that cannot start sooner take no more than there are until the last end; and the same
    before each last end.
    """
    if all(task.service.team for task in x.tasks):
        return
    windows = find_start_windows(x)
    uses: dict[tuple[int, str, frozenset[str]], list[TimedUse]] = defaultdict(list)
    alone: set[tuple[int, str, frozenset[str]]] = set()
    for task in x.tasks:
        for (day, location), here in x.places(task.key).items():
            window = windows[task.key, day]
            for resource, after, minutes in _taken_by(x, task, location):
                name, begin = (day, location, resource), window.first + after
                uses[name].append(TimedUse(here, minutes, begin, window.last + after + minutes))
                if not task.service.team:
                    alone.add(name)
    for day, location, resource in sorted(alone, key=lambda name: (name[0], name[1], sorted(name[2]))):
        rows = [
            use
            for (on, at, narrower), some in uses.items()
            if (on, at) == (day, location) and narrower <= resource
            for use in some
        ]
        _bound_minutes(model, rows, _count_units(scenario, location, resource))


def _taken_by(x: Variables, task: Task, location: str) -> Iterator[tuple[frozenset[str], int, int]]:
    """Yield the resources that a task takes at a location: their names, after how many minutes, and for how many."""
    service = task.service
    if service.room is not None:
        yield frozenset(x.domains.suitable_rooms(service, location)), 0, service.minutes + service.turnover
    for device in service.equipment:
        yield frozenset([f"device {device}"]), 0, service.minutes
    if service.recovery and task.group is None:
        yield frozenset(["bays"]), service.minutes, service.recovery


def _count_units(scenario: Scenario, location: str, resource: frozenset[str]) -> int:
    if resource == {"bays"}:
        return scenario.bays(location)
    (first, *_) = resource
    is_device = first.startswith("device ") and first not in scenario.rooms
    return scenario.equipment_units(first.removeprefix("device "), location) if is_device else len(resource)


def _bound_minutes(model: cp_model.CpModel, uses: Sequence[TimedUse], units: int) -> None:
    """Bound what starts after each first start, and what ends before each last end."""
    first, last = min(use.begin for use in uses), max(use.end for use in uses)
    for begin in sorted({use.begin for use in uses}):
        _bound_interval(model, uses, units, begin, last)
    for end in sorted({use.end for use in uses}):
        _bound_interval(model, uses, units, first, end)


def _bound_interval(model: cp_model.CpModel, uses: Sequence[TimedUse], units: int, begin: int, end: int) -> None:
    inside = [use for use in uses if use.begin >= begin and use.end <= end]
    if sum(use.minutes for use in inside) > units * (end - begin):
        for weights, most in chvatal_gomory_rows([use.minutes for use in inside], end - begin):
            model.add(cp_model.LinearExpr.weighted_sum([use.literal for use in inside], weights) <= units * most)


REDUNDANT = (capacity, scarce_places)
"""What follows from the rules, and is added beside :data:`solver.model.constraints.CONSTRAINTS`."""
