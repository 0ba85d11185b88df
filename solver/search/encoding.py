"""A scenario as the numbers that :mod:`solver.search.kernel` works on, and placements to and from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from scheduling.costs import QUARTER_MINUTES
from scheduling.requests import Link
from scheduling.timegrid import MINUTES_PER_DAY, minute_of_day, minutes_on
from solver.search.candidates import Candidates
from solver.search.kernel import layout
from solver.search.kernel.layout import Ints, SearchState, Tables
from solver.search.kernel.moves import put
from solver.search.numbering import NEVER, pad
from solver.state.domains import Domains, ReducedCosts, ShiftId
from solver.state.placement_costs import cost_of_leaving_out
from solver.state.placements import Placement, count_notified_changes
from solver.state.tasks import Key, Task
from solver.state.unary import get_current, start_mask


class KernelEncoding(Candidates):
    """A scenario and the placements of its tasks, as numbers.

    Tasks that must stay as they are (pinned ones, groups, those linked to them) are not movable: they only take what they
    take. Frozen ones may be left out, so they are movable, with one candidate. With ``prices`` tasks are inserted where these
    are least.
    """

    def __init__(
        self, domains: Domains, placements: Mapping[Key, Placement], seed: int, prices: ReducedCosts | None = None
    ) -> None:
        super().__init__(domains, prices)
        self.placements = placements
        self._links = domains.links
        self._bundles = {task.key: domains.get_linked(task.key) for task in domains.tasks}
        self.fixed = self._fixed()
        self.tables = self._tables()
        self.state = self._state(seed)

    # --- what stays --------------------------------------------------------------------------------------------------

    def _fixed(self) -> set[Key]:
        """Return the tasks that are not movable: what stays, and what is linked with any that the tables do not know."""
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
        return self._find_candidate(task.key, placement) is None or len(placement.supervisors) > 1

    # --- tables ------------------------------------------------------------------------------------------------------

    def _tables(self) -> Tables:
        seats = max([1, *(len(service.team) for service in self.scenario.clinic.services)])
        width, self._events = max(layout.SETTINGS, layout.TEAM + seats), list[list[int]]()
        links = [self._link_row(key, link) for key in self.task_rows for link in self._links.get(key, ())]
        self._first_candidate = self._rest + len(links)
        self._first_event = self._first_candidate + len(self._ways_of)
        self._seats, self._next_link = seats, self._rest
        rows = [self._settings()]
        rows += [self._task_row(task) for task in self.domains.tasks]
        rows += [self._shift_row(shift) for shift in self.shift_rows]
        rows += [[self.scenario.providers_by_id[provider].max_minutes_per_day] for provider, _ in self._day_row]
        rows += self._patients()
        rows += links
        table = np.concatenate([pad(rows, width), self._candidate_rows(width), pad(self._events, width)])
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
            int(bool(self.prices)),
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
            self._list(("by price", task.key), [self._first_candidate + number for number in self._by_price(task.key)])[0],
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
                for patient in placement.patients(task):
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
                candidate = self._find_candidate(key, placement)
                assert candidate is not None
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
                day, location, team = self._places_of[self._ways_of[candidate - self._first_candidate]]
                supervisors = () if supervisor < 0 else (self._shift_of[supervisor],)
                placements[key] = Placement(day, slot, location, team, supervisors, (), self._room_of.get(room))
        return placements
