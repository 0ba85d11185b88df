"""The master problem: which half-day, building and provider each task gets, with time as minutes only.

A relaxation of the scenario, so every bound on it bounds every plan. A *session* is a stretch of a date in which shifts
overlap (a half-day, as a rule). A task is given

- a *named* column ``(shift, location)`` for each provider who matters to it alone (preferred, required, current, or linked
  by ``same_provider``), or
- a *pool* column ``(session, location)`` for all others: integer *flow* columns then say how many visits of a service each
  shift takes from the pool. Providers who are alike to a patient are thus alike to the model;
- a *staying* column, where it stands already: at its one start, with its team. All other columns pay for its being moved.

Rows keep: one column a task; minutes of shifts, rooms and the like (:mod:`solver.bound.resources`); links by date; groups;
trips; the notification budget; site changes. What is lost is the order within a session, which
:mod:`solver.search.large_neighbourhoods` decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import inf

import numpy as np
from numpy.typing import NDArray

from scheduling.requests import Current, CurrentGroup, Visit
from scheduling.timegrid import get_first_slot
from solver.bound.links import Links, TaskColumn
from solver.bound.relaxation import LinearProgram
from solver.bound.resources import Place, Resources
from solver.bound.trips import Trips
from solver.bound.windows import find_sessions, find_windows
from solver.model.heads import find_start_windows
from solver.model.scarcity import PlacedTask, list_scarce_rows
from solver.state.domains import Domains, Option, ReducedCosts, ShiftId
from solver.state.placement_costs import (
    cost_of_date,
    cost_of_half,
    cost_of_leaving_out,
    cost_of_location,
    cost_of_moving,
    cost_of_team,
)
from solver.state.tasks import Key, Needs, Task, get_needs, visit_key
from solver.state.unary import get_current, start_mask, unavailable_starts

MANY_OPTIONS = 100_000
"""Options from which a program is large: of a month, half of the rows refine a bound by 3 % and take two thirds of the time."""


@dataclass(frozen=True, slots=True)
class CurrentAssignment:
    """Where a visit stands, as far as it may stay there: the place, the one start, and the team's shifts."""

    place: Place
    start: int
    team: tuple[ShiftId, ...]


