"""Where a task may go at all: what the unary rules leave of each day, location and shift (:mod:`solver.state.unary`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from scheduling.clinic import Service
from scheduling.people import Shift
from scheduling.requests import Current, CurrentGroup, Link
from scheduling.rules import Rule
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.rules.stability import is_begun
from scheduling.scenario import Scenario
from solver.state.tasks import Key, Needs, Task, get_needs, list_tasks, visit_key
from solver.state.unary import (
    ANY,
    PLACE_DOMAINS,
    PRESENCE_DOMAINS,
    PROVIDER_DOMAINS,
    TASK_DOMAINS,
    TEAM_DOMAINS,
    closed_room_starts,
    get_current,
    only_start_at,
)


class ShiftId(NamedTuple):
    """A provider's shift, by its number in the file."""

    provider: str
    number: int

    def __str__(self) -> str:
        return f"{self.provider} shift {self.number}"


@dataclass(frozen=True, slots=True)
class Option:
    """One way to fill one seat of a task: in a shift, at a location, at any of the starts of the mask.

    A task whose service has no team has options with ``shift`` None and ``seat`` 0.
    """

    seat: int
    shift: ShiftId | None
    day: int
    location: str
    starts: int

    @property
    def provider(self) -> str | None:
        """Who fills the seat."""
        return None if self.shift is None else self.shift.provider


ReducedCosts = Mapping[Key, Mapping[Option, float]]
"""The reduced cost of each option of each task: its cost, and what it takes from others."""


