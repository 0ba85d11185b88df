"""The variables of the exact model: how they are made, and asked for (:mod:`solver.model.solutions` hints and reads them).

For each task: whether it takes place, its start (an absolute slot), a literal for each way to fill a seat
(:class:`~solver.state.domains.Option`), for each possible supervisor, each kind of room, and each candidate of a group. Starts
are slots, intervals are minutes (``grid_minutes * slot``), so durations need not be multiples of the grid.

Interchangeable rooms are one kind with a count (:mod:`solver.model.room_kinds`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ortools.sat.python import cp_model, cp_model_helper

from scheduling.requests import Current, CurrentGroup
from scheduling.timegrid import get_first_slot
from solver.model.room_kinds import RoomKind, list_room_kinds
from solver.state.domains import Domains, Option, ShiftId
from solver.state.placements import Placement
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, start_mask

Literal = cp_model_helper.Literal
Interval = cp_model.IntervalVar


@dataclass(frozen=True, slots=True)
class OptionLiteral:
    """A literal that says that an option is taken."""

    option: Option
    literal: Literal


class Variables:
    """Every variable of one model, over some tasks of a scenario with the options that they may use.

    Parameters
    ----------
    model
        The model to make variables in.
    domains
        The scenario's tasks and options.
    options
        The tasks of this model and the options open to them; None: all of the scenario's.
    fixed
        Tasks that stay exactly where they are, as constants.
    notified_elsewhere
        Notified changes among the tasks that are not part of this model.
    worth
        What leaving out a visit costs here, when it may still be placed elsewhere.
    """

    def __init__(
        self,
        model: cp_model.CpModel,
        domains: Domains,
        options: Mapping[Key, Sequence[Option]] | None = None,
        fixed: Mapping[Key, Placement] | None = None,
        notified_elsewhere: int = 0,
        worth: Mapping[Key, int] | None = None,
    ) -> None:
        self.model = model
        self.domains = domains
        self.scenario = domains.scenario
        self.grid = self.scenario.grid
        self.fixed = dict(fixed or {})
        self._options = dict(domains.options if options is None else options)
        keys = self._options.keys() | self.fixed.keys()
        self.tasks: tuple[Task, ...] = tuple(task for task in domains.tasks if task.key in keys)
        self.true: Literal = model.new_constant(1)
        self.notified_elsewhere = notified_elsewhere
        self.worth = worth or {}
        self._present: dict[Key, Literal] = {}
        self._start: dict[Key, cp_model.IntVar] = {}
        self._seats: dict[Key, tuple[tuple[OptionLiteral, ...], ...]] = {}
        self._supervises: dict[Key, tuple[OptionLiteral, ...]] = {}
        self._places: dict[Key, dict[tuple[int, str], Literal]] = {}
        self._at: dict[Key, dict[str, Literal]] = {}
        self._rooms: dict[Key, dict[RoomKind, Literal]] = {}
        self._attends: dict[tuple[str, str], Literal] = {}
        self._attends_at: dict[tuple[str, str, int, str], Literal] = {}
        self._stays: dict[Key, Literal] = {}
        self._told: dict[tuple[str, str], Literal] = {}
        self._shift_at: dict[tuple[ShiftId, str], Literal] = {}
        self._intervals: dict[tuple[object, ...], Interval] = {}
        for task in self.tasks:
            if task.key in self.fixed:
                self._make_fixed(task, self.fixed[task.key])
            else:
                self._make(task, self._options[task.key])

    # --- queries -----------------------------------------------------------------------------------------------------

    def has(self, key: Key) -> bool:
        """Return whether a task is part of this model."""
        return key in self._present

    def is_free(self, key: Key) -> bool:
        """Return whether a task is part of this model and may change."""
        return key in self._present and key not in self.fixed

    def present(self, key: Key) -> Literal:
        """Return the literal that a task takes place."""
        return self._present[key]

    def start(self, key: Key) -> cp_model.IntVar:
        """Return a task's start, an absolute slot; without meaning when the task is left out."""
        return self._start[key]

    def start_minute(self, key: Key) -> cp_model.LinearExpr:
        """Return a task's start in minutes since the horizon's first midnight."""
        return self._start[key] * self.grid.grid_minutes

    def seats(self, key: Key) -> tuple[tuple[OptionLiteral, ...], ...]:
        """Return the ways to fill each seat of a task."""
        return self._seats[key]

    def seat(self, key: Key, seat: int) -> tuple[OptionLiteral, ...]:
        """Return the ways to fill a seat; seat 0 stands for the place of a task without a team."""
        return self._seats[key][seat]

    def team(self, key: Key) -> Iterator[OptionLiteral]:
        """Return the ways to fill any seat with a provider."""
        return (taken for seat in self._seats[key] for taken in seat if taken.option.shift is not None)

    def supervisors(self, key: Key) -> tuple[OptionLiteral, ...]:
        """Return the ways to supervise a task."""
        return self._supervises[key]

    def commitments(self, key: Key) -> Iterator[OptionLiteral]:
        """Return every way to be in a task's team or to supervise it."""
        yield from self.team(key)
        yield from self._supervises[key]

    def places(self, key: Key) -> Mapping[tuple[int, str], Literal]:
        """Return the literals of a task's possible days and locations."""
        return self._places[key]

    def locations(self, key: Key) -> Mapping[str, Literal]:
        """Return the literals of a task's possible locations."""
        return self._at[key]

    def days(self, key: Key) -> list[int]:
        """Return the days on which a task may be."""
        return sorted({day for day, _ in self._places[key]})

    def on_day(self, key: Key, day: int) -> list[Literal]:
        """Return the literals of which one holds when a task is on a day."""
        return [literal for (on, _), literal in self._places[key].items() if on == day]

    def day(self, key: Key) -> cp_model.LinearExpr:
        """Return a task's day, 0 when it is left out."""
        places = self._places[key]
        return cp_model.LinearExpr.weighted_sum(list(places.values()), [day for day, _ in places])

    def rooms(self, key: Key) -> Mapping[RoomKind, Literal]:
        """Return the literals of the kinds of room that a task may use."""
        return self._rooms[key]

    def members(self, task: Task) -> tuple[str, ...]:
        """Return who may attend a group, none of a visit or hold."""
        return self.domains.list_members(task)

    def attends(self, group: str, patient: str) -> Literal:
        """Return the literal that somebody who may attend a group does."""
        return self._attends[group, patient]

    def takes_part(self, task: Task, patient: str) -> Literal:
        """Return the literal that a task keeps a patient: their visit takes place, or they attend the group."""
        return self.present(task.key) if task.group is None else self.attends(task.id, patient)

    def stays(self, task: Task, patient: str) -> Iterator[tuple[int, str, Literal]]:
        """Yield the days and locations where a task may keep a patient, with the literals that it does."""
        for (day, location), here in self._places[task.key].items():
            if task.group is None:
                yield day, location, here
                continue
            name = (task.id, patient, day, location)
            if name not in self._attends_at:
                both = self._attends_at[name] = self.model.new_bool_var(
                    f"attends there: {patient} of {task.id} on day {day} at {location}"
                )
                self.model.add_bool_and([here, self.attends(task.id, patient)]).only_enforce_if(both)
                self.model.add_bool_or([both, here.negated(), self.attends(task.id, patient).negated()])
            yield day, location, self._attends_at[name]

    def unchanged(self, task: Task) -> Literal:
        """Return a literal that may hold only when a visit has its current start, location and team."""
        current = get_current(task)
        if current is None:
            return self.true.negated()
        if (literal := self._stays.get(task.key)) is None:
            literal = self._stays[task.key] = self.model.new_bool_var(f"stays: {task.kind} {task.id}")
            self._only_at(task.key, current, literal)
            for seat, member in enumerate(current.team):
                same = [t.literal for t in self.team(task.key) if (t.option.seat, t.option.provider) == (seat, member)]
                self.model.add_bool_or([*same, literal.negated()])
            if len(current.team) != len(task.service.team):
                self.model.add(literal == 0)
        return literal

    def attends_as_told(self, task: Task, patient: str) -> Literal:
        """Return a literal that may hold only when a candidate attends at the current start and location."""
        current = get_current(task)
        if current is None:
            return self.true.negated()
        if (literal := self._told.get((task.id, patient))) is None:
            literal = self._told[task.id, patient] = self.model.new_bool_var(f"attends as told: {patient} of {task.id}")
            self._only_at(task.key, current, literal)
            self.model.add_implication(literal, self.attends(task.id, patient))
        return literal

    def _only_at(self, key: Key, current: Current | CurrentGroup, literal: Literal) -> None:
        """Let a literal hold only at the current start and location."""
        day = self.grid.day_index(current.start.date())
        starts = start_mask(self.scenario, current.start)
        here = self._places[key].get((day, current.location))
        if here is None or not starts:
            self.model.add(literal == 0)
        else:
            self.model.add_implication(literal, here)
            self.starts_within(key, day, starts, [literal])

    def shift_at(self, shift: ShiftId, location: str) -> Literal:
        """Return the literal that a shift is spent at a location; constant for a shift with one location."""
        key = (shift, location)
        if key not in self._shift_at:
            single = len(self.domains.binding_locations(shift)) == 1
            self._shift_at[key] = self.true if single else self.model.new_bool_var(f"shift at: {shift} at {location}")
        return self._shift_at[key]

    def shift_locations(self) -> Mapping[tuple[ShiftId, str], Literal]:
        """Return the location literals of the shifts that have been asked for."""
        return self._shift_at

    def interval(self, key: Key, literal: Literal, first: int, last: int) -> Interval:
        """Return the optional interval ``[start + first, start + last)`` of a task, in minutes."""
        name = (key, literal.index, first, last)
        if name not in self._intervals:
            begin = self.start_minute(key) + first
            self._intervals[name] = self.model.new_optional_fixed_size_interval_var(
                begin, last - first, literal, f"takes: {key}"
            )
        return self._intervals[name]

    def starts_within(self, key: Key, day: int, starts: int, when: Sequence[Literal]) -> None:
        """Let a task start at one of a day's mask while all the literals hold."""
        within = self.model.add_linear_expression_in_domain(self._start[key], self.domain([(day, starts)]))
        within.only_enforce_if(when)

    def domain(self, days: Iterable[tuple[int, int]]) -> cp_model.Domain:
        """Return the absolute slots of some masks, each of one day."""
        intervals = []
        for day, starts in days:
            base, bit = day * self.grid.slots_per_day, 0
            while starts >> bit:
                bit += get_first_slot(starts >> bit)
                run = get_first_slot(~(starts >> bit))
                intervals.append([base + bit, base + bit + run - 1])
                bit += run
        return cp_model.Domain.from_intervals(intervals)

    # --- making ------------------------------------------------------------------------------------------------------

    def _make(self, task: Task, options: Sequence[Option]) -> None:
        key, seats = task.key, max(1, len(task.service.team))
        by_seat = [[option for option in options if option.seat == seat] for seat in range(seats)]
        if not all(by_seat):
            by_seat = [[] for _ in range(seats)]
        must = task.visit is not None and task.visit.pinned is not None
        present = self.true if must else self.model.new_bool_var(f"{task.kind} {task.id}")
        self._present[key] = present
        masks: dict[int, int] = defaultdict(int)
        for option in by_seat[0]:
            masks[option.day] |= option.starts
        domain = self.domain(masks.items()) if masks else cp_model.Domain(0, 0)
        self._start[key] = self.model.new_int_var_from_domain(domain, f"start: {task.kind} {task.id}")
        self._seats[key] = tuple(tuple(self._taken(key, option, len(ways)) for option in ways) for ways in by_seat)
        for ways in self._seats[key]:
            self.model.add_exactly_one([taken.literal for taken in ways] + [present.negated()])
            for taken in ways:
                if taken.option.starts != masks[taken.option.day] or len(masks) > 1:
                    self.starts_within(key, taken.option.day, taken.option.starts, [taken.literal])
        self._make_places(task)
        self._make_supervisors(task)
        self._make_rooms(task)
        if task.group is not None:
            for patient in self.members(task):
                self._attends[task.id, patient] = self.model.new_bool_var(f"attends: {patient} of {task.id}")

    def _taken(self, key: Key, option: Option, ways: int) -> OptionLiteral:
        if ways == 1:
            return OptionLiteral(option, self._present[key])
        return OptionLiteral(option, self.model.new_bool_var(f"takes: {key[0]} {key[1]} seat {option.seat}, {_name(option)}"))

    def _make_places(self, task: Task) -> None:
        key = task.key
        by_place: dict[tuple[int, str], list[Literal]] = defaultdict(list)
        by_location: dict[str, list[Literal]] = defaultdict(list)
        for taken in self._seats[key][0]:
            by_place[taken.option.day, taken.option.location].append(taken.literal)
        self._places[key] = {place: self._any(literals, f"at: {key} {place}") for place, literals in by_place.items()}
        for (_, location), literal in self._places[key].items():
            by_location[location].append(literal)
        self._at[key] = {at: self._any(literals, f"at: {key} {at}") for at, literals in by_location.items()}
        for ways in self._seats[key][1:]:
            for place in by_place.keys() | {(taken.option.day, taken.option.location) for taken in ways}:
                there = [taken.literal for taken in ways if (taken.option.day, taken.option.location) == place]
                self.model.add(cp_model.LinearExpr.sum(there) == self._places[key].get(place, 0))

    def _any(self, literals: Sequence[Literal], name: str) -> Literal:
        """Return a literal that equals the sum of literals of which at most one holds."""
        if len(literals) == 1:
            return literals[0]
        literal = self.model.new_bool_var(name)
        self.model.add(cp_model.LinearExpr.sum(list(literals)) == literal)
        return literal

    def _make_supervisors(self, task: Task) -> None:
        """Make a literal for each possible supervisor, where a trainee may fill a seat."""
        people = self.scenario.providers_by_id
        trainees = {
            (taken.option.day, taken.option.location)
            for taken in self.team(task.key)
            if taken.option.provider is not None and people[taken.option.provider].trainee
        }
        self._supervises[task.key] = tuple(
            OptionLiteral(option, self.model.new_bool_var(f"supervises: {task.kind} {task.id}, {_name(option)}"))
            for option in (self.domains.seat(task.service, None) if trainees else ())
            if (option.day, option.location) in trainees and option.provider and not people[option.provider].trainee
        )
        for taken in self._supervises[task.key]:
            self.starts_within(task.key, taken.option.day, taken.option.starts, [taken.literal])

    def _make_rooms(self, task: Task) -> None:
        """Make a literal for each kind of room, when there is more than one at a location; the rule ``room`` ties them."""
        self._rooms[task.key] = {}
        if task.service.room is None:
            return
        for location, here in self._at[task.key].items():
            suitable = self.domains.rooms_of(task, location)
            kinds = [kind for kind in self.room_kinds if kind.location == location and kind.rooms[0] in suitable]
            names = [f"room: {task.kind} {task.id} in {kind.rooms[0]}" for kind in kinds]
            literals = [here] if len(kinds) == 1 else [self.model.new_bool_var(name) for name in names]
            self._rooms[task.key] |= dict(zip(kinds, literals, strict=True))

    @cached_property
    def room_kinds(self) -> tuple[RoomKind, ...]:
        """The kinds of room."""
        return list_room_kinds(self.domains)

    def _make_fixed(self, task: Task, placement: Placement) -> None:
        """Make a task that stays where it is: constants throughout, but for the kind of its room."""
        key = task.key
        self._present[key] = self.true
        self._start[key] = self.model.new_constant(placement.day * self.grid.slots_per_day + placement.slot)
        options = placement.options(task)
        self._seats[key] = tuple((OptionLiteral(option, self.true),) for option in options)
        self._places[key] = {(placement.day, placement.location): self.true}
        self._at[key] = {placement.location: self.true}
        self._supervises[key] = tuple(OptionLiteral(option, self.true) for option in placement.supervision())
        self._make_rooms(task)
        if task.group is not None:
            for patient in self.members(task):
                attends = patient in placement.attendees
                self._attends[task.id, patient] = self.true if attends else self.true.negated()


def sum_literals(literals: Iterable[Literal]) -> cp_model.LinearExpr:
    """Return how many literals hold."""
    return cp_model.LinearExpr.sum(list(literals))


def _name(option: Option) -> str:
    """Return an option as the names of literals say it."""
    return f"{option.shift or 'nobody'} on day {option.day} at {option.location}"
