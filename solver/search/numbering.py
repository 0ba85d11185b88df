"""The numbers of everything that the compiled search knows, and the lists of numbers that its tables refer to."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain

import numpy as np

from scheduling.clinic import Service
from scheduling.rules.providers import FULL_ATTENTION
from solver.search.kernel.layout import Ints
from solver.state.domains import Domains, ShiftId

NEVER = 2**30
"""Stands for no limit, and is the most that any number here can be."""


class Numbering:
    """A row for every task, shift, provider's day and patient, a number for every resource and location, and lists."""

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self.scenario = scenario = domains.scenario
        self.grid = scenario.grid
        self._lists: list[int] = []
        self._listed: dict[Hashable, tuple[int, int]] = {}
        self._locations = {location: number for number, location in enumerate(scenario.locations)}
        self._providers = {provider.id: number for number, provider in enumerate(scenario.providers)}
        self._resources = self._number_resources()
        self._number_rows()

    def _number_resources(self) -> dict[Hashable, int]:
        """Number everything that can be taken; the lists begin with the capacities."""
        clinic, resources = self.scenario.clinic, dict[Hashable, int]()
        needed = [*clinic.services, *(task.service for task in self.domains.tasks)]
        devices = sorted({device for service in needed for device in service.equipment})

        def add(name: Hashable, capacity: int) -> None:
            resources[name] = len(self._lists)
            self._lists.append(min(capacity, 100))

        for provider in self.scenario.providers:
            add(("team", provider.id), 1)
            if not provider.trainee:
                add(("attention", provider.id), FULL_ATTENTION)
        for room in clinic.rooms:
            add(("room", room.id), 1)
        for location in self._locations:
            add(("bays", location), self.scenario.bays(location))
            for device in devices:
                add(("device", device, location), self.scenario.equipment_units(device, location))
        for name in sorted({name for name, _ in self.domains.roaming}):
            for location in self._locations:
                add(("at", name, location), 1)
        self._room_of = {number: name[1] for name, number in resources.items() if isinstance(name, tuple) and name[0] == "room"}
        return resources

    def _number_rows(self) -> None:
        """Give every task, shift, provider's day, patient, link and candidate a row; row 0 holds the settings."""
        self.first_task = row = 1
        self.task_rows = {task.key: row + i for i, task in enumerate(self.domains.tasks)}
        row += len(self.task_rows)
        shifts = [ShiftId(p.id, number) for p in self.scenario.providers for number in range(len(p.shifts))]
        self.shift_rows = {shift: row + i for i, shift in enumerate(shifts)}
        self._shift_of = {number: shift for shift, number in self.shift_rows.items()}
        self._first_shift = row
        row += len(shifts)
        self._day_row = {
            (p, day): row + n * self.grid.days + day for p, n in self._providers.items() for day in range(self.grid.days)
        }
        row += len(self._day_row)
        self._patient_rows = {patient.id: row + i for i, patient in enumerate(self.scenario.patients)}
        self._rest = row + len(self._patient_rows)

    def _list(self, name: Hashable, values: Iterable[int] | Callable[[], Iterable[int]]) -> tuple[int, int]:
        """Return where a list begins and ends; it is made once for each name."""
        if name not in self._listed:
            made = list(values() if callable(values) else values)
            self._listed[name] = (len(self._lists), len(self._lists) + len(made))
            self._lists.extend(made)
        return self._listed[name]

    def _slots(self, minutes: int) -> int:
        return self.grid.count_slots(minutes)

    def _uses(self, service: Service, location: str, team: Sequence[str], patients: int = 1) -> list[int]:
        """Return what an item takes, room and supervisor apart: resource, first slot, slot after the last, units."""
        length, people = self._slots(service.minutes), self.scenario.providers_by_id
        uses: list[int] = []
        for provider in team:
            uses += [self._resources["team", provider], 0, length, 1]
        for provider in team:
            if service.attention and not people[provider].trainee:
                uses += [self._resources["attention", provider], 0, length, service.attention]
        for device in service.equipment:
            uses += [self._resources["device", device, location], 0, length, 1]
        if service.recovery:
            first, last = service.minutes // self.grid.grid_minutes, self._slots(service.minutes + service.recovery)
            uses += [self._resources["bays", location], first, last, patients]
        return uses


def pad(rows: Sequence[Sequence[int]], width: int) -> Ints:
    """Return rows of numbers as one table, filled up with 0."""
    table = np.zeros((len(rows), width), dtype=np.int32)
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    values = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
    table[np.arange(width) < lengths[:, None]] = np.clip(values, -NEVER, NEVER)
    return table
