"""The rules of places between items: rooms, devices and recovery bays."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

from ortools.sat.python import cp_model

from scheduling.scenario import Scenario
from solver.model.variables import Interval, Variables, sum_literals
from solver.state.tasks import Task


def room(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """An item has a room of the kind and features that its service needs, where it takes place.

    Which kinds suit is decided where the room variables are made; a place without a suitable room is not open.
    """
    for task in x.tasks:
        if task.service.room is not None:
            for location, here in x.locations(task.key).items():
                suited = [literal for kind, literal in x.rooms(task.key).items() if kind.location == location]
                model.add(sum_literals(suited) == here)


def closure(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Nothing, cleaning included, is in a room while that room alone is closed (a location: :mod:`solver.state.unary`)."""
    every = (1 << scenario.grid.slots_per_day) - 1
    for task in x.tasks:
        stays = x.fixed.get(task.key)
        for kind, literal in x.rooms(task.key).items():
            for day in x.days(task.key):
                starts = x.domains.room_starts(task.service, kind.rooms[0], day) & every
                here = x.places(task.key).get((day, kind.location))
                if here is None or starts == every:
                    continue
                if stays is None:
                    x.starts_within(task.key, day, starts, [literal, here])
                elif not starts >> stays.slot & 1:
                    model.add(literal == 0)


def room_overlap(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """No room is used for two items at once, cleaning included: rooms that are alike are one cumulative resource."""
    uses: dict[object, list[Interval]] = defaultdict(list)
    sizes: dict[object, int] = {}
    for task in x.tasks:
        for kind, literal in x.rooms(task.key).items():
            sizes[kind] = len(kind.rooms)
            uses[kind].append(x.interval(task.key, literal, 0, task.service.minutes + task.service.turnover))
    _limit(model, uses, sizes)


def equipment(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Items that run at once at a location use no more devices than its pool has."""
    uses: dict[object, list[Interval]] = defaultdict(list)
    sizes: dict[object, int] = {}
    for task in x.tasks:
        for device, (location, here) in product(task.service.equipment, x.locations(task.key).items()):
            sizes[device, location] = scenario.equipment_units(device, location)
            uses[device, location].append(x.interval(task.key, here, 0, task.service.minutes))
    _limit(model, uses, sizes)


def recovery(model: cp_model.CpModel, scenario: Scenario, x: Variables) -> None:
    """Patients who recover at once at a location are no more than its bays."""
    uses: dict[str, list[tuple[Interval, cp_model.IntVar | int]]] = defaultdict(list)
    for task in x.tasks:
        service = task.service
        if service.recovery:
            patients = 1 if task.group is None else _attendees(model, x, task)
            for location, here in x.locations(task.key).items():
                lying = x.interval(task.key, here, service.minutes, service.minutes + service.recovery)
                uses[location].append((lying, patients))
    for location, taken in uses.items():
        model.add_cumulative([lying for lying, _ in taken], [patients for _, patients in taken], scenario.bays(location))


def _attendees(model: cp_model.CpModel, x: Variables, task: Task) -> cp_model.IntVar:
    """Return a variable for the number of a group's attendees: a cumulative takes no sums."""
    number = model.new_int_var(0, len(x.members(task)), f"attendees: {task.id}")
    model.add(sum_literals(x.attends(task.id, patient) for patient in x.members(task)) == number)
    return number


def _limit(model: cp_model.CpModel, uses: dict[object, list[Interval]], sizes: dict[object, int]) -> None:
    for resource, intervals in uses.items():
        if sizes[resource] == 1 and len(intervals) > 1:
            model.add_no_overlap(intervals)
        elif len(intervals) > sizes[resource]:
            model.add_cumulative(intervals, [1] * len(intervals), sizes[resource])
