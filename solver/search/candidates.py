"""The candidates of tasks: each way to place one, with what it costs the task and what it takes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache, partial
from itertools import product
from math import prod
from operator import itemgetter

import numpy as np

from scheduling.clinic import Service
from scheduling.requests import Current, CurrentGroup
from scheduling.timegrid import iterate_slots
from solver.search.kernel import layout
from solver.search.kernel.layout import Ints
from solver.search.numbering import NEVER, Numbering, pad
from solver.state.domains import Domains, Option, ReducedCosts, ShiftId
from solver.state.placement_costs import cost_at, cost_of_moving, cost_of_team
from solver.state.placements import Placement
from solver.state.tasks import Key, Task, get_needs
from solver.state.unary import get_current

MAX_TEAMS = 2_000
"""A task with more possible teams than this on a date at a location stays where it is."""

PATIENTS_COLUMNS = (0, 0, 0, 0, 0)
"""Stands for the columns of a candidate that depend on the patient: ``COST`` to ``PRICE``."""


class Candidates(Numbering):
    """The candidates of every task, numbered in a row.

    Tasks with the same needs share *ways*: a date, a location and a team, with what an item takes there.
    """

    def __init__(self, domains: Domains, prices: ReducedCosts | None = None) -> None:
        super().__init__(domains)
        self.prices = prices or {}
        self._prices_of: list[float] = []
        self._known_ways: dict[Hashable, int | None] = {}
        self._ways: list[list[int]] = []
        self._places_of: list[tuple[int, str, tuple[ShiftId, ...]]] = []
        self._ways_of: list[int] = []
        self._costs_of: list[int] = []
        self._moves_of: dict[int, tuple[int, int, int]] = {}
        self._ranges = {task.key: self._add_candidates(task) for task in domains.tasks}

    def _add_candidates(self, task: Task) -> tuple[int, int]:
        """Add the candidates of a task, cheapest first; return their first number and the one after the last."""
        choices: list[tuple[int, int, float]] = []
        prices = self.prices.get(task.key, {})
        at_place, with_team = cache(partial(cost_at, self.scenario, task)), cache(partial(self._team_cost, task))
        begun = self.domains.get_begun(task)
        for (day, location), seats in self.domains.places(task.key) if task.group is None else ():
            if prod(map(len, seats)) > MAX_TEAMS:
                choices = []
                break
            at = at_place(day, location)
            for team in product(*seats):
                cost = with_team(*[option.provider for option in team])
                if cost is not None and (way := self._get_way(task, day, location, team, begun)) is not None:
                    is_priced = bool(prices) and all(option in prices for option in team)
                    choices.append((at + cost, way, sum(prices[option] for option in team) if is_priced else at + cost))
        choices.sort(key=itemgetter(0))
        first = len(self._ways_of)
        self._costs_of += [cost for cost, *_ in choices]
        self._ways_of += [way for _, way, _ in choices]
        self._prices_of += [price for *_, price in choices]
        if get_current(task) is not None:
            self._moves_of |= {
                first + number: self._moving_cost(task, *self._places_of[way]) for number, (_, way, _) in enumerate(choices)
            }
        return first, len(self._ways_of)

    def _team_cost(self, task: Task, *team: str | None) -> int | None:
        """Return what a team costs a visit; None when it cannot be one."""
        visit, providers = task.visit, set(team)
        if len(providers) < len(team):
            return None
        if visit is None:
            return 0
        if visit.required_provider is not None and visit.required_provider not in providers:
            return None
        return cost_of_team(self.scenario, visit, [provider for provider in providers if provider is not None])

    def _moving_cost(self, task: Task, day: int, location: str, team: Sequence[ShiftId]) -> tuple[int, int, int]:
        """Return what it costs to move a task here, whether this is where it stands (at one start), and what an hour costs."""
        current = get_current(task)
        if current is None:
            return 0, 0, 0
        on = self.grid.day_index(current.start.date())
        cost = cost_of_moving(self.scenario, current, self.grid.date(day))
        stays = (day, location) == (on, current.location) and tuple(shift.provider for shift in team) == current.team
        per_hour = self.scenario.policy.moved_notified_per_hour if current.notified and day == on else 0
        return cost, int(stays), per_hour

    def _get_way(
        self, task: Task, day: int, location: str, team: tuple[Option, ...], begun: Current | CurrentGroup | None
    ) -> int | None:
        """Return the number of a place and team, which all tasks of the same needs share; None when it is not possible."""
        name = (get_needs(task.service), begun and task.key, *map(id, team))
        if name not in self._known_ways:
            columns, self._known_ways[name] = self._columns(task, day, location, team, begun), None
            if columns:
                self._known_ways[name] = len(self._ways)
                self._ways.append([day, self._locations[location], *PATIENTS_COLUMNS, *columns])
                self._places_of.append((day, location, tuple(option.shift for option in team if option.shift is not None)))
        return self._known_ways[name]

    def _columns(
        self, task: Task, day: int, location: str, team: tuple[Option, ...], begun: Current | CurrentGroup | None
    ) -> list[int]:
        """Return the columns of a candidate; what has begun has no room and supervisor but its own."""
        service, starts = task.service, team[0].starts
        for option in team[1:]:
            starts &= option.starts
        suitable = self.domains.suitable_rooms(service, location) if begun is None else self.domains.rooms_of(task, location)
        rooms = self._list(("rooms", *suitable), lambda: [self._resources["room", room] for room in suitable])
        members = [option.shift for option in team if option.shift is not None]
        people = self.scenario.providers_by_id
        trainees = tuple(option.seat for option in team if option.provider and people[option.provider].trainee)
        name = ("supervisors", get_needs(service), trainees, day, location)
        supervisors = self._list(name, lambda: self._list_supervisors(service, trainees, day, location))
        if begun is not None:
            if len(begun.supervisors or ()) != min(1, len(trainees)):
                return []
            rows = {row for shift, row in self.shift_rows.items() if shift.provider in (begun.supervisors or ())}
            pairs = zip(*[iter(self._lists[slice(*supervisors)])] * 2, strict=True)
            named = [number for pair in pairs if pair[0] in rows for number in pair]
            supervisors = self._list((*name, *(begun.supervisors or ())), named)
        if not starts or (service.room is not None and rooms[0] == rooms[1]) or (trainees and supervisors[0] == supervisors[1]):
            return []
        providers = tuple(shift.provider for shift in members)
        return [
            *self._list(("starts", starts), lambda: list(iterate_slots(starts))),
            *self._list(("uses", get_needs(service), location, providers), lambda: self._uses(service, location, providers)),
            *rooms,
            self._slots(service.minutes + service.turnover),
            *supervisors,
            service.attention,
            self._slots(service.minutes),
            len(members),
            *(self.shift_rows[shift] for shift in members),
        ]

    def _list_supervisors(self, service: Service, seats: Sequence[int], day: int, location: str) -> list[int]:
        """Return who can supervise the trainees in some seats: pairs of a shift, and where its allowed starts are listed."""
        pairs: list[int] = []
        for option in self.domains.seat(service, None) if seats else ():
            if option.shift is None or (option.day, option.location) != (day, location):
                continue
            person, starts = self.scenario.providers_by_id[option.shift.provider], option.starts
            if not person.trainee and all(person.can_fill(service.team[seat].any_of) for seat in seats):
                allowed = [starts >> slot & 1 for slot in range(self.grid.slots_per_day)]
                pairs += [self.shift_rows[option.shift], self._list(("mask", starts), allowed)[0]]
        return pairs

    def _find_candidate(self, key: Key, placement: Placement) -> int | None:
        """Return the number of the candidate that a placement is; None when it is none."""
        place = (placement.day, placement.location, placement.team)
        return next((number for number in range(*self._ranges[key]) if self._places_of[self._ways_of[number]] == place), None)

    def _by_price(self, key: Key) -> list[int]:
        """Return the numbers of a task's candidates, the one with the least price first; none without prices."""
        return sorted(range(*self._ranges[key]), key=lambda number: self._prices_of[number]) if self.prices else []

    def _candidate_rows(self, width: int) -> Ints:
        """Return the rows of candidates: those of their ways, with what they cost each task."""
        rows = pad(self._ways, width)[np.array(self._ways_of, dtype=np.int64)]
        rows[:, layout.COST] = np.clip(np.array(self._costs_of, dtype=np.int64), -NEVER, NEVER)
        scaled = np.rint(np.array(self._prices_of) * layout.PRICE_SCALE).astype(np.int64)
        rows[:, layout.PRICE] = np.clip(scaled, -NEVER, NEVER)
        if self._moves_of:
            moves = np.array(list(self._moves_of.values()), dtype=np.int64)
            rows[list(self._moves_of), layout.MOVE : layout.MOVE_PER_HOUR + 1] = np.clip(moves, -NEVER, NEVER)
        return rows
