"""The master problem: which half-day, building and provider each task gets, with time as minutes only.

A relaxation of the scenario, so every bound on it bounds every plan. A *session* is a stretch of a date in which shifts
overlap (a half-day, as a rule). A task is given

- a *named* column ``(shift, location)`` for each provider who matters to it alone (preferred, required, current, or linked
  by ``same_provider``), or
- a *pool* column ``(session, location)`` for all others: integer *flow* columns then say how many visits of a service each
  shift takes from the pool. Providers who are alike to a patient are thus alike to the model.

Rows keep: one column a task; shift minutes, at one location; daily minutes; room minutes with cleaning, for each nested
set of rooms; equipment and recovery minutes; attention minutes of supervisors; links by date; groups; trips; the
notification budget; site changes. What is lost is the order within a session, which :mod:`solver.improve` decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from scheduling.costs import half_of, leaving_out
from scheduling.fields import Half
from scheduling.requests import Current
from scheduling.scenario import Scenario
from scheduling.timegrid import minute_of_day, minutes_on
from solver.domains import FULL_ATTENTION, Domains, Option, ShiftId, current_of, start_mask, unavailable
from solver.linear import LinearProgram
from solver.tasks import Key, Task

Place = tuple[int, int, str]
"""A day, a session of it, and a location."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a column of a task means: a session and location, and for a named column the shift."""

    column: int
    day: int
    session: int
    location: str
    shift: ShiftId | None
    starts: int


@dataclass(frozen=True, slots=True)
class Window:
    """A shift as the master sees it: its session and the minutes that its provider is free."""

    day: int
    session: int
    free_minutes: int
    locations: tuple[str, ...]
    trainee: bool