class Master:
    """The master problem of a scenario, built once.

    Parameters
    ----------
    domains
        The scenario's options.
    pooled
        Whether providers who are alike to a task share a column.
    """

    def __init__(self, domains: Domains, pooled: bool = True) -> None:
        self.domains = domains
        self.pooled = pooled
        self.scenario = domains.scenario
        self.program = LinearProgram(is_large=sum(map(len, self.domains.options.values())) > MANY_OPTIONS)
        self.sessions = find_sessions(self.scenario)
        self.windows = find_windows(domains, self.sessions)
        self.choices: dict[Key, list[TaskColumn]] = {}
        self.left_out: dict[Key, int] = {}
        self.attends: dict[tuple[str, str], int] = {}
        self._pools: dict[tuple[Needs, int, Place], list[int]] = defaultdict(list)
        self._pool_starts: dict[tuple[Needs, Place], int] = defaultdict(int)
        self._stays: list[int] = []
        self._notified = 0
        self._flows: dict[tuple[Needs, int, ShiftId, str], int] = {}
        self._services = {get_needs(task.service): task.service for task in domains.tasks}
        self.shift_at = self._shift_locations()
        self._resources = Resources(domains, self.program, self.sessions, self.windows, self.shift_at)
        for task in domains.tasks:
            self._task(task)
        for task in domains.tasks:
            if task.group is not None:
                self._attendance(task)
        self._pool_rows()
        Trips(domains, self.program, self._columns_by_day(), self.left_out, self.attends).rows()
        Links(self.scenario, self.program, self.choices, self.left_out).rows()
        self._resources.rows()
        self._scarce_places()
        self._site_changes()
        self._budget()

    def _shift_locations(self) -> dict[tuple[ShiftId, str], int]:
        """Add a column for each location of a shift that has several."""
        at: dict[tuple[ShiftId, str], int] = {}
        for shift, window in self.windows.items():
            if len(window.locations) > 1:
                columns = [self.program.add_column() for _ in window.locations]
                at |= {(shift, location): c for location, c in zip(window.locations, columns, strict=True)}
                self.program.add_row(columns, [1] * len(columns), high=1)
        return at

    def _columns_by_day(self) -> dict[Key, dict[int, list[int]]]:
        """Return the columns of each task, by the day that they put it on."""
        columns: dict[Key, dict[int, list[int]]] = {}
        for key, choices in self.choices.items():
            by_day: dict[int, list[int]] = defaultdict(list)
            for choice in choices:
                by_day[choice.day].append(choice.column)
            columns[key] = dict(by_day)
        return columns

    def get_reduced_costs(self, reduced_costs: NDArray[np.float64]) -> ReducedCosts:
        """Return the reduced cost of each option of each task: its cost, and what it takes from others."""
        by_option: dict[Key, dict[Option, float]] = {}
        for key, choices in self.choices.items():
            service = self.domains.service(key)
            named: dict[tuple[ShiftId, str], float] = {}
            for c in choices:
                if c.shift is not None:
                    at = c.shift, c.location
                    named[at] = min(named.get(at, inf), float(reduced_costs[c.column]))
            pools = {
                (c.day, c.session, c.location): reduced_costs[c.column] for c in choices if c.shift is None and not c.stays
            }
            prices = by_option[key] = {}
            for option in self.domains.options[key]:
                if option.shift is not None and (option.shift, option.location) in named:
                    prices[option] = named[option.shift, option.location]
                elif option.shift is not None:
                    flow = self._flows.get((get_needs(service), option.seat, option.shift, option.location))
                    place = pools.get(self._place(option), 0.0) if option.seat == 0 else 0.0
                    prices[option] = float(place + (reduced_costs[flow] if flow is not None else 0.0))
        return by_option

    def price_others(
        self, reduced_costs: NDArray[np.float64], values: NDArray[np.float64], price: float
    ) -> NDArray[np.float64]:
        """Return reduced costs with a price on whatever a solution in whole numbers does not choose."""
        columns = [choice.column for choices in self.choices.values() for choice in choices] + list(self._flows.values())
        priced = reduced_costs.copy()
        priced[columns] += np.where(values[columns] > 0.5, 0.0, price)
        return priced

    def spend_shifts(self, values: NDArray[np.float64]) -> dict[ShiftId, str]:
        """Return where a solution spends each shift with several locations, or most of it."""
        most = sorted(self.shift_at.items(), key=lambda pair: float(values[pair[1]]))
        return {shift: location for (shift, location), _ in most}

    # --- tasks -------------------------------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        named, seats = self._named(task), max(1, len(task.service.team))
        required = None if task.visit is None else task.visit.required_provider
        pools: dict[Place, int] = defaultdict(int)
        standing = self._standing(task)
        choices: list[TaskColumn] = [] if standing is None else [self._staying(task, standing)]
        for option in self.domains.options[task.key]:
            if option.seat > 0 or (seats == 1 and required is not None and option.provider != required):
                continue
            place, starts = self._place(option), option.starts
            if standing is not None and (place, (option.shift,)) == (standing.place, standing.team or (None,)):
                starts &= ~standing.start
            if seats == 1 and option.shift is not None and (named is None or option.provider in named):
                choices += [self._choice(task, place, option.shift, some) for some in self._parted(task, place, starts)]
            else:
                pools[place] |= starts
        for place, starts in pools.items():
            if not starts:
                continue
            choices.append(self._choice(task, place, None, starts))
            if task.service.team:
                self._pool_starts[get_needs(task.service), place] |= starts
                for seat in range(seats):
                    self._pools[get_needs(task.service), seat, place].append(choices[-1].column)
        self.choices[task.key] = choices
        out = self.program.add_column(self._leaving_out(task))
        self.left_out[task.key] = out
        columns = [choice.column for choice in choices]
        self.program.add_row([*columns, out], [1] * (len(columns) + 1), 1, 1)

    def _named(self, task: Task) -> frozenset[str] | None:
        """Return the providers who matter to this task alone; None: every one."""
        visit, current = task.visit, get_current(task)
        if not self.pooled:
            return None
        if visit is None:
            return frozenset(current.team if current else ())
        if visit.id in self._same_provider:
            return None
        required = (visit.required_provider,) if visit.required_provider else ()
        pinned = visit.pinned.team if visit.pinned else ()
        return frozenset((*visit.preferred_providers, *required, *pinned, *(current.team if current else ())))

    def _standing(self, task: Task) -> CurrentAssignment | None:
        """Return where a visit stands; None when it stands nowhere, or cannot stay."""
        current = None if task.visit is None else task.visit.current
        if current is None:
            return None
        start, day = start_mask(self.scenario, current.start), self.scenario.grid.day_index(current.start.date())
        there = [
            o for o in self.domains.options[task.key] if (o.day, o.location) == (day, current.location) and o.starts & start
        ]
        if not current.team:
            return CurrentAssignment(self._place(there[0]), start, ()) if there and not task.service.team else None
        team = [o for seat, name in enumerate(current.team) for o in there if (o.seat, o.provider) == (seat, name)]
        if len(team) != len(task.service.team) or len(current.team) != len(team):
            return None
        return CurrentAssignment(
            self._place(team[0]), start, tuple(option.shift for option in team if option.shift is not None)
        )

    def _staying(self, task: Task, standing: CurrentAssignment) -> TaskColumn:
        """Add the column of a visit that stays: at its one start, with its team."""
        assert task.visit is not None
        shift = standing.team[0] if len(standing.team) == 1 else None
        cost = self._cost(task.visit, standing.place, standing.start, [member.provider for member in standing.team])
        choice = TaskColumn(self.program.add_column(cost), *standing.place, shift, standing.start, stays=True)
        for seat, member in enumerate(standing.team):
            self._resources.use_provider(choice.column, task.service, seat, member, choice.location, choice.starts)
        if choice.session >= 0:
            self._resources.use_place(choice.column, task, standing.place)
        return choice

    def _parted(self, task: Task, place: Place, starts: int) -> list[int]:
        """Return some starts of a task, that at which a group's session stands apart from the others."""
        current = None if task.group is None else task.group.current
        stands = 0 if current is None or not self._is_at(current, place) else starts & start_mask(self.scenario, current.start)
        return [some for some in (stands, starts & ~stands) if some]

    def _is_at(self, current: Current | CurrentGroup, place: Place) -> bool:
        return current.location == place[2] and self.scenario.grid.date(place[0]) == current.start.date()

    @property
    def _same_provider(self) -> frozenset[str]:
        return frozenset(v for link in self.scenario.links if link.same_provider for v in (link.before, link.after))

    def _place(self, option: Option) -> Place:
        session = -1 if option.shift is None else self.windows[option.shift].session
        return option.day, session, option.location

    def _choice(self, task: Task, place: Place, shift: ShiftId | None, starts: int) -> TaskColumn:
        cost = 0 if task.visit is None else self._moved_cost(task, place, shift, starts)
        choice = TaskColumn(self.program.add_column(cost), *place, shift, starts, stays=False)
        if shift is not None:
            self._resources.use_provider(choice.column, task.service, 0, shift, choice.location, starts)
        if choice.session >= 0:
            self._resources.use_place(choice.column, task, place)
        return choice

    # --- costs -------------------------------------------------------------------------------------------------------

    def _leaving_out(self, task: Task) -> int:
        policy = self.scenario.policy
        if task.visit is not None:
            return cost_of_leaving_out(self.scenario, task.visit)
        if task.group is not None:
            return policy.group_not_run if task.group.required else 0
        return policy.reserve_missing

    def _cost(self, visit: Visit, place: Place, starts: int, team: Collection[str]) -> int:
        """Return the least that a place costs a visit at any of some starts, its moving apart."""
        scenario, grid = self.scenario, self.scenario.grid
        first = get_first_slot(starts)
        ends = {first * grid.grid_minutes, (starts.bit_length() - 1) * grid.grid_minutes}
        cost = cost_of_date(scenario, visit, grid.date(place[0])) + cost_of_location(scenario, visit, place[2])
        return cost + cost_of_team(scenario, visit, team) + min(cost_of_half(scenario, visit, end) for end in ends)

    def _moved_cost(self, task: Task, place: Place, shift: ShiftId | None, starts: int) -> int:
        """Return the least that a column costs a visit that does not stay."""
        assert task.visit is not None
        team = self._may_meet(task, place) if shift is None else [shift.provider]
        moved = cost_of_moving(self.scenario, task.visit.current, self.scenario.grid.date(place[0]))
        return self._cost(task.visit, place, starts, team) + moved

    def _may_meet(self, task: Task, place: Place) -> set[str]:
        """Return who may be in the team of a task in a pool: of one seat only those who do not matter to it."""
        if len(task.service.team) < 2:
            return set()
        here = (option for option in self.domains.options[task.key] if self._place(option) == place)
        return {option.shift.provider for option in here if option.shift is not None}

    # --- rows --------------------------------------------------------------------------------------------------------

    def _pool_rows(self) -> None:
        """Let the shifts that suit a service take what its pool holds, seat by seat."""
        for (needs, seat, place), columns in self._pools.items():
            service, flows = self._services[needs], []
            wanted = self._pool_starts[needs, place]
            for option in self.domains.seat(service, seat):
                starts = option.starts & wanted
                if option.shift is not None and starts and self._place(option) == place:
                    window = self.windows[option.shift]
                    most = min(len(columns), window.free_minutes // service.minutes)
                    if most:
                        flow = self.program.add_column(upper=most)
                        self._flows[needs, seat, option.shift, option.location] = flow
                        self._resources.use_provider(flow, service, seat, option.shift, option.location, starts)
                        if (option.shift, option.location) in self.shift_at:
                            self.program.add_row([flow, self.shift_at[option.shift, option.location]], [1, -most], high=0)
                        flows.append(flow)
            self.program.add_row([*columns, *flows], [1] * len(columns) + [-1] * len(flows), 0, 0)

    def _attendance(self, task: Task) -> None:
        """Add a column for each candidate of a group: seated only where and when they can come."""
        group, policy, scenario = task.group, self.scenario.policy, self.scenario
        assert group is not None
        choices, seats = self.choices[task.key], []
        worth = {candidate.patient: policy.group_seat.of(candidate.priority) for candidate in group.candidates}
        for patient in self.domains.list_members(task):
            seat = worth.get(patient, 0)
            self.program.offset += seat
            column = self.program.add_column(-seat)
            sites = scenario.patients_by_id[patient].allowed_sites
            able = [
                choice.column
                for choice in choices
                if scenario.site(choice.location) in sites
                and choice.starts & ~unavailable_starts(scenario, patient, task.service, scenario.grid.date(choice.day))
            ]
            self.program.add_implication(column, able)
            self.attends[group.id, patient] = column
            seats.append(column)
        self._told(task)
        runs = [choice.column for choice in choices]
        self.program.add_row([*seats, *runs], [1] * len(seats) + [-group.capacity] * len(runs), high=0)
        self.program.add_row([*seats, *runs], [1] * len(seats) + [-group.min_attendees] * len(runs), low=0)

    def _told(self, task: Task) -> None:
        """Charge each attendee who would have to be called: all but those seated in a session that may stay."""
        group, scenario = task.group, self.scenario
        if group is None or group.current is None:
            return
        current = group.current
        staying = [
            choice.column
            for choice in self.choices[task.key]
            if self._is_at(current, (choice.day, choice.session, choice.location))
            and choice.starts & start_mask(self.scenario, current.start)
        ]
        moved = cost_of_moving(scenario, current, None)
        for patient in current.attendees:
            self.program.offset += moved
            if (group.id, patient) in self.attends:
                stays = self.program.add_column(-moved)
                self.program.add_implication(stays, [self.attends[group.id, patient]])
                self.program.add_implication(stays, staying)
                if current.notified:
                    self._stays.append(stays)
            self._notified += current.notified

    def _scarce_places(self) -> None:
        """Bound the minutes of rooms, devices and bays where tasks without a team use them."""
        if all(task.service.team for task in self.domains.tasks):
            return
        windows, placed = find_start_windows(self.domains, self.domains.options), list[PlacedTask]()
        for task in self.domains.tasks:
            for choice in self.choices[task.key]:
                window = windows[task.key, choice.day]
                placed.append(PlacedTask(choice.column, task, choice.day, choice.location, window.first, window.last))
        for row in list_scarce_rows(self.domains, placed):
            self.program.add_row(row.uses, row.weights, high=row.most)

    def _site_changes(self) -> None:
        """Charge a provider whose consecutive used shifts of a day lie at different sites."""
        for provider in self.scenario.providers:
            by_day: dict[int, list[ShiftId]] = defaultdict(list)
            for number in sorted(range(len(provider.shifts)), key=lambda n: provider.shifts[n].start):
                shift = ShiftId(provider.id, number)
                by_day[self.windows[shift].day].append(shift)
            for shifts in by_day.values():
                sites = {self.scenario.site(at) for shift in shifts for at in self.windows[shift].locations}
                if len(shifts) > 1 and len(sites) > 1:
                    self._site_changes_of(shifts)

    def _site_changes_of(self, shifts: Sequence[ShiftId]) -> None:
        """Charge the changes of some shifts of a day; each is at a site as far as its minutes are (46 points of a week)."""
        used: list[dict[str, int]] = []
        for shift in shifts:
            at_site: dict[str, int] = {}
            for location in self.windows[shift].locations:
                column = at_site.setdefault(self.scenario.site(location), self.program.add_column())
                use = self._resources.minutes(shift, location)
                for user in use.columns:
                    self.program.add_refining_row([column, user], [-self.program.uppers[user], 1], 0)
                free = self.windows[shift].free_minutes
                self.program.add_row([column, *use.columns], [free, *(-amount for amount in use.amounts)], low=0)
            used.append(at_site)
        for first, second in combinations(range(len(shifts)), 2):
            changes = self.program.add_column(self.scenario.policy.site_change)
            between = [column for at_site in used[first + 1 : second] for column in at_site.values()]
            for (site, here), (other_site, there) in product(used[first].items(), used[second].items()):
                if site != other_site:
                    columns = [changes, here, there, *between]
                    self.program.add_row(columns, [1, -1, -1] + [1] * len(between), low=-1)

    def _budget(self) -> None:
        """Keep the notification budget: enough of those who were told must be able to stay."""
        budget = self.scenario.policy.max_notified_moves
        if budget is None:
            return
        staying, notified = list(self._stays), self._notified
        for visit in self.scenario.visits:
            if visit.current is not None and visit.current.notified:
                notified += 1
                staying += [choice.column for choice in self.choices[visit_key(visit.id)] if choice.stays]
        self.program.add_row(staying, [1] * len(staying), low=notified - budget)
