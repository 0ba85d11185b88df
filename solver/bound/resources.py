"""What the master's columns use of shifts, rooms, equipment, bays and supervisors, in minutes, and the rows that bound it.

Rows keep: shift minutes, at one location (exact times where :mod:`solver.bound.timelines` has them); daily minutes; room
minutes with cleaning, for each nested set of rooms; equipment and recovery minutes; attention minutes of supervisors.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scheduling.clinic import Service
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.timegrid import minute_of_day
from solver.bound.relaxation import LinearProgram
from solver.bound.timelines import Timelines
from solver.bound.windows import Window, find_supervisors, shift_order
from solver.model.scarcity import chvatal_gomory_rows
from solver.state.domains import Domains, ShiftId
from solver.state.tasks import Task

Place = tuple[int, int, str]
"""A day, a session of it, and a location."""


@dataclass(frozen=True, slots=True)
class InShift:
    """Minutes of a shift spent at a location, in teams."""

    shift: ShiftId
    location: str


@dataclass(frozen=True, slots=True)
class OwnAttention:
    """Attention minutes of a shift for own work; ``whole``: minutes in which own work takes any attention."""

    shift: ShiftId
    location: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Supervised:
    """Attention minutes that trainees in a seat ask of a set of shifts; ``whole``: minutes that take all attention."""

    place: Place
    supervisors: frozenset[ShiftId]
    service: str
    seat: int
    whole: bool


@dataclass(frozen=True, slots=True)
class InRoom:
    """Minutes, cleaning included, in any of a set of rooms; the cleaning may go on after the session."""

    place: Place
    rooms: frozenset[str]
    cleaning: int


@dataclass(frozen=True, slots=True)
class WithDevice:
    """Minutes of a pool of equipment."""

    place: Place
    device: str


@dataclass(frozen=True, slots=True)
class InRecovery:
    """Minutes of recovery bays, after an item of some minutes."""

    place: Place
    after: int


Resource = InShift | OwnAttention | Supervised | InRoom | WithDevice | InRecovery


@dataclass(frozen=True, slots=True)
class Use:
    """The columns that use a resource, and how many minutes of it each takes."""

    columns: list[int] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)


class Resources:
    """The uses of every resource, gathered column by column."""

    def __init__(
        self,
        domains: Domains,
        program: LinearProgram,
        sessions: Mapping[int, Sequence[tuple[int, int]]],
        windows: Mapping[ShiftId, Window],
        shift_at: Mapping[tuple[ShiftId, str], int],
    ) -> None:
        self.domains = domains
        self.scenario = domains.scenario
        self.program = program
        self.sessions = sessions
        self.windows = windows
        self.shift_at = shift_at
        self.timelines = Timelines(domains, program, windows, shift_at)
        self._uses: dict[Resource, Use] = defaultdict(Use)

    def minutes(self, shift: ShiftId, location: str) -> Use:
        """Return what is used of a shift's minutes at a location."""
        return self._uses.get(InShift(shift, location), Use())

    # --- uses --------------------------------------------------------------------------------------------------------

    def use_provider(self, column: int, service: Service, seat: int, shift: ShiftId, location: str, starts: int) -> None:
        """Let a column stand for somebody in a seat of a service, at a location, at one of some starts."""
        window = self.windows[shift]
        self._use(InShift(shift, location), column, service.minutes)
        self.timelines.use(column, service, seat, shift, location, starts)
        if not window.trainee:
            self._use(OwnAttention(shift, location, False), column, service.minutes * service.attention)
            if service.attention:
                self._use(OwnAttention(shift, location, True), column, service.minutes)
            return
        watching = find_supervisors(self.domains, self.windows, service, seat, shift, location)
        place = (window.day, window.session, location)
        self._use(Supervised(place, watching, service.id, seat, False), column, service.minutes * service.attention)
        if service.attention == FULL_ATTENTION:
            self._use(Supervised(place, watching, service.id, seat, True), column, service.minutes)

    def use_place(self, column: int, task: Task, place: Place) -> None:
        """Let a column stand for a task in a session at a location."""
        service = task.service
        if service.room is not None:
            rooms = frozenset(self.domains.suitable_rooms(service, place[2]))
            self._use(InRoom(place, rooms, service.turnover), column, service.minutes + service.turnover)
        for device in service.equipment:
            self._use(WithDevice(place, device), column, service.minutes)
        if service.recovery and task.group is None:
            self._use(InRecovery(place, service.minutes), column, service.recovery)

    def _use(self, resource: Resource, column: int, amount: int) -> None:
        use = self._uses[resource]
        use.columns.append(column)
        use.amounts.append(amount)

    def _gathered(self, resources: Iterable[Resource]) -> Use:
        gathered = Use()
        for resource in resources:
            if resource in self._uses:
                gathered.columns.extend(self._uses[resource].columns)
                gathered.amounts.extend(self._uses[resource].amounts)
        return gathered

    # --- rows --------------------------------------------------------------------------------------------------------

    def rows(self) -> None:
        """Add the rows of every resource."""
        rooms: dict[Place, set[InRoom]] = defaultdict(set)
        recovering: dict[Place, list[InRecovery]] = defaultdict(list)
        supervised: dict[Place, list[Supervised]] = defaultdict(list)
        for resource, use in self._uses.items():
            match resource:
                case InShift(shift, location):
                    self._shift_minutes(shift, location, use)
                case InRoom(place):
                    rooms[place].add(resource)
                case InRecovery(place):
                    recovering[place].append(resource)
                case Supervised(place):
                    supervised[place].append(resource)
                case WithDevice((day, session, location), device):
                    begin, end = self.sessions[day][session]
                    self._bound_units(use, self.scenario.equipment_units(device, location), end - begin)
        for place, in_rooms in rooms.items():
            self._room_minutes(place, in_rooms)
        for place, in_bays in recovering.items():
            self._recovery_minutes(place, in_bays)
        for place, asked in supervised.items():
            self._supervision(place, asked)
        self._daily_minutes()
        self.timelines.rows()

    def _shift_minutes(self, shift: ShiftId, location: str, use: Use) -> None:
        at = self.shift_at.get((shift, location))
        rows = () if self.timelines.replaces(shift) else chvatal_gomory_rows(use.amounts, self.windows[shift].free_minutes)
        for number, (weights, most) in enumerate(rows):
            add_row = self.program.add_refining_row if number else self.program.add_row
            if at is None:
                add_row(use.columns, weights, high=most)
            else:
                add_row([*use.columns, at], [*weights, -most], high=0)
        if at is not None:
            for column in use.columns:
                if self.program.uppers[column] == 1:
                    self.program.add_implication(column, [at])

    def _room_minutes(self, place: Place, in_rooms: set[InRoom]) -> None:
        """Bound the minutes, cleaning included, of the tasks that only a set of rooms suits, for each set in use."""
        begin, end = self.sessions[place[0]][place[1]]
        known = sorted(in_rooms, key=lambda resource: (sorted(resource.rooms), resource.cleaning))
        for suited in sorted({resource.rooms for resource in known}, key=sorted):
            inside = [resource for resource in known if resource.rooms <= suited]
            minutes = end - begin + max(resource.cleaning for resource in inside)
            self._bound_units(self._gathered(inside), len(suited), minutes)

    def _recovery_minutes(self, place: Place, in_bays: Sequence[InRecovery]) -> None:
        """Bound the minutes of bays: from the first end of an item until nobody recovers any more, or the location closes."""
        begin, end = self.sessions[place[0]][place[1]]
        use = self._gathered(in_bays)
        closes = minute_of_day(self.scenario.locations[place[2]].closes)
        first = begin + min(resource.after for resource in in_bays)
        self._bound_units(use, self.scenario.bays(place[2]), max(0, min(end + max(use.amounts), closes) - first))

    def _bound_units(self, use: Use, units: int, minutes: int) -> None:
        """Bound what uses any of some units that are alike, each of them free for some minutes."""
        for number, (weights, most) in enumerate(chvatal_gomory_rows(use.amounts, minutes)):
            add_row = self.program.add_refining_row if number else self.program.add_row
            add_row(use.columns, weights, high=units * most)

    def _supervision(self, place: Place, asked: Sequence[Supervised]) -> None:
        """Bound trainees' minutes by what their possible supervisors leave of their own.

        Two rows for each set of supervisors: attention minutes, at most 2 a minute; and minutes in which a supervisor can do
        nothing else, own work and supervised procedures, at most 1 a minute.
        """
        groups = {demand.supervisors: sorted(demand.supervisors, key=shift_order) for demand in asked}
        for group, shifts in sorted(groups.items(), key=lambda pair: [shift_order(shift) for shift in pair[1]]):
            for whole, most in ((False, FULL_ATTENTION), (True, 1)):
                row = self._watched([demand for demand in asked if demand.supervisors <= group and demand.whole == whole])
                if not row.columns:
                    continue
                own = self._gathered(OwnAttention(shift, place[2], whole) for shift in shifts)
                row.columns.extend(own.columns)
                row.amounts.extend(own.amounts)
                capacity = 0
                for shift in shifts:
                    free = most * self.windows[shift].free_minutes
                    if (shift, place[2]) in self.shift_at:
                        row.columns.append(self.shift_at[shift, place[2]])
                        row.amounts.append(-free)
                    else:
                        capacity += free
                self.program.add_row(row.columns, row.amounts, high=capacity)

    def _watched(self, asked: Sequence[Supervised]) -> Use:
        """Gather what trainees ask of one set of supervisors.

        One supervisor may watch the trainees of several seats of a visit at once, so each of these seats counts its share.
        """
        seats = Counter(demand.service for demand in asked)
        watched = Use()
        for demand in asked:
            watched.columns.extend(self._uses[demand].columns)
            watched.amounts.extend(amount // seats[demand.service] for amount in self._uses[demand].amounts)
        return watched

    def _daily_minutes(self) -> None:
        """Bound the minutes of each day, and of shifts whose items may lie at several locations."""
        for provider in self.scenario.providers:
            by_day: dict[int, list[ShiftId]] = defaultdict(list)
            for number in range(len(provider.shifts)):
                shift = ShiftId(provider.id, number)
                by_day[self.windows[shift].day].append(shift)
            for shifts in by_day.values():
                if sum(self.windows[shift].free_minutes for shift in shifts) > provider.max_minutes_per_day:
                    use = self._gathered(InShift(s, at) for s in shifts for at in self.windows[s].reachable)
                    self.program.add_row(use.columns, use.amounts, high=provider.max_minutes_per_day)
                for shift in shifts:
                    if self.windows[shift].beside:
                        use = self._gathered(InShift(shift, at) for at in self.windows[shift].reachable)
                        self.program.add_row(use.columns, use.amounts, high=self.windows[shift].free_minutes)
