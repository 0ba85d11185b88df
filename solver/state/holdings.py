"""Holdings: where tasks are placed in an unfinished plan, and what they take, as masks of slots.

Every start is on the grid, so an item holds whole slots as far as any other start is concerned; only recovery, which may
begin between two slots, is rounded outwards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from scheduling.rules.providers import FULL_ATTENTION
from solver.state.domains import Domains, ShiftId
from solver.state.placement_costs import Stay, cost_of_stays
from solver.state.placements import Placement
from solver.state.tasks import Key, Task


class Levels:
    """The use of one resource with some units over one day: ``levels[k]`` are the slots in which more than ``k`` are used."""

    def __init__(self, units: int) -> None:
        self.levels = [0] * units
        self._held: list[tuple[int, int]] = []

    def free(self, demand: int) -> int:
        """Return the slots in which ``demand`` more units can be used."""
        units = len(self.levels)
        return 0 if demand > units else ~self.levels[units - demand] if demand else -1

    def take(self, slots: int, demand: int) -> None:
        """Use some units in some slots."""
        self._held.append((slots, demand))
        self._add(slots, demand)

    def release(self, slots: int, demand: int) -> None:
        """Undo a ``take``."""
        self._held.remove((slots, demand))
        self.levels = [0] * len(self.levels)
        for held, units in self._held:
            self._add(held, units)

    def _add(self, slots: int, demand: int) -> None:
        for _ in range(demand):
            for level in range(len(self.levels) - 1, 0, -1):
                self.levels[level] |= self.levels[level - 1] & slots
            self.levels[0] |= slots


def runs(free: int, length: int) -> int:
    """Return the slots from which ``length`` slots in a row are free."""
    done = 1
    while done < length:
        step = min(done, length - done)
        free &= free >> step
        done += step
    return free


class Holdings:
    """Placements of a scenario's tasks, with everything that they hold."""

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.placements: dict[Key, Placement] = {}
        self._held: dict[tuple[object, ...], Levels] = {}
        self._shift_at: dict[ShiftId, list[str]] = defaultdict(list)
        self._minutes: dict[tuple[str, int], int] = defaultdict(int)
        self._patient: dict[str, list[Key]] = defaultdict(list)
        self._roaming: dict[tuple[str, int], list[Key]] = defaultdict(list)

    def dates(self, patient: str) -> int:
        """Return the number of dates on which a patient comes."""
        return len({self.placements[key].day for key in self._patient[patient]})

    def location(self, shift: ShiftId) -> str | None:
        """Return where a shift is spent, None when nothing asks for a location."""
        places = self._shift_at.get(shift)
        return places[0] if places else None

    def cost_of_day(self, patient: str, day: int) -> int:
        """Return what the order of a patient's items of a day costs: waiting and journeys."""
        policy = self.scenario.policy
        if not policy.waiting and not policy.patient_site_change:
            return 0
        today = [key for key in self._patient[patient] if self.placements[key].day == day]
        return cost_of_stays(self.scenario, [self.stay(key) for key in today])

    def stay(self, key: Key) -> Stay:
        """Return when and where a placed task keeps its patient, recovery included."""
        placement, service = self.placements[key], self.domains.service(key)
        begin = placement.slot * self.scenario.grid.grid_minutes
        return begin, begin + service.minutes + service.recovery, placement.location

    def commitments(self, provider: str, day: int) -> list[Stay]:
        """Return the items of a provider's day in their order, where some shift of it has items beside its location."""
        return sorted(self.stay(key) for key in self._roaming[provider, day])

    def put(self, key: Key, placement: Placement) -> None:
        """Place a task; nothing is checked."""
        self._change(key, placement, take=True)
        self.placements[key] = placement

    def remove(self, key: Key) -> Placement:
        """Take a task out, and return where it was."""
        placement = self.placements.pop(key)
        self._change(key, placement, take=False)
        return placement

    def _change(self, key: Key, placement: Placement, take: bool) -> None:
        task = self.domains.by_key[key]
        for levels, slots, demand in self._uses(task, placement):
            (levels.take if take else levels.release)(slots, demand)
        for shift in (*placement.team, *placement.supervisors):
            if self.domains.binds(shift, placement.location):
                (self._shift_at[shift].append if take else self._shift_at[shift].remove)(placement.location)
            if (name := (shift.provider, placement.day)) in self.domains.roaming:
                (self._roaming[name].append if take else self._roaming[name].remove)(key)
        for shift in placement.team:
            self._minutes[shift.provider, placement.day] += task.service.minutes if take else -task.service.minutes
        for patient in placement.patients(task):
            (self._patient[patient].append if take else self._patient[patient].remove)(key)

    def _uses(self, task: Task, placement: Placement) -> Iterator[tuple[Levels, int, int]]:
        service, day, location = task.service, placement.day, placement.location
        running = self._slots(placement.slot, 0, service.minutes)
        for shift in placement.team:
            yield self._levels(("team", shift.provider, day), 1), running, 1
        for shift in (*placement.team, *placement.supervisors):
            yield self._levels(("attention", shift.provider, day), FULL_ATTENTION), running, service.attention
        if placement.room is not None:
            cleaned = self._slots(placement.slot, 0, service.minutes + service.turnover)
            yield self._levels(("room", placement.room, day), 1), cleaned, 1
        for device in service.equipment:
            yield self._equipment(device, location, day), running, 1
        if service.recovery:
            lying = self._slots(placement.slot, service.minutes, service.minutes + service.recovery)
            yield self._bays(location, day), lying, len(placement.attendees) if task.group else 1

    def _levels(self, resource: tuple[object, ...], units: int) -> Levels:
        if resource not in self._held:
            self._held[resource] = Levels(units)
        return self._held[resource]

    def _equipment(self, device: str, location: str, day: int) -> Levels:
        return self._levels(("equipment", device, location, day), self.scenario.equipment_units(device, location))

    def _bays(self, location: str, day: int) -> Levels:
        return self._levels(("bays", location, day), self.scenario.bays(location))

    def _slots(self, slot: int, first_minute: int, last_minute: int) -> int:
        """Return the slots that ``[first, last)`` minutes after a start touch."""
        grid = self.scenario.grid.grid_minutes
        return ((1 << self.scenario.grid.count_slots(last_minute)) - (1 << (first_minute // grid))) << slot