class Domains:
    """The options of every task of a scenario, made once and asked by every part of the solver.

    Parameters
    ----------
    scenario
        What to plan.
    without
        Tasks that get no option.
    ignoring
        Rules that do not count: what would be possible without them.
    staying
        Tasks that have no option but where they stand.
    """

    def __init__(
        self,
        scenario: Scenario,
        without: Collection[Key] = (),
        ignoring: Collection[Rule] = (),
        staying: Collection[Key] = (),
    ) -> None:
        self.scenario = scenario
        self.without, self.staying = frozenset(without), frozenset(staying)
        self._ignored = ignored = {rule.__name__ for rule in ignoring}
        self._place_domains = [domain for domain in PLACE_DOMAINS if domain.__name__ not in ignored]
        self._provider_domains = [domain for domain in PROVIDER_DOMAINS if domain.__name__ not in ignored]
        self._presence_domains = [domain for domain in PRESENCE_DOMAINS if domain.__name__ not in ignored]
        self._task_domains = [domain for domain in TASK_DOMAINS if domain.__name__ not in ignored]
        self._team_domains = [domain for domain in TEAM_DOMAINS if domain.__name__ not in ignored]
        self.tasks = list_tasks(scenario)
        self._places: dict[tuple[Needs, int, str], int] = {}
        self._suitable: dict[tuple[str, str], tuple[str, ...]] = {}
        self._seats: dict[tuple[Needs, int | None], tuple[Option, ...]] = {}
        self._supervisors: dict[Needs, Mapping[tuple[int, str], Sequence[Option]]] = {}
        self._closed_rooms = {time.room for time in scenario.clinic.closures if "closure" not in ignored} - {None}
        self._by_place: dict[Key, Sequence[tuple[tuple[int, str], Sequence[Sequence[Option]]]]] = {}

    @cached_property
    def options(self) -> Mapping[Key, Sequence[Option]]:
        """The options of each task: one for each seat, shift and location that has a start."""
        return {task.key: self.options_of(task) for task in self.tasks}

    def options_of(self, task: Task) -> tuple[Option, ...]:
        """Return the options of one task; none when some seat has none."""
        options = () if task.key in self.without else tuple(self._options(task))
        seats = max(1, len(task.service.team))
        return options if len({option.seat for option in options}) == seats else ()

    def options_for(self, key: Key) -> Sequence[Option]:
        """Return a task's options, without making those of all others."""
        return self.options[key] if "options" in self.__dict__ else self.options_of(self.by_key[key])

    def places(self, key: Key) -> Sequence[tuple[tuple[int, str], Sequence[Sequence[Option]]]]:
        """Return a task's options by day and location, then by seat; only where every seat can be filled."""
        if key not in self._by_place:
            by_place: dict[tuple[int, str], list[list[Option]]] = {}
            seats = max(1, len(self.by_key[key].service.team))
            for option in self.options_for(key):
                place = by_place.setdefault((option.day, option.location), [[] for _ in range(seats)])
                place[option.seat].append(option)
            self._by_place[key] = [(place, options) for place, options in by_place.items() if all(options)]
        return self._by_place[key]

    @cached_property
    def links(self) -> Mapping[Key, Sequence[Link]]:
        """The links of each visit that has any, in the order of the file."""
        links: dict[Key, list[Link]] = defaultdict(list)
        for link in self.scenario.links:
            links[visit_key(link.before)].append(link)
            links[visit_key(link.after)].append(link)
        return dict(links)

    def get_linked(self, key: Key) -> set[Key]:
        """Return the visits that a visit is linked to, directly or not, itself included."""
        linked, waiting = {key}, [key]
        while waiting:
            for link in self.links.get(waiting.pop(), ()):
                for other in (visit_key(link.before), visit_key(link.after)):
                    if other not in linked:
                        linked.add(other)
                        waiting.append(other)
        return linked

    @cached_property
    def by_key(self) -> Mapping[Key, Task]:
        """Tasks by name."""
        return {task.key: task for task in self.tasks}

    def service(self, key: Key) -> Service:
        """Return a task's service."""
        return self.by_key[key].service

    def shift(self, shift: ShiftId) -> Shift:
        """Return a shift."""
        return self.scenario.providers_by_id[shift.provider].shifts[shift.number]

    def suitable_rooms(self, service: Service, location: str) -> tuple[str, ...]:
        """Return the rooms at a location that suit a service, plain ones before richer ones; none when it needs none."""
        key = (service.id, location)
        if key not in self._suitable:
            need, rooms = service.room, self.scenario.clinic.rooms
            fits = [room for room in rooms if need is not None and room.location == location and need.suits(room)]
            fits.sort(key=lambda room: (len(room.features), room.seats))
            self._suitable[key] = tuple(room.id for room in fits)
        return self._suitable[key]

    def room_starts(self, service: Service, room: str, day: int) -> int:
        """Return the starts of a service on a date at which a room is not closed, whatever else is in it."""
        if room not in self._closed_rooms:
            return ANY
        return ~closed_room_starts(self.scenario, service, room, self.scenario.grid.date(day))

    def get_begun(self, task: Task) -> Current | CurrentGroup | None:
        """Return where a task stands that has begun, known with its supervisors: just so, or not at all; None for others."""
        current = get_current(task)
        return current if current is not None and self._has_begun(current) else None

    def _has_begun(self, current: Current | CurrentGroup) -> bool:
        return is_begun(self.scenario, current) and "begun" not in self._ignored

    def list_members(self, task: Task) -> tuple[str, ...]:
        """Return who may attend a group: its candidates, and those who attend a session that has begun."""
        if task.group is None:
            return ()
        begun = self.get_begun(task)
        attending = begun.attendees if isinstance(begun, CurrentGroup) else ()
        return tuple(dict.fromkeys((*(candidate.patient for candidate in task.group.candidates), *attending)))

    def list_patients(self, task: Task) -> tuple[str, ...]:
        """Return whom a task may keep: a visit's patient, or whoever may attend a group; nobody for a hold."""
        return self.list_members(task) if task.patient is None else (task.patient,)

    def rooms_of(self, task: Task, location: str) -> tuple[str, ...]:
        """Return the rooms at a location that suit a task: where it has begun or is pinned, at most that one."""
        suitable = self.suitable_rooms(task.service, location)
        place = self.get_begun(task) or (None if task.visit is None else task.visit.pinned)
        return suitable if place is None else tuple(room for room in suitable if room == place.room)

    def binds(self, shift: ShiftId, location: str) -> bool:
        """Return whether an item at a location asks for the shift to be spent there: not where it may be besides."""
        return shift.number < 0 or location not in self.shift(shift).also

    def binding_locations(self, shift: ShiftId) -> tuple[str, ...]:
        """Return the locations of which one is to be chosen for a shift, as far as any item asks for it."""
        times = self.shift(shift)
        return tuple(location for location in times.locations if location not in times.also)

    @cached_property
    def roaming(self) -> frozenset[tuple[str, int]]:
        """The providers and days on which some shift may have items beside its chosen location."""
        return frozenset(
            (provider.id, self.scenario.grid.day_index(shift.start.date()))
            for provider in self.scenario.providers
            for shift in provider.shifts
            if shift.also
        )

    @cached_property
    def _reachable(self) -> Mapping[str, frozenset[str]]:
        """The locations at which each provider may have items at all."""
        return {
            provider.id: frozenset(location for shift in provider.shifts for location in shift.reachable_locations)
            for provider in self.scenario.providers
        }

    def place(self, service: Service, day: int, location: str) -> int:
        """Return the starts of a service on a date at a location, whoever gives it and receives it."""
        key = (get_needs(service), day, location)
        if key not in self._places:
            mask = ANY
            for domain in self._place_domains:
                mask &= domain(self.scenario, service, self.scenario.grid.date(day), location)
            self._places[key] = mask
        return self._places[key]

    def seat(self, service: Service, seat: int | None) -> tuple[Option, ...]:
        """Return the options of a seat of a service, whoever receives it; ``seat`` None: to supervise it."""
        key = (get_needs(service), seat)
        if key not in self._seats:
            self._seats[key] = tuple(self._seat_options(service, seat))
        return self._seats[key]

    def list_supervisors(self, service: Service, day: int, location: str) -> Sequence[Option]:
        """Return the options to supervise a service on a date at a location: nobody who is a trainee."""
        needs = get_needs(service)
        if needs not in self._supervisors:
            by_place: dict[tuple[int, str], list[Option]] = defaultdict(list)
            for option in self.seat(service, None):
                if not self.scenario.providers_by_id[option.provider or ""].trainee:
                    by_place[option.day, option.location].append(option)
            self._supervisors[needs] = dict(by_place)
        return self._supervisors[needs].get((day, location), ())

    def _seat_options(self, service: Service, seat: int | None) -> Iterator[Option]:
        if not service.team:
            for day in range(self.scenario.grid.days):
                for location in service.locations:
                    if starts := self.place(service, day, location):
                        yield Option(0, None, day, location, starts)
            return
        wanted = None if seat is None else service.team[seat]
        for provider in self.scenario.providers:
            if service.attention > FULL_ATTENTION and not provider.trainee:
                continue
            if "service_location" not in self._ignored and self._reachable[provider.id].isdisjoint(service.locations):
                continue
            for number, shift in enumerate(provider.shifts):
                mask, day = ANY, self.scenario.grid.day_index(shift.start.date())
                for domain in self._provider_domains:
                    mask &= domain(self.scenario, service, wanted, provider, shift) if mask else 0
                for location in shift.reachable_locations if mask else ():
                    starts = mask & self.place(service, day, location)
                    for presence in self._presence_domains if starts else ():
                        starts &= presence(self.scenario, service, provider, shift, location)
                    if starts:
                        yield Option(seat or 0, ShiftId(provider.id, number), day, location, starts)

    def _options(self, task: Task) -> Iterator[Option]:
        allowed: dict[tuple[int, str], int] = {}
        pinned = task.visit is not None and task.visit.pinned is not None
        special = self.scenario.now is not None or pinned or task.key in self.staying
        for seat in range(max(1, len(task.service.team))):
            for option in self.seat(task.service, seat):
                place = (option.day, option.location)
                if place not in allowed:
                    allowed[place] = self._task_mask(task, *place)
                if starts := option.starts & allowed[place]:
                    if special:
                        starts = self._team_mask(task, option, starts)
                    if starts:
                        yield option if starts == option.starts else replace(option, starts=starts)

    def _task_mask(self, task: Task, day: int, location: str) -> int:
        mask, on = ANY, self.scenario.grid.date(day)
        for domain in self._task_domains:
            mask &= domain(self.scenario, task, on, location)
            if not mask:
                break
        return mask

    def _team_mask(self, task: Task, option: Option, starts: int) -> int:
        on = self.scenario.grid.date(option.day)
        for domain in self._team_domains:
            starts &= domain(self.scenario, task, option.seat, option.provider, on, option.location)
        if task.key in self.staying and (current := get_current(task)) is not None:
            starts &= only_start_at(self.scenario, task, current, option.seat, option.provider, on, option.location)
        return starts
