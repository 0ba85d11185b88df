"""A scenario as the numbers that :mod:`solver.search.kernel` works on, and placements to and from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from scheduling.clinic import Service
from scheduling.costs import QUARTER_MINUTES
from scheduling.requests import Current, CurrentGroup, Link
from scheduling.rules.providers import FULL_ATTENTION
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on
from solver.search.kernel import layout
from solver.search.kernel.layout import Ints, SearchState, Tables
from solver.search.kernel.moves import put
from solver.state.domains import Domains, Option, ShiftId
from solver.state.placement_costs import cost_of_date, cost_of_leaving_out, cost_of_location, cost_of_moving, cost_of_team
from solver.state.placements import Placement, count_notified_changes
from solver.state.tasks import Key, Task, get_needs
from solver.state.unary import get_current, start_mask

MAX_TEAMS = 2_000
"""A task with more possible teams than this on a date at a location stays where it is."""

NEVER = 2**30
"""Stands for no limit, and is the most that any number here can be."""


class KernelEncoding:
    """A scenario and the placements of its tasks, as numbers.

    Tasks that must stay as they are (pinned ones, groups, those linked to them) are not movable: they only take what they
    take. Frozen ones may be left out, so they are movable, with one candidate.
    """

    def __init__(self, domains: Domains, placements: Mapping[Key, Placement], seed: int) -> None:
        self.domains = domains
        self.scenario = scenario = domains.scenario
        self.grid = scenario.grid
        self.placements = placements
        self._lists: list[int] = []
        self._listed: dict[Hashable, tuple[int, int]] = {}
        self._shared: dict[Hashable, list[int]] = {}
        self._locations = {location: number for number, location in enumerate(scenario.locations)}
        self._providers = {provider.id: number for number, provider in enumerate(scenario.providers)}
        self._resources = self._number_resources()
        self._links = domains.links
        self._number_rows()
        self._candidates: list[tuple[Task, int, str, tuple[ShiftId, ...]]] = []
        self._candidate_rows: list[list[int]] = []
        self._ranges = {task.key: self._add_candidates(task) for task in domains.tasks}
        self._bundles = {task.key: domains.get_linked(task.key) for task in domains.tasks}
        self.fixed = self._fixed()
        self.tables = self._tables()
        self.state = self._state(seed)

    # --- numbering ---------------------------------------------------------------------------------------------------

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

    # --- candidates --------------------------------------------------------------------------------------------------

    def _add_candidates(self, task: Task) -> tuple[int, int]:
        """Add the candidates of a task, cheapest first; return their first number and the one after the last."""
        choices: list[tuple[int, int, str, tuple[Option, ...]]] = []
        places = self.domains.places(task.key) if task.group is None else ()
        for (day, location), seats in places:
            if prod(map(len, seats)) > MAX_TEAMS:
                choices = []
                break
            place_cost = self._place_cost(task, day, location)
            for team in product(*seats):
                cost = self._team_cost(task, team)
                if cost is not None:
                    choices.append((place_cost + cost, day, location, team))
        first = len(self._candidate_rows)
        for cost, day, location, team in sorted(choices, key=lambda candidate: candidate[0]):
            shared = self._get_columns(task, day, location, team)
            if shared is not None:
                members = tuple(option.shift for option in team if option.shift is not None)
                self._candidates.append((task, day, location, members))
                self._candidate_rows.append(
                    [day, self._locations[location], cost, *self._moving_cost(task, day, location, members), *shared]
                )
        return first, len(self._candidate_rows)

    def _place_cost(self, task: Task, day: int, location: str) -> int:
        """Return what a date and location cost a visit, whoever sees it and at whatever time."""
        visit, scenario = task.visit, self.scenario
        if visit is None:
            return 0
        return cost_of_date(scenario, visit, self.grid.date(day)) + cost_of_location(scenario, visit, location)

    def _team_cost(self, task: Task, team: Sequence[Option]) -> int | None:
        """Return what a team costs a visit; None when it cannot be one."""
        visit, providers = task.visit, {option.provider for option in team}
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

    def _get_columns(self, task: Task, day: int, location: str, team: tuple[Option, ...]) -> list[int] | None:
        """Return the columns of a candidate that do not depend on the patient; None when it is not possible."""
        begun = self.domains.get_begun(task)
        if begun is not None:
            return self._columns(task, day, location, team, begun) or None
        name = (get_needs(task.service), *map(id, team))
        if name not in self._shared:
            self._shared[name] = self._columns(task, day, location, team, None)
        return self._shared[name] or None

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
            *self._list(("starts", starts), lambda: _bits(starts)),
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

    # --- what stays --------------------------------------------------------------------------------------------------

    def _fixed(self) -> set[Key]:
        """Return the tasks that are not movable: what stays, and what is linked with any that the tables do not know."""
        self._chosen = {(task.key, *place): number for number, (task, *place) in enumerate(self._candidates)}
        held = {task.key for task in self.domains.tasks if self._must_stay(task)}
        linked = {task.key for task in self.domains.tasks if self._bundles[task.key] & held}
        return linked | (self.domains.staying & self.placements.keys())

    def _must_stay(self, task: Task) -> bool:
        pinned = task.visit is not None and task.visit.pinned is not None
        first, last = self._ranges[task.key]
        if task.group is not None or pinned or first == last:
            return True
        placement = self.placements.get(task.key)
        if placement is None:
            return False
        known = (task.key, placement.day, placement.location, placement.team) in self._chosen
        return not known or len(placement.supervisors) > 1

    # --- tables ------------------------------------------------------------------------------------------------------

    def _tables(self) -> Tables:
        seats = max([1, *(len(service.team) for service in self.scenario.clinic.services)])
        width, self._events = max(layout.SETTINGS, layout.TEAM + seats), list[list[int]]()
        links = [self._link_row(key, link) for key in self.task_rows for link in self._links.get(key, ())]
        self._first_candidate = self._rest + len(links)
        self._first_event = self._first_candidate + len(self._candidate_rows)
        self._seats, self._next_link = seats, self._rest
        rows = [self._settings()]
        rows += [self._task_row(task) for task in self.domains.tasks]
        rows += [self._shift_row(shift) for shift in self.shift_rows]
        rows += [[self.scenario.providers_by_id[provider].max_minutes_per_day] for provider, _ in self._day_row]
        rows += self._patients()
        rows += links
        rows += self._candidate_rows
        rows += self._events
        table = np.zeros((len(rows), width), dtype=np.int32)
        lengths = np.array([len(row) for row in rows])
        values = np.fromiter((value for row in rows for value in row), dtype=np.int64)
        table[np.arange(width) < lengths[:, None]] = np.clip(values, -NEVER, NEVER)
        return Tables(table, np.array(self._lists, dtype=np.int32))

    def _settings(self) -> list[int]:
        scenario, policy, places = self.scenario, self.scenario.policy, list(self._locations)
        sites = {site: number for number, site in enumerate(sorted({scenario.site(place) for place in places}))}
        travel = self._list(
            "travel", lambda: (scenario.travel_minutes(origin, destination) for origin in places for destination in places)
        )
        movable = [row for key, row in self.task_rows.items() if key not in self.fixed]
        flexible = [row for shift, row in self.shift_rows.items() if len(self.domains.binding_locations(shift)) > 1]
        return [
            self.grid.slots_per_day,
            self.grid.noon_slot,
            self.grid.grid_minutes,
            policy.extra_trip,
            policy.not_preferred_half,
            policy.site_change,
            NEVER if policy.max_notified_moves is None else policy.max_notified_moves - self._notified_for_good(),
            len(places),
            travel[0],
            self._list("sites", lambda: (sites[scenario.site(place)] for place in places))[0],
            self.first_task,
            self.first_task + len(self.task_rows),
            *self._list("movable", movable),
            *self._list("flexible", flexible),
            policy.waiting,
            policy.patient_site_change,
        ]

    def _notified_for_good(self) -> int:
        """Return how many notified patients have to be called again because of what stays."""
        stay = (self.domains.by_key[key] for key in self.fixed)
        return sum(count_notified_changes(self.domains, task, self.placements.get(task.key)) for task in stay)

    def _link_row(self, key: Key, link: Link) -> list[int]:
        leads = key == ("visit", link.before)
        return [
            self.task_rows["visit", link.after if leads else link.before],
            int(leads),
            link.min_days,
            NEVER if link.max_days is None else link.max_days,
            link.min_gap_minutes,
            NEVER if link.max_gap_minutes is None else link.max_gap_minutes,
            int(link.same_location),
            int(link.same_provider),
            int(link.together),
            int(link.any_order),
        ]

    def _task_row(self, task: Task) -> list[int]:
        current, policy = get_current(task), self.scenario.policy
        first, last = self._ranges[task.key]
        worth, prefers = policy.reserve_missing, None
        if task.visit is not None:
            worth, prefers = (
                cost_of_leaving_out(self.scenario, task.visit),
                self.scenario.patients_by_id[task.visit.patient].prefers,
            )
        start = 0 if current is None else start_mask(self.scenario, current.start)
        link, self._next_link = self._next_link, self._next_link + len(self._links.get(task.key, ()))
        partners = [self.task_rows[key] for key in sorted(self._bundles[task.key])]
        return [
            self._first_candidate + first,
            self._first_candidate + last,
            worth,
            {None: 0, "morning": layout.MORNING, "afternoon": layout.AFTERNOON}[prefers],
            int(current is not None and current.notified and task.group is None),
            start.bit_length() - 1,
            -1 if task.patient is None else self._patient_rows[task.patient],
            link,
            self._next_link,
            *self._list(("partners", *partners), partners),
            task.service.minutes,
            task.service.minutes + task.service.recovery,
            0 if current is None else minute_of_day(current.start),
            policy.waiting * (1 + (task.service.minutes + task.service.recovery) // QUARTER_MINUTES),
        ]

    def _shift_row(self, shift: ShiftId) -> list[int]:
        times, shifts = self.domains.shift(shift), self.scenario.providers_by_id[shift.provider].shifts
        on = times.start.date()
        today = [number for number, other in enumerate(shifts) if other.start.date() == on]
        today.sort(key=lambda number: shifts[number].start)
        choice = len(today) > 1 and len({place for number in today for place in shifts[number].locations}) > 1
        siblings = [self.shift_rows[ShiftId(shift.provider, number)] for number in today] if choice else []
        return [
            self._providers[shift.provider],
            self.grid.day_index(on),
            minutes_on(times.start, on),
            minutes_on(times.end, on),
            *self._list(("siblings", shift), siblings),
            *self._list(("places", shift), [self._locations[place] for place in self.domains.binding_locations(shift)]),
            self._resources.get(("attention", shift.provider), -1),
            self._day_row[shift.provider, self.grid.day_index(on)],
            *self._list(("also", shift), [self._locations[place] for place in times.also]),
            self._first_whereabouts(shift.provider, self.grid.day_index(on)),
        ]

    def _first_whereabouts(self, provider: str, day: int) -> int:
        """Return the first of the resources that say where a provider is, -1 on days when the shifts alone do."""
        if (provider, day) not in self.domains.roaming:
            return -1
        return self._resources["at", provider, next(iter(self._locations))]

    def _patients(self) -> list[list[int]]:
        """Return the rows of patients; gather the events of those who have some that stay."""
        visits: dict[str, list[int]] = defaultdict(list)
        events: dict[str, list[list[int]]] = defaultdict(list)
        for task in self.domains.tasks:
            placement = self.placements.get(task.key)
            if task.key not in self.fixed:
                if task.patient is not None:
                    visits[task.patient].append(self.task_rows[task.key])
            elif placement is not None:
                begin = placement.slot * self.grid.grid_minutes
                end = begin + task.service.minutes + task.service.recovery
                for patient in placement.attendees if task.patient is None else (task.patient,):
                    events[patient].append([placement.day, begin, end, self._locations[placement.location]])
        rows = []
        for patient in self._patient_rows:
            first = self._first_event + len(self._events)
            self._events += events[patient]
            rows.append([*self._list(("visits", patient), visits[patient]), first, first + len(events[patient])])
        return rows

    # --- state -------------------------------------------------------------------------------------------------------

    def _state(self, seed: int) -> SearchState:
        """Put everything where it is placed."""
        slots = self.grid.days * self.grid.slots_per_day
        state = SearchState(
            np.full((self._rest, layout.AT_TEAM + self._seats), -1, dtype=np.int32),
            np.zeros((len(self._resources), slots), dtype=np.int8),
            np.zeros((self._rest, self.grid.slots_per_day + 1), dtype=np.int32),
            np.zeros(2, dtype=np.int64),
            np.array([seed], dtype=np.uint64),
        )
        state.now[self._first_shift :, : layout.WORKED + 1] = 0
        self._close_rooms(state)
        for key, placement in self.placements.items():
            if key in self.fixed:
                self._occupy(state, self.domains.by_key[key], placement)
        for key, placement in self.placements.items():
            if key not in self.fixed:
                candidate = self._chosen[key, placement.day, placement.location, placement.team]
                room = -1 if placement.room is None else self._resources["room", placement.room]
                supervisor = self.shift_rows[placement.supervisors[0]] if placement.supervisors else -1
                put(
                    self.tables, state, self.task_rows[key], self._first_candidate + candidate, placement.slot, room, supervisor
                )
        state.totals[:] = 0
        for key, row in self.task_rows.items():
            if key not in self.fixed and self.tables.rows[row, layout.WAS_NOTIFIED]:
                at = state.now[row]
                stays = at[layout.CANDIDATE] >= 0 and self.tables.rows[at[layout.CANDIDATE], layout.STAYS]
                state.totals[layout.NOTIFIED] += not (stays and at[layout.SLOT] == self.tables.rows[row, layout.CURRENT_SLOT])
        return state

    def _close_rooms(self, state: SearchState) -> None:
        """Take the rooms that are closed; begun slots count whole."""
        for closure in self.scenario.clinic.closures:
            if closure.room is None:
                continue
            for day in range(self.grid.days):
                begin, end = (minutes_on(time, self.grid.date(day)) for time in (closure.start, closure.end))
                first, last = max(0, begin) // self.grid.grid_minutes, self._slots(min(end, MINUTES_PER_DAY))
                base = day * self.grid.slots_per_day
                state.used[self._resources["room", closure.room], base + first : base + max(first, last)] = 1

    def _occupy(self, state: SearchState, task: Task, placement: Placement) -> None:
        """Take what a task that stays takes."""
        service, now = task.service, state.now[self.task_rows[task.key]]
        now[layout.SLOT], now[layout.AT_DAY], now[layout.AT_PLACE] = (
            placement.slot,
            placement.day,
            self._locations[placement.location],
        )
        team = [shift.provider for shift in placement.team]
        uses = self._uses(service, placement.location, team, len(placement.attendees) if task.group else 1)
        for shift in placement.supervisors:
            uses += [self._resources["attention", shift.provider], 0, self._slots(service.minutes), service.attention]
        if placement.room is not None:
            cleaned = min(self._slots(service.minutes + service.turnover), self.grid.slots_per_day - placement.slot)
            uses += [self._resources["room", placement.room], 0, cleaned, 1]
        base = placement.day * self.grid.slots_per_day + placement.slot
        for resource, first, last, units in zip(*[iter(uses)] * 4, strict=True):
            state.used[resource, base + first : base + last] += units
        for seat, shift in enumerate(placement.team):
            now[layout.AT_TEAM + seat] = self._providers[shift.provider]
            state.now[self._day_row[shift.provider, placement.day], layout.WORKED] += service.minutes
            state.now[self.shift_rows[shift], layout.WORKED] += service.minutes
        for shift in (*placement.team, *placement.supervisors):
            if self.domains.binds(shift, placement.location):
                state.now[self.shift_rows[shift], layout.COUNT] += 1
                state.now[self.shift_rows[shift], layout.SPENT_AT] = self._locations[placement.location]
            if (shift.provider, placement.day) in self.domains.roaming:
                where = self._resources["at", shift.provider, placement.location]
                state.used[where, base : base + self._slots(service.minutes)] += 1

    def read(self, best: Ints) -> dict[Key, Placement]:
        """Return the placements that columns ``CANDIDATE`` to ``SUPERVISOR`` of the tasks stand for."""
        placements = {key: placement for key, placement in self.placements.items() if key in self.fixed}
        for (key, _), (candidate, slot, room, supervisor) in zip(self.task_rows.items(), best.tolist(), strict=True):
            if candidate >= 0:
                _, day, location, team = self._candidates[candidate - self._first_candidate]
                supervisors = () if supervisor < 0 else (self._shift_of[supervisor],)
                placements[key] = Placement(day, slot, location, team, supervisors, (), self._room_of.get(room))
        return placements


def _bits(mask: int) -> list[int]:
    """Return the numbers of the bits that are set."""
    return [slot for slot in range(mask.bit_length()) if mask >> slot & 1]
