"""Rows that the minutes of rooms, devices and bays ask for, where tasks without a team take them.

What a team's shifts bound for others, nothing bounds for these: they are as many as the rooms can hold. The exact model and the
master problem both have these rows. Under teams they helped as often as they stood in the way: of eight days of 24 and 36
visits in two and three rooms, the exact model proved four with them and five without.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scheduling.scenario import Scenario
from solver.state.domains import Domains
from solver.state.tasks import Task


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """A task on a day at a location, if a variable of some model says so: its first and last start, in minutes of the day."""

    variable: int
    task: Task
    day: int
    location: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """The weighted sum of some variables is at most a number."""

    uses: Sequence[int]
    weights: Sequence[int]
    most: int


@dataclass(frozen=True, slots=True)
class TimedUse:
    """What a task takes of a resource of a day if a variable says so: minutes, all of them within ``[begin, end)``."""

    variable: int
    minutes: int
    begin: int
    end: int


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


def list_scarce_rows(domains: Domains, placed: Iterable[PlacedTask]) -> Iterator[CapacityRow]:
    """Yield the rows of every resource of a day that tasks without a team take.

    Of the minutes after each first start, tasks that cannot start sooner take no more than there are until the last end; and
    the same before each last end.
    """
    uses: dict[tuple[int, str], dict[frozenset[str], list[TimedUse]]] = defaultdict(lambda: defaultdict(list))
    scarce: dict[tuple[int, str, frozenset[str]], None] = {}
    for use in placed:
        for resource, after, minutes in _taken_by(domains, use.task, use.location):
            timed = TimedUse(use.variable, minutes, use.first + after, use.last + after + minutes)
            uses[use.day, use.location][resource].append(timed)
            if not use.task.service.team:
                scarce[use.day, use.location, resource] = None
    for day, location, resource in scarce:
        taken = [use for narrower, some in uses[day, location].items() if narrower <= resource for use in some]
        yield from _bound_minutes(taken, _count_units(domains.scenario, location, resource))


def _taken_by(domains: Domains, task: Task, location: str) -> Iterator[tuple[frozenset[str], int, int]]:
    """Yield the resources that a task takes at a location: their names, after how many minutes, and for how many."""
    service = task.service
    if service.room is not None:
        yield frozenset(domains.suitable_rooms(service, location)), 0, service.minutes + service.turnover
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


def _bound_minutes(uses: Sequence[TimedUse], units: int) -> Iterator[CapacityRow]:
    """Bound what starts after each first start, and what ends before each last end."""
    first, last = min(use.begin for use in uses), max(use.end for use in uses)
    for begin in sorted({use.begin for use in uses}):
        yield from _bound_interval(uses, units, begin, last)
    for end in sorted({use.end for use in uses}):
        yield from _bound_interval(uses, units, first, end)


def _bound_interval(uses: Sequence[TimedUse], units: int, begin: int, end: int) -> Iterator[CapacityRow]:
    inside = [use for use in uses if use.begin >= begin and use.end <= end]
    if sum(use.minutes for use in inside) > units * (end - begin):
        for weights, most in chvatal_gomory_rows([use.minutes for use in inside], end - begin):
            yield CapacityRow([use.variable for use in inside], weights, units * most)
