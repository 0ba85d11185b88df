"""The starts that what is placed leaves to one more task, as masks: rooms, devices, bays, patients, links and people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product

from scheduling.requests import Link
from scheduling.rules import Rule, patients, places, providers, requests
from scheduling.rules.providers import FULL_ATTENTION
from solver.state.domains import Domains, Option, ShiftId
from solver.state.holdings import runs
from solver.state.placements import Placement
from solver.state.pricing import PricedHoldings
from solver.state.tasks import Key, Needs, Task, get_needs
from solver.state.unary import ANY


class FreeStarts(PricedHoldings):
    """Holdings that know which starts they leave free.

    Attributes
    ----------
    ignoring
        Rules that are not kept.
    shift_at
        Where shifts with several locations are to be spent.
    """

    def __init__(self, domains: Domains, ignoring: Collection[Rule] = ()) -> None:
        super().__init__(domains)
        self.ignoring = frozenset(ignoring)
        self.shift_at: Mapping[ShiftId, str] = {}
        self.links = domains.links
        self._open_at: dict[tuple[int, str], dict[Needs, int]] = {}
        self._free_on: dict[tuple[str, int], dict[tuple[int, int], int]] = {}
        self._nearby: dict[ShiftId, list[tuple[ShiftId, float, bool]]] = {}

    def _change(self, key: Key, placement: Placement, take: bool) -> None:
        self._open_at.pop((placement.day, placement.location), None)
        for shift in (*placement.team, *placement.supervisors):
            self._free_on.pop((shift.provider, placement.day), None)
        super()._change(key, placement, take)

    def _open_starts(self, task: Task, day: int, location: str, free: Collection[Key] = ()) -> int:
        """Return the starts that rooms, equipment, bays, the patient and links leave open."""
        cached = self._open_at.setdefault((day, location), {})
        is_bound = (task.visit is not None and task.visit.pinned is not None) or self.domains.get_begun(task) is not None
        needs = get_needs(task.service)
        if is_bound or needs not in cached:
            starts = self._service_starts(task, day, location)
            if not is_bound:
                cached[needs] = starts
        else:
            starts = cached[needs]
        if (
            starts
            and task.patient is not None
            and self._patient[task.patient]
            and patients.patient_overlap not in self.ignoring
        ):
            starts &= self._patient_starts(task, task.patient, day, location)
        for link in self.links.get(task.key, ()) if starts and requests.link not in self.ignoring else ():
            if ("visit", link.after if task.id == link.before else link.before) not in free:
                starts &= self._linked_starts(task, link, day, location)
        return starts

    def _service_starts(self, task: Task, day: int, location: str) -> int:
        """Return the starts that rooms, equipment and bays leave open to a service."""
        service, grid = task.service, self.scenario.grid
        length, starts = grid.count_slots(service.minutes), (1 << self.scenario.grid.slots_per_day) - 1
        if service.room is not None and places.room not in self.ignoring:
            cleaned = grid.count_slots(service.minutes + service.turnover)
            open_rooms = 0
            for room in self.domains.rooms_of(task, location):
                shared = places.room_overlap in self.ignoring
                free = ANY if shared else runs(self._levels(("room", room, day), 1).free(1), cleaned)
                open_rooms |= free & self.domains.room_starts(service, room, day)
            starts &= open_rooms
        for device in service.equipment if places.equipment not in self.ignoring else ():
            starts &= runs(self._equipment(device, location, day).free(1), length)
        if service.recovery and starts and places.recovery not in self.ignoring:
            first, last = service.minutes // grid.grid_minutes, grid.count_slots(service.minutes + service.recovery)
            starts &= runs(self._bays(location, day).free(1), last - first) >> first
        return starts

    def _patient_starts(self, task: Task, patient: str, day: int, location: str) -> int:
        starts, grid = -1, self.scenario.grid
        mine = task.service.minutes + task.service.recovery
        for key in self._patient[patient]:
            other = self.placements[key]
            if key == task.key or other.day != day:
                continue
            service = self.domains.service(key)
            is_ignored = patients.patient_travel in self.ignoring
            travel = 0 if is_ignored else self.scenario.travel_minutes(location, other.location)
            begin = other.slot * grid.grid_minutes
            starts &= ~grid.meeting(begin - travel, begin + service.minutes + service.recovery + travel, 0, mine)
        return starts

    def _linked_starts(self, task: Task, link: Link, day: int, location: str) -> int:
        """Return the starts that a link leaves to one of its visits, its other visit being where it is."""
        leads = task.id == link.before
        other = self.placements.get(("visit", link.after if leads else link.before))
        if other is None:
            return -1 if leads else 0
        days = other.day - day if leads else day - other.day
        if link.any_order:
            days = abs(days)
        if days < link.min_days or (link.max_days is not None and days > link.max_days):
            return 0
        if link.same_location and location != other.location:
            return 0
        if days:
            return -1
        before = self._gap_starts(task, link, other.slot, leads=True) if leads or link.any_order else 0
        after = self._gap_starts(task, link, other.slot, leads=False) if not leads or link.any_order else 0
        return before | after

    def _gap_starts(self, task: Task, link: Link, other_slot: int, leads: bool) -> int:
        """Return the starts that a link's gap leaves on the date of its other visit, before that (``leads``) or after it."""
        grid, most = self.scenario.grid, link.max_gap_minutes
        begin = other_slot * grid.grid_minutes
        if leads:
            latest = begin - link.min_gap_minutes - task.service.minutes
            earliest = 0 if most is None else begin - most - task.service.minutes
        else:
            ends = begin + self.domains.service(("visit", link.after if task.id == link.before else link.before)).minutes
            earliest, latest = ends + link.min_gap_minutes, 10**6 if most is None else ends + most
        return grid.starts(earliest, latest, 0)

    def _shift_starts(self, shift: ShiftId, location: str, minutes: int) -> int:
        """Return the starts that a shift's location leaves to an item there, and travel from and to the day's other items."""
        taken, starts = self._shift_at.get(shift), ANY
        is_elsewhere = self.shift_at.get(shift, location) != location or (taken and taken[0] != location)
        if is_elsewhere and self.domains.binds(shift, location):
            return 0
        if providers.travel in self.ignoring:
            return starts
        day = self.scenario.grid.day_index(self.domains.shift(shift).start.date())
        if (shift.provider, day) in self.domains.roaming:
            return self._roaming_starts(shift.provider, day, location, minutes)
        for other, gap, leads in self._nearby_shifts(shift):
            there = self._shift_at.get(other)
            if there and there[0] != location and gap < (needed := self.scenario.travel_minutes(there[0], location)):
                starts &= self._travel_starts(other, needed, minutes, leads)
        return starts

    def _roaming_starts(self, provider: str, day: int, location: str, minutes: int) -> int:
        """Return the starts that leave time to travel from and to each commitment of a provider's day elsewhere."""
        starts, grid = ANY, self.scenario.grid
        for key in self._roaming.get((provider, day), ()):
            other = self.placements[key]
            if other.location != location:
                needed, begin = self.scenario.travel_minutes(location, other.location), other.slot * grid.grid_minutes
                ends = begin + self.domains.service(key).minutes
                starts &= ~grid.meeting(begin - needed, ends + needed, 0, minutes)
        return starts

    def _nearby_shifts(self, shift: ShiftId) -> Sequence[tuple[ShiftId, float, bool]]:
        """Return the day's other shifts that may be too near to travel, the minutes between, and whether they are later."""
        if shift not in self._nearby:
            mine, near = self.domains.shift(shift), []
            for number, other in enumerate(self.scenario.providers_by_id[shift.provider].shifts):
                first, second = sorted((mine, other), key=lambda times: times.start)
                gap = (second.start - first.end).total_seconds() / 60
                longest = max(
                    (self.scenario.travel_minutes(*ends) for ends in product(mine.locations, other.locations)), default=0
                )
                if other is not mine and other.start.date() == mine.start.date() and gap < longest:
                    near.append((ShiftId(shift.provider, number), gap, first is mine))
            self._nearby[shift] = near
        return self._nearby[shift]

    def _travel_starts(self, other: ShiftId, needed: int, minutes: int, leads: bool) -> int:
        """Return the starts of an item that leave time to travel from what is placed on another shift, or to it."""
        grid = self.scenario.grid
        held = [(key, place) for key, place in self.placements.items() if other in (*place.team, *place.supervisors)]
        begins = [place.slot * grid.grid_minutes for _, place in held]
        if leads:
            return grid.starts(0, min(begins) - needed, minutes)
        ends = (begin + self.domains.service(key).minutes for begin, (key, _) in zip(begins, held, strict=True))
        return grid.starts(max(ends) + needed, 10**6, 0)

    def _member_starts(self, option: Option, task: Task, length: int) -> int:
        shift, service = option.shift, task.service
        assert shift is not None
        here = ANY if providers.shift in self.ignoring else self._shift_starts(shift, option.location, service.minutes)
        if not here:
            return 0
        cached = self._free_on.setdefault((shift.provider, option.day), {})
        key = (service.minutes, service.attention)
        if key not in cached:
            cached[key] = self._provider_starts(shift.provider, option.day, service.minutes, service.attention, length)
        return cached[key] & here

    def _provider_starts(self, name: str, day: int, minutes: int, attention: int, length: int) -> int:
        """Return the starts at which a provider could take on a task, wherever it is."""
        provider = self.scenario.providers_by_id[name]
        within = self._minutes[name, day] + minutes <= provider.max_minutes_per_day
        if not within and providers.daily_limit not in self.ignoring:
            return 0
        free = -1 if providers.provider_overlap in self.ignoring else self._levels(("team", name, day), 1).free(1)
        if not provider.trainee and providers.attention not in self.ignoring:
            free &= self._levels(("attention", name, day), FULL_ATTENTION).free(attention)
        return runs(free, length)

    def _supervisor_starts(self, option: Option, task: Task, length: int) -> int:
        shift = option.shift
        if providers.attention in self.ignoring:
            return -1
        if shift is None or not (here := self._shift_starts(shift, option.location, task.service.minutes)):
            return 0
        attention = self._levels(("attention", shift.provider, option.day), FULL_ATTENTION)
        return runs(attention.free(task.service.attention), length) & here