class Master:
    """The master problem of a scenario, built once."""

    def __init__(
        self, domains: Domains, options: Mapping[Key, Sequence[Option]] | None = None, pooled: bool = True
    ) -> None:
        self.domains = domains
        self.options = domains.options if options is None else options
        self.pooled = pooled
        self.scenario = domains.scenario
        self.program = LinearProgram()
        self.sessions = _sessions(self.scenario)
        self.windows = self._windows()
        self.choices: dict[Key, list[Choice]] = {}
        self.left_out: dict[Key, int] = {}
        self.attends: dict[tuple[str, str], int] = {}
        self._uses: dict[tuple[object, ...], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
        self._pools: dict[tuple[str, int, Place], list[int]] = defaultdict(list)
        self._stays: list[int] = []
        self._notified = 0
        self._flows: dict[tuple[str, int, ShiftId, str], int] = {}
        self.shift_at = self._shift_locations()
        for task in domains.tasks:
            self._task(task)
        for task in domains.tasks:
            if task.group is not None:
                self._attendance(task)
        self._pool_rows()
        self._trips()
        self._links()
        self._capacities()
        self._site_changes()
        self._budget()

    def _windows(self) -> dict[ShiftId, Window]:
        windows = {}
        for provider in self.scenario.providers:
            for number, shift in enumerate(provider.shifts):
                on = shift.start.date()
                begin, end = minutes_on(shift.start, on), minutes_on(shift.end, on)
                free, reached = 0, begin
                busy = ((minutes_on(time.start, on), minutes_on(time.end, on)) for time in provider.busy)
                for starts, ends in sorted((max(a, begin), min(b, end)) for a, b in busy if a < end and b > begin):
                    free += max(0, starts - reached)
                    reached = max(reached, ends)
                free += max(0, end - reached)
                day = self.scenario.grid.day_index(on)
                session = next(i for i, (a, b) in enumerate(self.sessions[day]) if a <= begin < b)
                windows[ShiftId(provider.id, number)] = Window(day, session, free, shift.locations, provider.trainee)
        return windows

    def _shift_locations(self) -> dict[tuple[ShiftId, str], int]:
        """Add a column for each location of a shift that has several."""
        at = {}
        for shift, window in self.windows.items():
            if len(window.locations) > 1:
                columns = [self.program.column() for _ in window.locations]
                at |= {(shift, location): c for location, c in zip(window.locations, columns, strict=True)}
                self.program.row(columns, [1] * len(columns), high=1)
        return at

    def guide(self, reduced_costs: Sequence[float]) -> Mapping[Key, Mapping[Option, float]]:
        """Return, for each task and option, the reduced cost of taking it: its price with what it takes from others."""
        guide: dict[Key, dict[Option, float]] = {}
        for key, choices in self.choices.items():
            service = self.domains.service(key)
            named = {(c.shift, c.location): reduced_costs[c.column] for c in choices if c.shift is not None}
            pools = {(c.day, c.session, c.location): reduced_costs[c.column] for c in choices if c.shift is None}
            prices = guide[key] = {}
            for option in self.domains.options[key]:
                if option.shift is not None and (option.shift, option.location) in named:
                    prices[option] = named[option.shift, option.location]
                elif option.shift is not None:
                    flow = self._flows.get((service.id, option.seat, option.shift, option.location))
                    place = pools.get(self._place(option), 0.0) if option.seat == 0 else 0.0
                    prices[option] = place + (reduced_costs[flow] if flow is not None else 0.0)
        return guide

    # --- tasks -------------------------------------------------------------------------------------------------------

    def _task(self, task: Task) -> None:
        named, seats = self._named(task), max(1, len(task.service.team))
        required = None if task.visit is None else task.visit.required_provider
        pools: dict[Place, int] = defaultdict(int)
        choices: list[Choice] = []
        for option in self.options[task.key]:
            if option.seat > 0 or (seats == 1 and required is not None and option.provider != required):
                continue
            place = self._place(option)
            if seats == 1 and option.shift is not None and (named is None or option.provider in named):
                choices.append(self._choice(task, place, option.shift, option.starts))
            else:
                pools[place] |= option.starts
        for place, starts in pools.items():
            choices.append(self._choice(task, place, None, starts))
            if task.service.team:
                for seat in range(seats):
                    self._pools[task.service.id, seat, place].append(choices[-1].column)
        self.choices[task.key] = choices
        out = self.program.column(self._leaving_out(task))
        self.left_out[task.key] = out
        columns = [choice.column for choice in choices]
        self.program.row([*columns, out], [1] * (len(columns) + 1), 1, 1)

    def _named(self, task: Task) -> frozenset[str] | None:
        """Return the providers who matter to this task alone; None: every one."""
        visit, current = task.visit, current_of(task)
        if not self.pooled:
            return None
        if visit is None:
            return frozenset(current.team if current else ())
        if visit.id in self._same_provider:
            return None
        required = (visit.required_provider,) if visit.required_provider else ()
        pinned = visit.pinned.team if visit.pinned else ()
        return frozenset((*visit.preferred_providers, *required, *pinned, *(current.team if current else ())))

    @property
    def _same_provider(self) -> frozenset[str]:
        return frozenset(v for link in self.scenario.links if link.same_provider for v in (link.before, link.after))

    def _place(self, option: Option) -> Place:
        session = -1 if option.shift is None else self.windows[option.shift].session
        return option.day, session, option.location

    def _choice(self, task: Task, place: Place, shift: ShiftId | None, starts: int) -> Choice:
        day, session, location = place
        choice = Choice(self.program.column(self._cost(task, place, shift, starts)), day, session, location, shift, starts)
        if shift is not None:
            self._use_provider(choice.column, task.service.id, 0, shift, location)
        if session >= 0:
            self._use_place(choice.column, task, place)
        return choice

    def _use_provider(self, column: int, service_id: str, seat: int, shift: ShiftId, location: str) -> None:
        service, window = self.scenario.services[service_id], self.windows[shift]
        self._use(("shift", shift, location), column, service.minutes)
        if window.trainee:
            supervisors = frozenset(
                option.shift
                for option in self.domains.seat(service, seat)
                if option.shift is not None
                and (option.day, option.location) == (window.day, location)
                and self.windows[option.shift].session == window.session
                and not self.windows[option.shift].trainee
            )
            place = (window.day, window.session, location)
            self._use(("supervised", place, supervisors), column, service.minutes * service.attention)
            if service.attention == FULL_ATTENTION:
                self._use(("undivided", place, supervisors), column, service.minutes)
        else:
            self._use(("attention", shift, location), column, service.minutes * service.attention)
            self._use(("own", shift, location), column, service.minutes)

    def _use_place(self, column: int, task: Task, place: Place) -> None:
        service = task.service
        if service.room is not None:
            need = service.room
            suited = frozenset(r.id for r in self.scenario.clinic.rooms if r.location == place[2] and need.suits(r))
            self._use(("room", place, suited), column, service.minutes + service.turnover)
        for device in service.equipment:
            self._use(("equipment", place, device), column, service.minutes)
        if service.recovery and task.group is None:
            self._use(("recovery", place), column, service.recovery)

    def _use(self, resource: tuple[object, ...], column: int, amount: int) -> None:
        columns, amounts = self._uses[resource]
        columns.append(column)
        amounts.append(amount)

    # --- costs -------------------------------------------------------------------------------------------------------

    def _leaving_out(self, task: Task) -> int:
        policy = self.scenario.policy
        if task.visit is not None:
            current = task.visit.current
            told = 0 if current is None else policy.moved_notified if current.notified else policy.moved
            return leaving_out(self.scenario, task.visit) + told
        if task.group is not None:
            return policy.group_not_run if task.group.required else 0
        return policy.reserve_missing

    def _cost(self, task: Task, place: Place, shift: ShiftId | None, starts: int) -> int:
        """Return the least that a column can cost a plan."""
        visit, policy, scenario = task.visit, self.scenario.policy, self.scenario
        if visit is None:
            return 0
        on, patient = scenario.grid.date(place[0]), scenario.patients_by_id[visit.patient]
        cost = policy.delay_per_day.of(visit.priority) * max(0, (on - max(visit.earliest, scenario.horizon.start)).days)
        if visit.target is not None:
            cost += policy.late_per_day.of(visit.priority) * max(0, (on - visit.target).days)
        if patient.preferred_site not in (None, scenario.site(place[2])):
            cost += policy.not_preferred_site
        if patient.prefers is not None and patient.prefers not in self.halves(starts):
            cost += policy.not_preferred_half
        preferred = visit.preferred_providers
        if preferred and (shift.provider not in preferred if shift else not self._may_meet(task, place, preferred)):
            cost += policy.not_preferred_provider
        if visit.current is not None and not self._may_stay(visit.current, place, shift, starts):
            days = abs((on - visit.current.start.date()).days)
            told = visit.current.notified
            cost += policy.moved_notified + policy.moved_notified_per_day * days if told else policy.moved
        return cost

    def halves(self, starts: int) -> set[Half]:
        """Return the halves of the day in which a mask has a start."""
        grid = self.scenario.grid
        first = (starts & -starts).bit_length() - 1
        return {half_of(first * grid.grid_minutes), half_of((starts.bit_length() - 1) * grid.grid_minutes)}

    def _may_meet(self, task: Task, place: Place, preferred: Iterable[str]) -> bool:
        """Say whether a task in a pool may still have a preferred provider in its team: only if it has several seats."""
        if len(task.service.team) < 2:
            return False
        here = (option for option in self.domains.options[task.key] if option.shift and self._place(option) == place)
        return any(option.provider in preferred for option in here)

    def _may_stay(self, current: Current, place: Place, shift: ShiftId | None, starts: int) -> bool:
        if current.location != place[2] or self.scenario.grid.date(place[0]) != current.start.date():
            return False
        same_team = shift is None if len(current.team) != 1 else shift is not None and shift.provider == current.team[0]
        return same_team and bool(starts & start_mask(self.scenario, current.start))

    # --- rows --------------------------------------------------------------------------------------------------------

    def _pool_rows(self) -> None:
        """Let the shifts that suit a service take what its pool holds, seat by seat."""
        for (service_id, seat, place), columns in self._pools.items():
            service, flows = self.scenario.services[service_id], []
            for option in self.domains.seat(service, seat):
                if option.shift is not None and self._place(option) == place:
                    window = self.windows[option.shift]
                    most = min(len(columns), window.free_minutes // service.minutes)
                    if most:
                        flow = self.program.column(upper=most)
                        self._flows[service_id, seat, option.shift, option.location] = flow
                        self._use_provider(flow, service_id, seat, option.shift, option.location)
                        if (option.shift, option.location) in self.shift_at:
                            self.program.row([flow, self.shift_at[option.shift, option.location]], [1, -most], high=0)
                        flows.append(flow)
            self.program.row([*columns, *flows], [1] * len(columns) + [-1] * len(flows), 0, 0)

    def _attendance(self, task: Task) -> None:
        """Add a column for each candidate of a group: seated only where and when they can come."""
        group, policy, scenario = task.group, self.scenario.policy, self.scenario
        assert group is not None
        choices, seats = self.choices[task.key], []
        for candidate in group.candidates:
            seat = policy.group_seat.of(candidate.priority)
            self.program.offset += seat
            column = self.program.column(-seat)
            sites = scenario.patients_by_id[candidate.patient].allowed_sites
            able = [
                choice.column
                for choice in choices
                if scenario.site(choice.location) in sites
                and choice.starts & ~unavailable(scenario, candidate.patient, task.service, scenario.grid.date(choice.day))
            ]
            self.program.implies(column, able)
            self.attends[group.id, candidate.patient] = column
            seats.append(column)
        self._told(task)
        runs = [choice.column for choice in choices]
        self.program.row([*seats, *runs], [1] * len(seats) + [-group.capacity] * len(runs), high=0)
        self.program.row([*seats, *runs], [1] * len(seats) + [-group.min_attendees] * len(runs), low=0)

    def _told(self, task: Task) -> None:
        """Charge each attendee who would have to be called: all but those seated in a session that may stay."""
        group, policy = task.group, self.scenario.policy
        if group is None or group.current is None:
            return
        current = group.current
        staying = [
            choice.column
            for choice in self.choices[task.key]
            if choice.location == current.location
            and self.scenario.grid.date(choice.day) == current.start.date()
            and choice.starts & start_mask(self.scenario, current.start)
        ]
        moved = policy.moved_notified if current.notified else policy.moved
        for patient in current.attendees:
            self.program.offset += moved
            if (group.id, patient) in self.attends:
                stays = self.program.column(-moved)
                self.program.implies(stays, [self.attends[group.id, patient]])
                self.program.implies(stays, staying)
                if current.notified:
                    self._stays.append(stays)
            self._notified += current.notified

    def _trips(self) -> None:
        """Count each patient's dates beyond the first."""
        visits: dict[str, list[Key]] = defaultdict(list)
        sessions: dict[str, list[tuple[int, Key]]] = defaultdict(list)
        for task in self.domains.tasks:
            if task.patient is not None:
                visits[task.patient].append(task.key)
        for (group, patient), column in self.attends.items():
            sessions[patient].append((column, ("group", group)))
        for patient in sorted(visits.keys() | sessions.keys()):
            if len(visits[patient]) + len(sessions[patient]) > 1:
                self._patient_trips(visits[patient], sessions[patient])

    def _patient_trips(self, visits: Sequence[Key], sessions: Sequence[tuple[int, Key]]) -> None:
        keys = [*visits, *(key for _, key in sessions)]
        trip, comes = self.scenario.policy.extra_trip, []
        for day in sorted({choice.day for key in keys for choice in self.choices[key]}):
            on_day = self.program.column(trip)
            for key in visits:
                there = [choice.column for choice in self.choices[key] if choice.day == day]
                if there:
                    self.program.row([on_day, *there], [1] + [-1] * len(there), low=0)
            for seat, key in sessions:
                there = [choice.column for choice in self.choices[key] if choice.day == day]
                if there:
                    self.program.row([on_day, seat, *there], [1, -1] + [-1] * len(there), low=-1)
            comes.append(on_day)
        once = self.program.column(-trip)
        self.program.implies(once, comes)

    def _links(self) -> None:
        for link in self.scenario.links:
            before, after = self.choices["visit", link.before], self.choices["visit", link.after]
            outs = [self.left_out["visit", link.after], self.left_out["visit", link.before]]
            self.program.row(outs, [1, -1], low=0, high=0 if link.together else 1)
            for day in range(self.scenario.grid.days):
                self._within(before, after, lambda c, d=day: c.day <= d, lambda c, d=day: c.day <= d - link.min_days)
                if link.max_days is not None:
                    latest = link.max_days
                    self._within(before, after, lambda c, d=day: c.day >= d, lambda c, d=day: c.day >= d - latest)
            if link.same_location:
                for location in {choice.location for choice in after}:
                    self._within(before, after, *[lambda c, l=location: c.location == l] * 2)
            if link.same_provider:
                for provider in sorted({choice.shift.provider for choice in after if choice.shift}):
                    self._within(before, after, *[lambda c, p=provider: c.shift is not None and c.shift.provider == p] * 2)

    def _within(self, before: Iterable[Choice], after: Iterable[Choice], later: Test, sooner: Test) -> None:
        """Let a later visit take a choice of one kind only when the sooner visit takes one of another."""
        followers = [choice.column for choice in after if later(choice)]
        leaders = [choice.column for choice in before if sooner(choice)]
        if followers:
            self.program.row([*followers, *leaders], [1] * len(followers) + [-1] * len(leaders), high=0)

    def _capacities(self) -> None:
        rooms: dict[Place, set[frozenset[str]]] = defaultdict(set)
        supervisors: dict[Place, set[frozenset[ShiftId]]] = defaultdict(set)
        for resource, (columns, amounts) in list(self._uses.items()):
            match resource:
                case ("shift", ShiftId() as shift, str() as location):
                    self._shift_minutes(shift, location, columns, amounts)
                case ("room", place, suited):
                    rooms[place].add(suited)
                case ("supervised", place, suited):
                    supervisors[place].add(suited)
                case ("equipment", (day, session, location), device):
                    begin, end = self.sessions[day][session]
                    units = self.scenario.equipment_units(device, location)
                    self.program.row(columns, amounts, high=units * (end - begin))
                case ("recovery", (day, session, location)):
                    begin, end = self.sessions[day][session]
                    closes = minute_of_day(self.scenario.locations[location].closes)
                    self.program.row(
                        columns, amounts, high=self.scenario.bays(location) * max(0, min(end + max(amounts), closes) - begin)
                    )
        for place, sets in rooms.items():
            self._room_minutes(place, sets)
        for place, groups in supervisors.items():
            self._supervision(place, groups)
        self._daily_minutes()

    def _shift_minutes(self, shift: ShiftId, location: str, columns: list[int], amounts: list[int]) -> None:
        at = self.shift_at.get((shift, location))
        for weights, most in rounded(amounts, self.windows[shift].free_minutes):
            if at is None:
                self.program.row(columns, weights, high=most)
            else:
                self.program.row([*columns, at], [*weights, -most], high=0)
        if at is not None:
            for column in columns:
                if self.program.uppers[column] == 1:
                    self.program.implies(column, [at])

    def _room_minutes(self, place: Place, sets: set[frozenset[str]]) -> None:
        """Bound the minutes, cleaning included, of the tasks that only a set of rooms suits, for each set in use."""
        begin, end = self.sessions[place[0]][place[1]]
        cleaning = max(service.turnover for service in self.scenario.clinic.services)
        for suited in sorted(sets, key=sorted):
            columns, amounts = self._gathered(("room", place, one) for one in sorted(sets, key=sorted) if one <= suited)
            for weights, most in rounded(amounts, end - begin + cleaning):
                self.program.row(columns, weights, high=len(suited) * most)

    def _gathered(self, resources: Iterable[tuple[object, ...]]) -> tuple[list[int], list[int]]:
        columns: list[int] = []
        amounts: list[int] = []
        for resource in resources:
            if resource in self._uses:
                columns += self._uses[resource][0]
                amounts += self._uses[resource][1]
        return columns, amounts

    def _supervision(self, place: Place, groups: set[frozenset[ShiftId]]) -> None:
        """Bound trainees' minutes by what their possible supervisors leave of their own.

        Two rows for each set of supervisors: attention minutes, at most 2 a minute; and minutes in which a supervisor can do
        nothing else, own work and supervised procedures, at most 1 a minute.
        """
        ordered = sorted(groups, key=lambda group: sorted((shift.provider, shift.number) for shift in group))
        for group in ordered:
            for supervised, own, most in (("supervised", "attention", FULL_ATTENTION), ("undivided", "own", 1)):
                columns, amounts = self._gathered((supervised, place, one) for one in ordered if one <= group)
                mine, minutes = self._gathered((own, shift, place[2]) for shift in group)
                if not columns:
                    continue
                columns, amounts, capacity = columns + mine, amounts + minutes, 0
                for shift in group:
                    free = most * self.windows[shift].free_minutes
                    if (shift, place[2]) in self.shift_at:
                        columns.append(self.shift_at[shift, place[2]])
                        amounts.append(-free)
                    else:
                        capacity += free
                self.program.row(columns, amounts, high=capacity)

    def _daily_minutes(self) -> None:
        for provider in self.scenario.providers:
            by_day: dict[int, list[ShiftId]] = defaultdict(list)
            for number in range(len(provider.shifts)):
                shift = ShiftId(provider.id, number)
                by_day[self.windows[shift].day].append(shift)
            for shifts in by_day.values():
                if sum(self.windows[shift].free_minutes for shift in shifts) > provider.max_minutes_per_day:
                    uses = self._gathered(("shift", s, at) for s in shifts for at in self.windows[s].locations)
                    self.program.row(*uses, high=provider.max_minutes_per_day)

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
        used: list[dict[str, int]] = []
        for shift in shifts:
            at_site: dict[str, int] = {}
            for location in self.windows[shift].locations:
                column = at_site.setdefault(self.scenario.site(location), self.program.column())
                for user in self._uses["shift", shift, location][0]:
                    self.program.row([column, user], [self.program.uppers[user], -1], low=0)
            used.append(at_site)
        for first, second in combinations(range(len(shifts)), 2):
            changes = self.program.column(self.scenario.policy.site_change)
            between = [column for at_site in used[first + 1 : second] for column in at_site.values()]
            for (one, here), (other, there) in product(used[first].items(), used[second].items()):
                if one != other:
                    columns = [changes, here, there, *between]
                    self.program.row(columns, [1, -1, -1] + [1] * len(between), low=-1)

    def _budget(self) -> None:
        """Keep the notification budget: enough of those who were told must be able to stay."""
        budget = self.scenario.policy.max_notified_moves
        if budget is None:
            return
        staying, notified = list(self._stays), self._notified
        for visit in self.scenario.visits:
            if visit.current is not None and visit.current.notified:
                notified += 1
                for choice in self.choices["visit", visit.id]:
                    place = (choice.day, choice.session, choice.location)
                    if self._may_stay(visit.current, place, choice.shift, choice.starts):
                        staying.append(choice.column)
        self.program.row(staying, [1] * len(staying), low=notified - budget)


Test = Callable[[Choice], bool]


def rounded(amounts: Sequence[int], capacity: int) -> Iterator[tuple[Sequence[int], int]]:
    """Yield the rows that every packing of one resource keeps: its minutes, and their roundings by each duration.

    Dividing ``sum(a_j * n_j) <= C`` by a duration and rounding down both sides keeps every integer packing (Chvatal-Gomory),
    and cuts off the fractional ones: 240 minutes hold 5 visits of 45, not 5.33.
    """
    yield amounts, capacity
    for divisor in sorted(set(amounts)):
        exact = capacity % divisor == 0 and all(amount % divisor == 0 for amount in amounts)
        if not exact:
            yield [amount // divisor for amount in amounts], capacity // divisor


def _sessions(scenario: Scenario) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return, for each day, the stretches of minutes in which shifts overlap."""
    by_day: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for provider in scenario.providers:
        for shift in provider.shifts:
            on = shift.start.date()
            by_day[scenario.grid.day_index(on)].append((minutes_on(shift.start, on), minutes_on(shift.end, on)))
    sessions = {}
    for day, intervals in by_day.items():
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(intervals):
            if merged and begin < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        sessions[day] = merged
    return sessions
